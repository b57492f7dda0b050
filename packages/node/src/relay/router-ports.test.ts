import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { PortMapping } from "@earshot/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MAX_ROUTER_PORTS, RouterPorts } from "./router-ports.ts";

const MINUTE = 60_000;
const EXTERNAL = "8.8.4.4";
const EVERYWHERE = "0.0.0.0";
const ENDS = 4;
const closing: (() => unknown)[] = [];
let now: number;
let seen: string;
let mapping: PortMapping;
/** Where clients come; calls go by those that follow. */
let port: number;
let looked: number;
beforeEach(async () => {
  [now, seen, looked] = [0, "", 0];
  port = await spare();
});
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

async function bound(at: number): Promise<Socket> {
  const socket = createSocket("udp4");
  closing.push(() => socket.close());
  socket.bind(at, EVERYWHERE);
  await once(socket, "listening");
  return socket;
}

/** An odd port after which some are free at this moment. */
async function spare(): Promise<number> {
  for (;;) {
    const one = (await bound(0)).address().port;
    const first = one + 1 + (one % 2);
    const tried = await Promise.allSettled(Array.from({ length: 1 + MAX_ROUTER_PORTS }, (_, at) => bound(first + at)));
    for (const close of closing.splice(0)) close();
    if (tried.every(({ status }) => status === "fulfilled")) return first;
  }
}

function router(): RouterPorts {
  const ports = new RouterPorts({ port, first: port + 1, now: () => now, seenAt: () => seen });
  ports.follow({ mapping: () => mapping, onWanted: () => looked++ });
  closing.push(() => ports.release());
  return ports;
}
async function holding(ends = ENDS): Promise<RouterPorts> {
  const ports = router();
  await ports.hold(ends, false);
  mapping = opened(ports);
  return ports;
}

/** A router that has opened what was asked for, but for these, counted from where clients come. */
function opened(ports: RouterPorts, refused: readonly string[] = []): PortMapping {
  const wanted = ports.wanted();
  const name = (one: (typeof wanted)[number]) => `${one.protocol} ${one.port - port}`;
  return {
    state: "mapped",
    way: "upnp",
    gateway: "192.168.1.1",
    externalAddress: EXTERNAL,
    externalPublic: true,
    ports: [
      { use: "dht", protocol: "udp", port: 4_000, mapped: true },
      ...wanted.map((one) => ({ ...one, mapped: !refused.includes(name(one)) })),
    ],
  };
}
const numbers = (sockets: readonly { readonly port: number }[]) => sockets.map((socket) => socket.port - port);

describe("what a router is asked for", () => {
  test("is where clients come, and a port for each end of a call, sixteen at most: none before they are held", async () => {
    const ports = router();
    expect(ports.wanted()).toEqual([]);
    await ports.hold(2, false);
    expect(ports.wanted().map((one) => `${one.use} ${one.protocol} ${one.port - port}`)).toEqual([
      "relay udp 0",
      "relay tcp 0",
      "relayed udp 1",
      "relayed udp 2",
    ]);
    await ports.hold(60, false);
    expect(ports.wanted()).toHaveLength(2 + MAX_ROUTER_PORTS);
    await ports.hold(3, false);
    expect(ports.wanted()).toHaveLength(2 + 3);
    expect(looked).toBe(3);
    await ports.hold(3, false);
    expect(looked).toBe(3);
    ports.release();
    expect([ports.wanted(), looked]).toEqual([[], 4]);
  });

  test("is never another program's", async () => {
    await bound(port + 2);
    const ports = await holding();
    expect(numbers([...ports.take("any")])).toEqual([]);
    expect(ports.wanted().map((one) => one.port - port)).toEqual([0, 0, 1, 3, 4]);
    const service = createServer().listen(port, EVERYWHERE);
    closing.push(() => service.close());
    await once(service, "listening");
    // Unless it is this relay's, which runs.
    await ports.hold(ENDS, true);
    await expect(ports.hold(ENDS, false)).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(ports.wanted()).toEqual([]);
  });
});

describe("where others come", () => {
  test("is the router's address, once it has opened what is needed, by the ports that it gave", async () => {
    const ports = await holding();
    mapping = opened(ports, ["udp 2"]);
    expect(ports.place()).toMatchObject({ host: EVERYWHERE, announced: EXTERNAL });
    expect(["any", "any", "any"].flatMap(() => numbers(ports.take("any")))).toEqual([1, 3, 4]);
    expect(ports.take("any")).toEqual([]);
  });

  test.each<[string, (ports: RouterPorts) => unknown]>([
    ["the router refuses where clients come", (ports) => (mapping = opened(ports, ["tcp 0"]))],
    ["it gives too few for a call", (ports) => (mapping = opened(ports, ["udp 2", "udp 3", "udp 4"]))],
    ["it refuses all", () => (mapping = { ...mapping, state: "refused" })],
    ["there is none", () => (mapping = { ...mapping, state: "no-gateway" })],
    ["it was not asked", () => (mapping = { ...mapping, state: "off", ports: [] })],
    ["its address is no public one", () => (mapping = { ...mapping, externalPublic: false })],
    ["others see another address", () => (seen = "9.9.9.9")],
  ])("is nowhere where %s", async (_, make) => {
    const ports = await holding();
    make(ports);
    expect(ports.place()).toBeUndefined();
    expect(ports.take("any")).toEqual([]);
  });

  test("is what the network agrees with, where it knows the address", async () => {
    const ports = await holding();
    seen = EXTERNAL;
    expect([ports.place()?.announced, ports.isRefused]).toEqual([EXTERNAL, false]);
    seen = "9.9.9.9";
    expect([ports.place(), ports.isRefused]).toEqual([undefined, true]);
  });

  test("stays for a while where a router falls silent: it has taken nothing back yet", async () => {
    const ports = await holding();
    ports.place();
    mapping = { ...opened(ports), state: "no-gateway", externalAddress: "", externalPublic: false };
    now = 14 * MINUTE;
    expect(ports.place()?.announced).toBe(EXTERNAL);
    expect(numbers(ports.take("any"))).toEqual([1]);
    now = 15 * MINUTE;
    expect(ports.place()).toBeUndefined();
    expect(ports.take("any")).toEqual([]);
  });
});

describe("ports that are held", () => {
  test("are one's at a time, even or in pairs where that is asked, and given again last", async () => {
    const ports = await holding();
    ports.place();
    expect(numbers(ports.take("pair"))).toEqual([1, 2]);
    ports.giveBack(port + 1);
    expect(numbers(ports.take("even"))).toEqual([3]);
    expect(numbers(ports.take("any"))).toEqual([4]);
    expect(numbers(ports.take("any"))).toEqual([1]);
    expect(ports.take("any")).toEqual([]);
  });

  test("forget who listened when they are given back", async () => {
    const ports = await holding();
    ports.place();
    const [socket] = ports.take("any");
    if (socket) socket.onMessage = () => {};
    ports.giveBack(port + 1);
    expect(socket?.onMessage).toBeUndefined();
  });
});
