import { randomBytes } from "node:crypto";
import { MAX_FRAME_BYTES, publicKeyOf } from "@earshot/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startTestBackbone, startTestNetwork, type TestBackbone } from "../testing/test-backbone.ts";
import type { DhtStream } from "./dht-stream.ts";
import { HyperDHT, type SecretStream } from "./hyperdht.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function network(count: number, options: Parameters<typeof startTestNetwork>[1] = {}) {
  const net = await startTestNetwork(count, options);
  stops.push(net.stop);
  return net;
}
const keyOf = ({ options }: TestBackbone) => publicKeyOf(options.supernodeSeed);

/** Takes streams, sends back every message, and notes them. */
async function echo(node: TestBackbone) {
  const streams: DhtStream[] = [];
  const closed: boolean[] = [];
  await node.backbone.listen((stream) => {
    streams.push(stream);
    stream.start({ onMessage: (message) => stream.send(message), onClose: (broken) => closed.push(broken) });
  });
  return { streams, closed };
}
/** What came, and how it ended. */
function follow(stream: DhtStream) {
  const messages: Uint8Array[] = [];
  const ends: boolean[] = [];
  stream.start({ onMessage: (message) => messages.push(message), onClose: (broken) => ends.push(broken) });
  return { messages, ends };
}
/** A stranger with HyperDHT and without manners: no gate unless it sends one. */
function stranger(node: TestBackbone): SecretStream {
  const [host = "", port] = node.backbone.address().split(":");
  const address = { host, port: Number(port) };
  const dht = new HyperDHT({ bootstrap: [address], host: "127.0.0.1", port: [0, 0], ephemeral: true });
  stops.push(() => dht.destroy({ force: true }));
  const stream = dht.connect(Buffer.from(keyOf(node)), { relayAddresses: [address] });
  stream.on("error", () => {});
  stream.on("data", () => {});
  return stream;
}

describe("a stream", () => {
  test("carries whole messages both ways, with the hint and without", async () => {
    const { nodes } = await network(4);
    const [supernode, asker] = nodes as [TestBackbone, TestBackbone];
    const { streams } = await echo(supernode);
    for (const hint of [supernode.backbone.address(), ""]) {
      const stream = await asker.backbone.connect(keyOf(supernode), hint);
      const { messages } = follow(stream);
      const sent = [1, 2_000, MAX_FRAME_BYTES, 7].map((size) => new Uint8Array(randomBytes(size)));
      for (const message of sent) stream.send(message);
      await vi.waitFor(() => expect(messages).toHaveLength(4));
      expect(messages.map((message) => Buffer.from(message).toString("hex"))).toEqual(
        sent.map((message) => Buffer.from(message).toString("hex")),
      );
      expect(stream.remoteHost).toBe("127.77.0.1");
      stream.end();
    }
    // Nothing shows that the two were of one party.
    const [first, second] = streams;
    expect(first?.remoteKey).not.toEqual(second?.remoteKey);
    expect(first?.remoteKey).not.toEqual(keyOf(asker));
  });

  test("closes on both sides, once, whoever hangs up", async () => {
    const { nodes } = await network(2);
    const [supernode, asker] = nodes as [TestBackbone, TestBackbone];
    const { streams, closed } = await echo(supernode);
    const one = await asker.backbone.connect(keyOf(supernode), supernode.backbone.address());
    const { ends } = follow(one);
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    one.end();
    await vi.waitFor(() => expect([closed, ends]).toEqual([[false], [false]]));
    const two = await asker.backbone.connect(keyOf(supernode), supernode.backbone.address());
    const followed = follow(two);
    await vi.waitFor(() => expect(streams).toHaveLength(2));
    streams[1]?.destroy();
    await vi.waitFor(() => expect(followed.ends).toHaveLength(1));
    expect(supernode.backbone.stats.streams).toBe(0);
    two.send(Uint8Array.of(1));
    expect(two.bufferedBytes).toBe(0);
  });

  test("tells what the peer has not taken yet, and when it has", async () => {
    const { nodes } = await network(2);
    const [supernode, asker] = nodes as [TestBackbone, TestBackbone];
    await echo(supernode);
    const stream = await asker.backbone.connect(keyOf(supernode), supernode.backbone.address());
    const { messages } = follow(stream);
    for (let i = 0; i < 50; i++) stream.send(new Uint8Array(10_000));
    expect(stream.bufferedBytes).toBeGreaterThanOrEqual(500_000);
    await new Promise<void>((resolve) => stream.onceDrained(resolve));
    await vi.waitFor(() => expect(stream.bufferedBytes).toBe(0));
    await vi.waitFor(() => expect(messages).toHaveLength(50));
    for (let i = 0; i < 50; i++) stream.send(new Uint8Array(10_000));
    const drained = new Promise<void>((resolve) => stream.onceDrained(resolve));
    stream.destroy();
    await drained;
  });

  test("to a key that nobody listens to, or given up, is refused in time", async () => {
    const { nodes } = await network(2, { limits: { connectDeadlineMs: 1_500 } });
    const [supernode, asker] = nodes as [TestBackbone, TestBackbone];
    const dial = asker.backbone.connect(keyOf(supernode), supernode.backbone.address());
    await expect(dial).rejects.toMatchObject({ code: "unreachable" });
    const abort = new AbortController();
    const given = asker.backbone.connect(keyOf(supernode), "127.88.0.1:9", { signal: abort.signal });
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: "aborted" });
    expect(await asker.backbone.dialBack(keyOf(supernode), supernode.backbone.address())).toBe(false);
    await echo(supernode);
    expect(await asker.backbone.dialBack(keyOf(supernode), supernode.backbone.address())).toBe(true);
  });
});

// A dial gives up after some seconds, which a busy machine may take.
test("who says that its handshakes come from all over takes no others' places", {
  retry: 1,
  timeout: 30_000,
}, async () => {
  const limits = {
    dhtHandshakes: { perSecond: 0.001, burst: 20 },
    dhtHandshakesPerSender: { perSecond: 0.001, burst: 10 },
  };
  const { nodes } = await network(2, { limits, prefixLimits: true });
  const [supernode, asker] = nodes as [TestBackbone, TestBackbone];
  await echo(supernode);
  const [host = "", port] = supernode.backbone.address().split(":");
  const address = { host, port: Number(port) };
  const dht = new HyperDHT({ bootstrap: [address], host: "127.5.5.5", port: [0, 0], ephemeral: true });
  stops.push(() => dht.destroy({ force: true }));
  type Handshake = (target: Buffer, options: object, to: object) => Promise<unknown>;
  const { _router: router } = dht as unknown as { _router: { peerHandshake: Handshake } };
  const honest = router.peerHandshake.bind(router);
  let sent = 0;
  router.peerHandshake = (target, options, to) =>
    honest(target, { ...options, peerAddress: { host: `10.0.${sent++}.1`, port: 1 } }, to);
  const streams = Array.from({ length: 30 }, () =>
    dht.connect(Buffer.from(keyOf(supernode)), { relayAddresses: [address] }),
  );
  for (const stream of streams) stream.on("error", () => {});
  await vi.waitFor(() => expect(sent).toBeGreaterThanOrEqual(30));
  await vi.waitFor(() => expect(supernode.refusals).toContain("rate-limited"));
  const stream = await asker.backbone.connect(keyOf(supernode), supernode.backbone.address());
  const { messages } = follow(stream);
  stream.send(Uint8Array.of(7));
  await vi.waitFor(() => expect(messages).toHaveLength(1));
  for (const each of streams) each.destroy();
});

describe("the gate", () => {
  test("keeps another network's members out, and is counted", async () => {
    const { nodes, network: config } = await network(2);
    const [supernode] = nodes as [TestBackbone];
    const { streams } = await echo(supernode);
    const other = await startTestBackbone({ network: { ...config, key: new Uint8Array(32).fill(1) } });
    stops.push(() => other.backbone.destroy());
    const stream = await other.backbone.connect(keyOf(supernode), supernode.backbone.address());
    const { ends } = follow(stream);
    await vi.waitFor(() => expect(ends).toHaveLength(1));
    expect(streams).toEqual([]);
    expect(supernode.refusals).toContain("not-allowed");
  });

  test("whoever says nothing is let go", async () => {
    const { nodes } = await network(1, { limits: { gateTimeoutMs: 200 } });
    const [supernode] = nodes as [TestBackbone];
    const { streams } = await echo(supernode);
    const silent = stranger(supernode);
    await vi.waitFor(() => expect(supernode.backbone.stats.streams).toBe(1));
    await vi.waitFor(() => expect(silent.destroyed).toBe(true), { timeout: 5_000 });
    expect(supernode.backbone.stats.streams).toBe(0);
    expect(streams).toEqual([]);
  });

  test("a message that is said to be huge ends the stream before it is there", async () => {
    const { nodes } = await network(1);
    const [supernode] = nodes as [TestBackbone];
    await echo(supernode);
    const hostile = stranger(supernode);
    await hostile.opened;
    await vi.waitFor(() => expect(supernode.backbone.stats.streams).toBe(1));
    const before = process.memoryUsage().arrayBuffers;
    // A length of 16 MiB - 1, and no message.
    const raw = hostile.rawStream as unknown as { write(bytes: Buffer): void };
    raw.write(Buffer.from([0xff, 0xff, 0xff]));
    await vi.waitFor(() => expect(supernode.backbone.stats.streams).toBe(0));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1_024 * 1_024);
  });

  test("more streams than are allowed are refused before they take memory", async () => {
    const { nodes } = await network(1, { limits: { maxDhtStreams: 3 } });
    const [supernode] = nodes as [TestBackbone];
    await echo(supernode);
    for (let i = 0; i < 3; i++) await stranger(supernode).opened;
    await vi.waitFor(() => expect(supernode.backbone.stats.streams).toBe(3));
    stranger(supernode);
    await vi.waitFor(() => expect(supernode.refusals).toContain("too-many"));
    expect(supernode.backbone.stats.streams).toBe(3);
  });
});
