/** Asking supernodes for proof, real ones and some that are none: whatever they do, it costs a bounded time and no more. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { encodeFrame, networkIdOf, publicKeyOf, type SupernodeRef } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { testRandom } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import type { TestNode } from "../testing/test-node.ts";
import { createDialer } from "./dialer.ts";
import { listSupernodes, verifySupernode } from "./verify.ts";

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

function asking() {
  const config = node.network?.config;
  if (!config) throw new Error("no network");
  const connectDht = () => Promise.reject(new Error("over URLs alone"));
  return { dialer: createDialer(config, { clock, connectDht }), clock, networkId: networkIdOf(config.key) };
}
const refOf = (to: TestNode): SupernodeRef => ({ supernodeKey: to.supernodeKey, dht: "", url: to.edgeUrl });

/** Takes every upgrade; `act` with each. */
async function fakeSupernode(act: (socket: WebSocket) => void) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "earshot.edge.1" });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    act(socket);
  });
  await once(server, "listening");
  closing.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ref = { supernodeKey: publicKeyOf(testRandom.bytes(32)), dht: "", url: `ws://127.0.0.1:${port}/edge` };
  return { ref, server };
}
/** On a busy machine. */
const PATIENTLY = { timeout: 10_000 };
/** Lets the virtual time of all time-outs pass while real packets go to and fro. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => {
    done = true;
  });
  await vi.waitFor(async () => {
    await clock.advance(500);
    expect(done).toBe(true);
  }, PATIENTLY);
  return work;
}
const push = () =>
  encodeFrame({ type: "envelope", requestId: 0, mailboxId: new Uint8Array(16), seq: 1, envelope: new Uint8Array(512) });

test("a supernode proves to be one, and where it was found", async () => {
  const proof = await verifySupernode(asking(), refOf(node));
  expect(proof).toMatchObject({ ok: true, observedHost: "127.0.77.1" });
  expect(proof).toMatchObject({ descriptor: { supernodeKey: node.supernodeKey, maxClients: 1_000 } });
});

test("one that answers under another key, serves nobody, or is of another network, is none", async () => {
  const another = { ...refOf(node), supernodeKey: publicKeyOf(testRandom.bytes(32)) };
  expect(await verifySupernode(asking(), another)).toMatchObject({ code: "unknown-supernode" });
  const idle = await network.start({ edge: "open" });
  expect(await verifySupernode(asking(), refOf(idle))).toMatchObject({ code: "not-allowed" });
  const elsewhere = { ...asking(), networkId: new Uint8Array(8).fill(1) };
  expect(await verifySupernode(elsewhere, refOf(node))).toMatchObject({ code: "not-allowed" });
});

test.each([
  ["says nothing", () => {}],
  ["sends garbage", (socket: WebSocket) => socket.send(testRandom.bytes(500))],
  [
    "pours out what nobody asked for",
    (socket: WebSocket) => {
      const frame = push();
      for (let i = 0; i < 5_000; i++) socket.send(frame);
    },
  ],
  ["hangs up", (socket: WebSocket) => socket.terminate()],
] as const)("one that %s is given up in time, hung up on, and hides nobody", async (_, act) => {
  const { ref, server } = await fakeSupernode(act);
  const work = verifySupernode(asking(), ref);
  const listing = listSupernodes(asking(), ref);
  expect(await inTime(work)).toMatchObject({ code: "unknown-supernode" });
  expect(await inTime(listing)).toEqual([]);
  await inTime(vi.waitFor(() => expect(server.clients.size).toBe(0), PATIENTLY));
  expect(await verifySupernode(asking(), refOf(node))).toMatchObject({ ok: true });
});
