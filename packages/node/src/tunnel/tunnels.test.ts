import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import {
  accept,
  decodeServerFrame,
  encodeFrame,
  EDGE_SUBPROTOCOL,
  EDGE_TOKEN_SUBPROTOCOL_PREFIX,
  toHex,
  unwrap,
} from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { accepted, openSocket, randomEnvelope, TestClient, TestMailbox, testRandom } from "../testing/test-client.ts";
import type { TestNode } from "../testing/test-node.ts";
import { startTestNode } from "../testing/test-node.ts";
import { TestNetwork } from "../testing/test-network.ts";
import type { PausableStream } from "../edge/edge-stream.ts";
import { Tunnels } from "./tunnels.ts";

let network: TestNetwork;
let far: TestNode;
let own: TestNode;
beforeEach(async () => {
  network = new TestNetwork();
  far = await network.startSupernode();
  own = await network.start({ edge: "token", limits: { maxTunnels: 3 } });
});
afterEach(() => network.stop());

function tunnelTo(target: TestNode, over: "url" | "dht", through = own): { edgeUrl: string; token: string } {
  const dht = over === "dht" ? (target.network?.backbone.address() ?? "") : "";
  const query = new URLSearchParams({ dht, url: over === "url" ? target.edgeUrl : "" });
  const path = `/tunnel/${toHex(target.supernodeKey)}?${query}`;
  return { edgeUrl: through.edgeUrl.replace("/edge", path), token: through.token };
}

test.each(["url", "dht"] as const)(
  "through its own node a client opens a mailbox at a supernode, over its %s",
  async (over) => {
    const owner = await TestClient.connect(tunnelTo(far, over));
    expect(owner.session.welcome?.supernodeKey).toEqual(far.supernodeKey);
    const mailbox = new TestMailbox();
    accepted(await mailbox.open(owner));
    accepted(await mailbox.registerContact(owner));
    const sender = await TestClient.connect(far);
    const envelope = randomEnvelope(8192);
    accepted(await mailbox.deliver(sender, envelope));
    expect((await owner.next("envelope")).envelope).toEqual(envelope);
    expect(own.network?.tunnels?.count).toBe(1);
    owner.close();
    await expect.poll(() => own.network?.tunnels?.count).toBe(0);
    await expect.poll(() => far.stats().connections).toBe(1);
  },
);

test("a supernode that stops ends its tunnels, and it is told why", async () => {
  const client = await TestClient.connect(tunnelTo(far, "dht"));
  void far.stop();
  await client.next("drain");
  await client.next("closed");
});

test("who is not allowed in, or asks for what is no supernode, is told so", async () => {
  const { edgeUrl, token } = tunnelTo(far, "url");
  const status = (url: string, with_: string | null = token) =>
    openSocket({ edgeUrl: url, token }, { token: with_ }).then(
      () => 101,
      (error: { status?: number }) => error.status,
    );
  expect(await status(edgeUrl, null)).toBe(401);
  expect(await status(edgeUrl, "wrong")).toBe(401);
  expect(await status(edgeUrl.replace(/tunnel\/../, "tunnel/"))).toBe(404);
  expect(await status(edgeUrl.replace("url=ws", "url=http"))).toBe(404);
  expect(await status(edgeUrl.replace("127.0.77.1", "127.0.77.9"))).toBe(101); // found by its key
  const stranger = toHex(testRandom.bytes(32));
  expect(await status(edgeUrl.replace(toHex(far.supernodeKey), stranger))).toBe(502);
  const origin = new WebSocket(edgeUrl, [EDGE_SUBPROTOCOL, EDGE_TOKEN_SUBPROTOCOL_PREFIX + token], {
    origin: "https://evil.example",
  });
  const [error] = (await once(origin, "error")) as [Error];
  expect(error.message).toContain("403");
}, 20_000);

test.each(["url", "dht"] as const)(
  "through the tunnel a supernode that sheds, over its %s, says when to come back, and is not asked twice",
  async (over) => {
    const busy = await network.startSupernode({ limits: { handshakes: { perSecond: 0.01, burst: 2 } } });
    const { edgeUrl, token } = tunnelTo(busy, over);
    const first = await TestClient.connect({ edgeUrl, token }); // proves that it is a supernode, and is in
    const before = busy.stats().refusals;
    const link = new WebSocket(edgeUrl, [EDGE_SUBPROTOCOL, EDGE_TOKEN_SUBPROTOCOL_PREFIX + token]);
    await once(link, "open");
    // As in a client that begins to listen only after its connection has opened.
    await new Promise((resolve) => setImmediate(resolve));
    link.send(encodeFrame({ type: "hello", versions: [1], clientNonce: new Uint8Array(32), requestId: 1 }));
    const [message] = (await once(link, "message")) as [Buffer];
    expect(decodeServerFrame(message)).toMatchObject({ value: { type: "error", requestId: 0, code: "server-busy" } });
    const frame = unwrap(decodeServerFrame(message)) as { retryAfterMs: number };
    expect(frame.retryAfterMs).toBeGreaterThan(1_000);
    await once(link, "close");
    expect(before).toEqual([]);
    expect(busy.stats().refusals).toEqual([["server-busy", 1]]);
    expect(first.session.closed).toBe(false);
    await expect.poll(() => own.network?.tunnels?.count).toBe(1);
  },
);

test("only so many at once", async () => {
  const clients = [1, 2, 3].map(() => TestClient.connect(tunnelTo(far, "url")));
  await Promise.all(clients);
  await expect(openSocket(tunnelTo(far, "url"))).rejects.toMatchObject({ status: 503 });
});

test("what answers there but is no supernode is not piped to", async () => {
  const alone = await startTestNode();
  await expect(openSocket(tunnelTo(alone, "url"))).rejects.toMatchObject({ status: 502 });
  await expect(openSocket(tunnelTo(far, "url", alone))).rejects.toMatchObject({ status: 404 });
  await alone.stop();
}, 20_000);

test("one that is not found dead at once is told in frames, and holds up no other tunnel", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const nobody = { ...far, supernodeKey: testRandom.bytes(32), edgeUrl: `ws://127.0.0.1:${port}/edge` };
  const { edgeUrl, token } = tunnelTo(nobody, "url");
  const link = new WebSocket(edgeUrl, [EDGE_SUBPROTOCOL, EDGE_TOKEN_SUBPROTOCOL_PREFIX + token]);
  let isToldYet = false;
  const told = once(link, "message").then(([message]) => {
    isToldYet = true;
    return decodeServerFrame(message as Buffer);
  });
  // The handshake is over while the supernode is still being dialled: a browser opens the next tunnel after it.
  await once(link, "open");
  link.send(encodeFrame({ type: "hello", versions: [1], clientNonce: new Uint8Array(32), requestId: 1 }));
  const other = await TestClient.connect(tunnelTo(far, "url"));
  expect([isToldYet, other.session.closed]).toEqual([false, false]);
  expect(await told).toMatchObject({ value: { type: "error", requestId: 0, code: "unknown-supernode" } });
  await once(link, "close");
  expect(own.network?.tunnels?.count).toBe(1);
  silent.close();
}, 20_000);

test("one that is being opened does not outlive the node: neither its client's end nor the supernode's", async () => {
  const socket = new PassThrough();
  let terminated = 0;
  let onReached = (_: PausableStream): void => {};
  const yes = () => true;
  const tunnels = new Tunnels({
    access: { isHostAllowed: yes, isOriginAllowed: yes, asksForEdge: yes, hasProtocolToken: yes } as never,
    clock: new VirtualClock(),
    maxTunnels: 1,
    waiting: { upgraded: () => {} } as never,
    prove: async (ref) => accept(ref),
    dial: () => new Promise((resolve) => (onReached = resolve)),
    onOutcome: () => {},
  });
  const url = `/tunnel/${toHex(far.supernodeKey)}?dht=127.0.0.1:1`;
  tunnels.handleUpgrade({ url } as never, socket, Buffer.alloc(0));
  await Promise.resolve();
  tunnels.close();
  await expect.poll(() => socket.destroyed).toBe(true);
  onReached({ terminate: () => terminated++ } as never);
  await expect.poll(() => terminated).toBe(1);
});
