import type { PortMapping } from "@earshot/core";
import { beforeEach, expect, test } from "vitest";
import { RouterPorts } from "./router-ports.ts";

const MINUTE = 60_000;
const EXTERNAL = "8.8.4.4";
let now = 0;
let seen = "";
let mapping: PortMapping;
const router = () => new RouterPorts({ port: 3_478, now: () => now, mapping: () => mapping, seenAt: () => seen });

/** A router that has opened what was asked for, but for these. */
function opened(ends: number, isRefused: (name: string) => boolean = () => false): PortMapping {
  const ports = router()
    .wanted(ends)
    .map((port) => ({ ...port, mapped: !isRefused(`${port.protocol} ${port.port}`) }));
  return {
    state: "mapped",
    way: "upnp",
    gateway: "192.168.1.1",
    externalAddress: EXTERNAL,
    externalPublic: true,
    ports: [{ use: "dht", protocol: "udp", port: 4_000, mapped: true }, ...ports],
  };
}

beforeEach(() => {
  now = 0;
  seen = "";
  mapping = opened(60);
});

test("a router is asked for where clients come, and for a port for each end of a call, sixteen at most", () => {
  const names = (ends: number) =>
    router()
      .wanted(ends)
      .map(({ use, protocol, port }) => `${use} ${protocol} ${port}`);
  expect(names(2)).toEqual(["relay udp 3478", "relay tcp 3478", "relayed udp 49160", "relayed udp 49161"]);
  expect(names(60)).toHaveLength(18);
});

test("once it has opened them, others come to the router's address, and calls go by the ports that it gave", () => {
  mapping = opened(4, (name) => name === "udp 49161");
  const place = router().place();
  expect(place).toMatchObject({ host: "0.0.0.0", announced: EXTERNAL });
  expect(place?.ports?.()).toEqual([49_160, 49_162, 49_163]);
});

test.each<[string, () => void]>([
  ["the router refuses where clients come", () => (mapping = opened(4, (name) => name === "tcp 3478"))],
  ["it gives too few for a call", () => (mapping = opened(4, (name) => /udp 4916[123]/.test(name)))],
  ["it refuses all", () => (mapping = { ...mapping, state: "refused" })],
  ["there is none", () => (mapping = { ...mapping, state: "no-gateway" })],
  ["it was not asked", () => (mapping = { ...mapping, state: "off", ports: [] })],
  [
    "its address is no public one",
    () => (mapping = { ...mapping, externalAddress: "100.64.0.3", externalPublic: false }),
  ],
  ["others see another address", () => (seen = "9.9.9.9")],
])("nobody comes where %s", (_, make) => {
  make();
  expect(router().place()).toBeUndefined();
});

test("the network agrees with the router where it knows the address", () => {
  seen = EXTERNAL;
  expect(router().place()?.announced).toBe(EXTERNAL);
});

test("a router that falls silent has not taken anything back yet", () => {
  const ports = router();
  const before = ports.place();
  mapping = { ...opened(60, () => true), state: "no-gateway", externalAddress: "", externalPublic: false };
  now = 14 * MINUTE;
  const silent = ports.place();
  expect(silent?.announced).toBe(EXTERNAL);
  expect(silent?.ports?.()).toEqual(before?.ports?.());
  now = 15 * MINUTE;
  expect(ports.place()).toBeUndefined();
  // What runs until somebody ends it gets no more ports.
  expect(before?.ports?.()).toEqual([]);
});
