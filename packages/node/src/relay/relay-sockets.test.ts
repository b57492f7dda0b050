import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import { addressText } from "./peer-policy.ts";
import type { RelayPorts, RelaySocket } from "./relay-ports.ts";
import { type RelayAddress, RelaySockets } from "./relay-sockets.ts";
import { bindUdp } from "./udp-socket.ts";

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

async function opened(sockets: RelaySockets, ports: RelayPorts = "any", family: 4 | 6 = 4): Promise<RelaySocket[]> {
  const found = (await sockets.open(family, ports)).filter((each) => each !== undefined);
  for (const each of found) closing.push(() => each.close());
  return found;
}

test("of ports that are held it takes those that it is given, and gives them back unclosed", async () => {
  const [one, other] = [bindUdp(HOST, 0), bindUdp(HOST, 0)];
  closing.push(() => Promise.all([one.close(), other.close()]));
  const { port } = one;
  const given: number[] = [];
  const free = [[one], [], [one, other]];
  const held = { take: () => free.shift() ?? [], giveBack: (back: number) => void given.push(back) };
  const sockets = new RelaySockets([{ host: HOST, announced: "8.8.4.4", held }]);
  const found = await opened(sockets);
  expect(found.map(({ address }) => `${addressText(address.address)} ${address.port}`)).toEqual([`8.8.4.4 ${port}`]);
  await expect(sockets.open(4, "any")).rejects.toThrow(/no port is left/);
  found[0]?.close();
  expect(given).toEqual([port]);
  expect((await opened(sockets, "pair")).map(({ address }) => address.port)).toEqual([port, other.port]);
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
