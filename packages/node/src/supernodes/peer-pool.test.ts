/** The pool against real supernodes, and against servers that are none. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkIdOf, publicKeyOf, signDescriptor, type SupernodeRef } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { createSigner } from "../crypto.ts";
import { testRandom } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import { temporaryHome, type TestNode } from "../testing/test-node.ts";
import { createDialer } from "./dialer.ts";
import { PeerPool, type PeerPoolLimits } from "./peer-pool.ts";
import { openSession } from "./verify.ts";

const LIMITS: PeerPoolLimits = { maxPeers: 4, maxPendingPerPeer: 8, maxPeerDials: 4, peerIdleMs: 60_000 };
const GET = { type: "get-bundle", hash: new Uint8Array(32), at: null } as const;
const NOTHING = { ok: true, value: { type: "bundle", bundle: null } };

let network: TestNetwork;
let node: TestNode;
let clock: VirtualClock;
const closing: (() => void)[] = [];
beforeEach(async () => {
  network = new TestNetwork();
  node = await network.startSupernode();
  clock = new VirtualClock(Date.now());
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await network.stop();
});

function dialerOf() {
  const config = node.network?.config;
  if (!config) throw new Error("no network");
  return createDialer(config, { clock, connectDht: () => Promise.reject(new Error("over URLs alone")) });
}

/** Another supernode of that network, which nobody can reach. */
function identity(): { seed: Uint8Array; descriptor: Uint8Array } {
  const seed = testRandom.bytes(32);
  const descriptor = signDescriptor(
    {
      networkId: networkIdOf(node.network?.config.key ?? new Uint8Array()),
      supernodeKey: publicKeyOf(seed),
      hopKey: node.hopKey,
      dedicated: true,
      servesApp: false,
      relays: false,
      issuedAt: Date.now(),
      clients: 0,
      maxClients: 1,
      url: "",
      dht: "",
      operator: "",
    },
    createSigner(seed),
  );
  return { seed, descriptor };
}

function poolOf(limits: Partial<PeerPoolLimits> = {}): PeerPool {
  const { seed, descriptor } = identity();
  const pool = new PeerPool(
    { clock, dialer: dialerOf(), descriptor: () => descriptor, supernodeSeed: seed },
    { ...LIMITS, ...limits },
  );
  closing.push(() => pool.close());
  return pool;
}

const refOf = (to: TestNode): SupernodeRef => ({ supernodeKey: to.supernodeKey, dht: "", url: to.edgeUrl });

/** Takes every upgrade, and says nothing ever. */
async function silentServer(): Promise<{ ref: SupernodeRef; dials: () => number }> {
  let dials = 0;
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "earshot.edge.1" });
  server.on("connection", () => dials++);
  await once(server, "listening");
  closing.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ref = { supernodeKey: publicKeyOf(testRandom.bytes(32)), dht: "", url: `ws://127.0.0.1:${port}/edge` };
  return { ref, dials: () => dials };
}

test("one stream serves many requests, also those that came while it was opened", async () => {
  const pool = poolOf();
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => pool.ask(refOf(node), GET)));
  expect(answers).toMatchObject([1, 2, 3, 4, 5].map(() => NOTHING));
  expect([pool.count, node.stats().connections]).toEqual([1, 1]);
});

test("a peer that sheds is left alone for as long as it asks", async () => {
  let knocks = 0;
  const server = createServer().on("upgrade", (_request, socket) => {
    knocks++;
    socket.end("HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const busy = { supernodeKey: publicKeyOf(testRandom.bytes(32)), dht: "", url: `ws://127.0.0.1:${port}/edge` };
  const pool = poolOf();
  expect(await pool.ask(busy, GET)).toMatchObject({ code: "server-busy", retryAfterMs: 30_000 });
  await clock.advance(29_000);
  expect(await pool.ask(busy, GET)).toMatchObject({ retryAfterMs: 1_000 });
  expect(knocks).toBe(1);
  await clock.advance(1_001);
  await pool.ask(busy, GET);
  expect(knocks).toBe(2);
});

test("a silent peer costs those who ask for it a bounded time, and the others nothing", async () => {
  const silent = await silentServer();
  const pool = poolOf();
  const asked = pool.ask(silent.ref, GET);
  await expect.poll(silent.dials).toBe(1);
  expect(await pool.ask(refOf(node), GET)).toMatchObject(NOTHING);
  await clock.advance(5_000);
  expect(await asked).toMatchObject({ code: "unknown-supernode" });
  expect(await pool.ask(refOf(node), GET)).toMatchObject(NOTHING);
  await clock.advance(20_000);
  // Left alone for a while, then tried again.
  const again = pool.ask(silent.ref, GET);
  await expect.poll(silent.dials).toBe(2);
  await clock.advance(10_000);
  expect(await again).toMatchObject({ code: "unknown-supernode" });
  const refused = await pool.ask(silent.ref, GET);
  expect(refused).toMatchObject({ code: "unknown-supernode" });
  expect(!refused.ok && refused.retryAfterMs).toBeGreaterThan(0);
  expect(silent.dials()).toBe(2);
});

test("who answers under another key is not asked anything", async () => {
  const pool = poolOf();
  const other = { ...refOf(node), supernodeKey: publicKeyOf(testRandom.bytes(32)) };
  expect(await pool.ask(other, GET)).toMatchObject({ code: "unknown-supernode" });
  // Wrong addresses that somebody made up say nothing of the supernode at its right ones.
  const wrong = { ...refOf(node), url: "ws://127.0.0.1:9/edge" };
  expect(await pool.ask(wrong, GET)).toMatchObject({ code: "unknown-supernode" });
  expect(await pool.ask(refOf(node), GET)).toMatchObject(NOTHING);
});

test("the stream used longest ago gives way, and one that nobody uses is closed", async () => {
  const second = await network.startSupernode();
  const pool = poolOf({ maxPeers: 1 });
  expect(await pool.ask(refOf(node), GET)).toMatchObject(NOTHING);
  expect(await pool.ask(refOf(second), GET)).toMatchObject(NOTHING);
  expect([pool.has(node.supernodeKey), pool.has(second.supernodeKey)]).toEqual([false, true]);
  await expect.poll(() => node.stats().connections).toBe(0);
  for (let i = 0; i < 8; i++) await clock.advance(10_000);
  await expect.poll(() => pool.count).toBe(0);
  await expect.poll(() => second.stats().connections).toBe(0);
});

test("only so much is under way to one peer and to all", async () => {
  const silent = await silentServer();
  const more = await silentServer();
  const pool = poolOf({ maxPendingPerPeer: 2, maxPeerDials: 1 });
  const asked = [1, 2].map(() => pool.ask(silent.ref, GET));
  expect(await pool.ask(silent.ref, GET)).toMatchObject({ code: "server-busy" });
  expect(await pool.ask(more.ref, GET)).toMatchObject({ code: "server-busy" });
  await clock.advance(10_000);
  for (const each of asked) expect(await each).toMatchObject({ code: "unknown-supernode" });
});

test("a peer that was started anew is asked again, on a new stream", async () => {
  const pool = poolOf();
  const home = temporaryHome();
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const first = await network.startSupernode({ home });
  expect(await pool.ask(refOf(first), GET)).toMatchObject(NOTHING);
  await first.stop();
  // Not waiting for the DHT, which asks a node that has just gone for seconds.
  const back = await network.start({ home, role: "dedicated", edge: "open" });
  expect(back.supernodeKey).toEqual(first.supernodeKey);
  expect(await pool.ask(refOf(back), GET)).toMatchObject(NOTHING);
});

test("a peer gets one hop, and nothing that is a client's", async () => {
  const second = await network.startSupernode();
  const { seed, descriptor } = identity();
  const networkId = networkIdOf(node.network?.config.key ?? new Uint8Array());
  const { session } = await openSession({ dialer: dialerOf(), clock, networkId }, refOf(node));
  closing.push(() => session.close());
  expect(await session.peerHello(descriptor, testRandom.bytes(32))).toMatchObject({ code: "bad-signature" });
  expect(await session.peerHello(descriptor, seed)).toMatchObject({ ok: true });
  expect(await session.peerHello(descriptor, seed)).toMatchObject({ code: "not-allowed" });
  const deliver = { type: "deliver", to: refOf(second), sealedHop: new Uint8Array(300) } as const;
  expect(await session.request(deliver)).toMatchObject({ code: "unknown-supernode" });
  expect(await session.request({ ...GET, at: refOf(second) })).toMatchObject({ code: "unknown-supernode" });
  expect(await session.request({ type: "list-supernodes" })).toMatchObject({ code: "not-allowed" });
  expect(await session.request({ type: "ping" })).toMatchObject({ ok: true });
  // Nobody has reached it under its key: it has a client's share of refusals.
  for (let i = 0; i < 150 && !session.closed; i++)
    await session.request({ ...deliver, to: refOf(node) }).catch(() => undefined);
  expect(session.closed).toBe(true);
});
