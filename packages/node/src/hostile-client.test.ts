/** What a client that means harm can do: to itself, and to nobody else. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { encodeFrame, MAX_FRAME_BYTES } from "@earshot/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { accepted, openSocket, randomEnvelope, stopReading, TestClient, TestMailbox } from "./testing/test-client.ts";
import { startTestNode, type TestNode } from "./testing/test-node.ts";

let node: TestNode;
let owner: TestClient;
let sender: TestClient;
const mailbox = new TestMailbox();

beforeEach(async () => {
  node = await startTestNode({ limits: { helloTimeoutMs: 1_000 } });
  owner = await TestClient.connect(node);
  sender = await TestClient.connect(node);
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
});
afterEach(async () => {
  // Whatever was tried: the others' mail still comes, and nothing was lost.
  const envelope = randomEnvelope(2048);
  accepted(await mailbox.deliver(sender, envelope));
  expect((await owner.next("envelope")).envelope).toEqual(envelope);
  expect(owner.session.closed || sender.session.closed).toBe(false);
  await node.stop();
});

const closeCode = async (socket: WebSocket): Promise<number> => ((await once(socket, "close")) as [number])[0];

test("garbage is answered with an error, and ends the connection", async () => {
  for (let i = 0; i < 20; i++) {
    const socket = await openSocket(node);
    socket.on("error", () => {});
    socket.send(Uint8Array.of(0x70 + (i % 8), ...randomBytes(40)));
    const [answer] = (await once(socket, "message")) as [Buffer];
    expect(answer[0]).toBe(0xff);
    expect(await closeCode(socket)).toBe(1002);
  }
  const counted = node.stats().refusals.reduce((sum, [, count]) => sum + count, 0);
  expect(counted).toBeGreaterThanOrEqual(20);
});

test("a frame that is too large, or text, ends the connection", async () => {
  const large = await openSocket(node);
  large.send(new Uint8Array(MAX_FRAME_BYTES + 1));
  expect(await closeCode(large)).toBe(1009);
  const text = await openSocket(node);
  text.send("hello");
  expect(await closeCode(text)).toBe(1003);
});

test("before hello nothing is served, and who says nothing is let go", async () => {
  const eager = await openSocket(node);
  eager.send(encodeFrame({ type: "get-ice", requestId: 1 }));
  const [answer] = (await once(eager, "message")) as [Buffer];
  expect(answer.subarray(0, 7)).toEqual(Buffer.from([0xff, 0, 0, 0, 1, 0, 7]));
  const silent = await openSocket(node);
  expect(await closeCode(silent)).toBe(1006);
});

test("a flood of requests is refused past its rate, and a client that will not stop is let go", async () => {
  const flood = await TestClient.connect(node);
  const socket = flood.socket;
  for (let i = 0; i < 3_000; i++) socket.send(encodeFrame({ type: "get-ice", requestId: 1_000_000 + i }));
  expect([1005, 1006, 1008]).toContain(await closeCode(socket));
  expect(node.stats().refusals.find(([code]) => code === "rate-limited")?.[1]).toBeGreaterThan(90);
});

test("a client that asks and never reads is let go instead of buffered for", async () => {
  const l = { maxBufferedBytes: 64 * 1024, framesPerConnection: { perSecond: 1e6, burst: 1e6 } };
  const small = await startTestNode({ limits: l });
  const client = await TestClient.connect(small);
  const bundle = new Uint8Array(randomBytes(8_192));
  accepted(await client.session.request({ type: "put-bundle", at: null, bundle }));
  const hash = new Uint8Array(createHash("sha256").update(bundle).digest());
  const closed = once(client.socket, "close");
  stopReading(client.socket);
  for (let i = 0; i < 4_000; i++)
    client.socket.send(encodeFrame({ type: "get-bundle", requestId: 1 + i, hash, at: null }));
  await expect.poll(() => small.stats().connections, { timeout: 10_000 }).toBe(0);
  (client.socket as unknown as { _socket: { resume(): void } })._socket.resume();
  await closed;
  await small.stop();
});

test("a client that was shown the door keeps its place until it is out, and is put out soon", async () => {
  const limits = { maxConnectionsPerPrefix: 1, limitPrivatePrefixes: true };
  const small = await startTestNode({ limits });
  const socket = await openSocket(small);
  socket.send("text");
  stopReading(socket);
  const closed = () => small.logLines.some((line) => line.includes("binary-only"));
  await expect.poll(closed).toBe(true);
  await expect(openSocket(small)).rejects.toMatchObject({ status: 503 });
  await expect.poll(() => small.stats().connections, { timeout: 4_000 }).toBe(0);
  await openSocket(small);
  socket.terminate();
  await small.stop();
});

test("half-open sockets and broken requests cost a place for seconds only", async () => {
  const sockets = Array.from({ length: 50 }, () => {
    const socket = connect(node.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET /edge HTTP/1.1\r\nHost: 127.0.0.1:");
    return socket;
  });
  const gone = Promise.all(sockets.map((socket) => once(socket, "close")));
  const broken = connect(node.port, "127.0.0.1");
  broken.on("error", () => {});
  broken.write(randomBytes(200));
  await once(broken, "close");
  await gone;
}, 15_000);

test("a stranger cannot acknowledge, close or read what is in another's mailbox", async () => {
  const thief = await TestClient.connect(node);
  accepted(await mailbox.deliver(sender, randomEnvelope()));
  const { seq } = await owner.next("envelope");
  expect(await mailbox.ack(thief, seq)).toMatchObject({ code: "unknown-mailbox" });
  const close = { type: "close-mailbox", mailboxId: mailbox.id, forget: true } as const;
  expect(await thief.session.request(close)).toMatchObject({ code: "unknown-mailbox" });
  const clear = { type: "set-tokens", mailboxId: mailbox.id, operation: "clear", tokens: [] } as const;
  expect(await thief.session.request(clear)).toMatchObject({ code: "unknown-mailbox" });
  expect(node.stats().storeBytes).toBeGreaterThan(0);
});
