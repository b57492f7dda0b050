import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import { addressText } from "./peer-policy.ts";
import type { RelayPorts, RelaySocket } from "./relay-ports.ts";
import { type RelayAddress, RelaySockets } from "./relay-sockets.ts";

const HOST = "127.0.0.1";
const HELLO = Buffer.from("hello");
const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

async function peer(host: string, port = 0): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.bind(port, host);
  await once(socket, "listening");
  closing.push(() => socket.close());
  return { socket, port: socket.address().port };
}

/** Ports that nobody has at this moment, the first one even. */
async function spare(count: number): Promise<number[]> {
  for (;;) {
    const { port } = await peer(HOST);
    const first = port - (port % 2) + 2;
    const ports = Array.from({ length: count }, (_, at) => first + at);
    const tried = await Promise.allSettled(ports.map((each) => peer(HOST, each)));
    for (const close of closing.splice(0)) close();
    if (tried.every(({ status }) => status === "fulfilled")) return ports;
  }
}

async function opened(sockets: RelaySockets, ports: RelayPorts = "any", family: 4 | 6 = 4): Promise<RelaySocket[]> {
  const found = (await sockets.open(family, ports)).filter((each) => each !== undefined);
  for (const each of found) closing.push(() => each.close());
  return found;
}
const portsOf = (found: readonly RelaySocket[]) => found.map(({ address }) => address.port);

test("only the ports that a router lets others in to are used, each by one at a time, and none where all are", async () => {
  const ports = await spare(4);
  const sockets = new RelaySockets([{ host: HOST, announced: "8.8.4.4", ports: () => ports }]);
  const found = (await Promise.all(ports.map(() => opened(sockets)))).flat();
  expect(portsOf(found).toSorted()).toEqual(ports);
  expect(found.map(({ address }) => addressText(address.address))).toEqual(Array(4).fill("8.8.4.4"));
  await expect(sockets.open(4, "any")).rejects.toThrow(/no port is left/);
  found[2]?.close();
  expect(portsOf(await opened(sockets))).toEqual([found[2]?.address.port]);
});

test("a port that was just given back is the last to be given again", async () => {
  const ports = await spare(4);
  const sockets = new RelaySockets([{ host: HOST, announced: "8.8.4.4", ports: () => ports }]);
  const seen = new Set<number>();
  for (const _ of ports) {
    const [one] = await opened(sockets);
    seen.add(one?.address.port ?? 0);
    one?.close();
  }
  expect(seen.size).toBe(4);
});

test("of them even ones and pairs are found, and one that another program has is passed over", async () => {
  const ports = await spare(4);
  const [first = 0] = ports;
  const sockets = new RelaySockets([{ host: HOST, announced: "8.8.4.4", ports: () => ports }]);
  await peer(HOST, first);
  expect(portsOf(await opened(sockets, "pair"))).toEqual([first + 2, first + 3]);
  await expect(sockets.open(4, "even")).rejects.toThrow();
  expect(portsOf(await opened(sockets))).toEqual([first + 1]);
});

test("without any none is opened", async () => {
  const sockets = new RelaySockets([{ host: HOST, announced: "8.8.4.4", ports: () => [] }]);
  await expect(sockets.open(4, "any")).rejects.toThrow();
});

test("two that relay reach each other without the router, and see its address", async () => {
  const sockets = new RelaySockets([{ host: "0.0.0.0", announced: "8.8.4.4" }]);
  const [[one], [other]] = await Promise.all([opened(sockets), opened(sockets)]);
  const heard: unknown[] = [];
  if (other) other.onRelayed = (data, from, port) => heard.push([String(data), from, port]);
  one?.send(HELLO, "8.8.4.4", other?.address.port ?? 0);
  expect(heard).toEqual([["hello", "8.8.4.4", one?.address.port]]);
});

test("bound to all addresses, it reaches no other port of this machine at any of them", async () => {
  const sockets = new RelaySockets([{ host: "0.0.0.0", announced: "8.8.4.4" }]);
  const [relay] = await opened(sockets);
  const service = await peer("0.0.0.0");
  const heard: string[] = [];
  service.socket.on("message", (data) => heard.push(String(data)));
  const own = Object.values(networkInterfaces()).flatMap((each) =>
    (each ?? []).filter(({ family }) => family === "IPv4"),
  );
  for (const { address } of [...own, { address: "8.8.4.4" }]) relay?.send(HELLO, address, service.port);
  // What is sent besides comes after what it would have sent.
  const other = await peer(HOST);
  const arrived = once(service.socket, "message");
  other.socket.send("after", service.port, HOST);
  await arrived;
  expect(heard).toEqual(["after"]);
});

const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));
test.skipIf(!hasIpv6)("an IPv6 address is one, however it is written", async () => {
  const written: RelayAddress = { host: "::1", announced: "0:0::1" };
  const sockets = new RelaySockets([written]);
  const [[one], [other]] = await Promise.all([opened(sockets, "any", 6), opened(sockets, "any", 6)]);
  const from = new Promise<string>((resolve) => {
    if (one) one.onRelayed = (_data, address) => resolve(address);
  });
  const stranger = await peer("::1");
  stranger.socket.send(HELLO, one?.address.port ?? 0, "::1");
  // As permissions have it.
  expect(await from).toBe(addressText(one?.address.address ?? new Uint8Array()));
  const heard: string[] = [];
  if (other) other.onRelayed = (data) => heard.push(String(data));
  one?.send(HELLO, addressText(one.address.address), other?.address.port ?? 0);
  expect(heard).toEqual(["hello"]);
});
