import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { decodeStun, encodeStun, mappedAddressOf, STUN_BINDING_REQUEST, unwrap } from "@earshot/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestNode, type TestNode } from "../testing/test-node.ts";

let node: TestNode;
let socket: Socket;
beforeEach(async () => {
  node = await startTestNode({ limits: { stunPerAddress: { perSecond: 1, burst: 5 } } });
  socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  socket.close();
  await node.stop();
});

const request = () =>
  encodeStun({
    type: STUN_BINDING_REQUEST,
    transactionId: new Uint8Array(randomBytes(12)),
    attributes: [],
    hasFingerprint: true,
  });
const stunPort = () => Number(node.stunUrl.split(":").at(-1));

test("a client learns its address over UDP, on the same port number as the node", async () => {
  expect(node.stunUrl).toBe(`stun:127.0.0.1:${node.port}`);
  socket.send(request(), stunPort(), "127.0.0.1");
  const [answer] = (await once(socket, "message")) as [Buffer];
  const mapped = unwrap(mappedAddressOf(unwrap(decodeStun(new Uint8Array(answer)))));
  expect([...mapped.address]).toEqual([127, 0, 0, 1]);
  expect(mapped.port).toBe(socket.address().port);
});

test("one address gets a few answers, not a stream, and noise gets none", async () => {
  const answers: Buffer[] = [];
  socket.on("message", (answer) => answers.push(answer));
  for (let i = 0; i < 3; i++) socket.send(randomBytes(60), stunPort(), "127.0.0.1");
  for (let i = 0; i < 40; i++) socket.send(request(), stunPort(), "127.0.0.1");
  const limited = async () => {
    const text = await (await fetch(`http://127.0.0.1:${node.port}/metrics`)).text();
    return Number(/stun_requests_total\{outcome="limited"\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  await expect.poll(limited).toBeGreaterThan(30);
  expect(answers.length).toBeLessThanOrEqual(3);
});

test("junk and greed from one address leave the others their answers", async () => {
  const limits = { stunTotal: { perSecond: 0.001, burst: 8 }, stunPerAddress: { perSecond: 0.001, burst: 5 } };
  const small = await startTestNode({ limits });
  const port = Number(small.stunUrl.split(":").at(-1));
  const seen = async () => {
    const text = await (await fetch(`http://127.0.0.1:${small.port}/metrics`)).text();
    return [...text.matchAll(/stun_requests_total\{outcome="\w+"\} (\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
  };
  const [noisy, greedy, quiet] = await Promise.all(["127.0.0.2", "127.0.0.3", "127.0.0.4"].map(boundTo));
  for (let i = 0; i < 20; i++) noisy?.send(randomBytes(60), port, "127.0.0.1");
  for (let i = 0; i < 20; i++) greedy?.send(request(), port, "127.0.0.1");
  await expect.poll(seen).toBe(40);
  quiet?.send(request(), port, "127.0.0.1");
  await once(quiet as Socket, "message");
  for (const each of [noisy, greedy, quiet]) each?.close();
  await small.stop();
});

function boundTo(address: string): Promise<Socket> {
  const bound = createSocket("udp4");
  return new Promise((resolve) => bound.bind(0, address, () => resolve(bound)));
}
