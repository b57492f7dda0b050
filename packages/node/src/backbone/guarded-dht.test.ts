import { randomBytes } from "node:crypto";
import { blindKeyPair, type RefusalCode, signRecord } from "@earshot/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startTestNetwork, type TestBackbone } from "../testing/test-backbone.ts";
import { type BackboneLimits, DEFAULT_BACKBONE_LIMITS } from "./backbone-limits.ts";
import { DhtGuard } from "./dht-guard.ts";
import { GuardedDht } from "./guarded-dht.ts";
import { type Address, DHT_COMMANDS, encodeMessage, HyperDHT, messages, NOT_KEPT } from "./hyperdht.ts";
import { PrefixQuota } from "./prefix-quota.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function network(count: number, options: Parameters<typeof startTestNetwork>[1] = {}) {
  const net = await startTestNetwork(count, options);
  stops.push(net.stop);
  return net.nodes as [TestBackbone, ...TestBackbone[]];
}
function addressOf({ backbone }: TestBackbone): Address {
  const [host = "", port] = backbone.address().split(":");
  return { host, port: Number(port) };
}
function plainDht(options: ConstructorParameters<typeof HyperDHT>[0]): HyperDHT {
  const dht = new HyperDHT({ host: "127.0.0.1", port: [0, 0], ephemeral: true, ...options });
  stops.push(() => dht.destroy({ force: true }));
  return dht;
}
function guardOf(limits: Partial<BackboneLimits> = {}, over: { prefixLimits?: boolean; publicOnly?: boolean } = {}) {
  const refusals: RefusalCode[] = [];
  const guard = new DhtGuard({
    limits: { ...DEFAULT_BACKBONE_LIMITS, ...limits },
    prefixLimits: true,
    publicOnly: false,
    now: () => 0,
    refused: (code) => refusals.push(code),
    ...over,
  });
  return { guard, refusals };
}
const nobody = { id: null, prev: null, next: null };

/** Puts as HyperDHT's own clients do, by hand: what is answered, or "silent". */
async function putAt(
  dht: HyperDHT,
  to: Address,
  put: { publicKey: Uint8Array; seq: number; value: Uint8Array; signature: Uint8Array },
) {
  const target = HyperDHT.hash(put.publicKey);
  const asked = await dht.request({ target, command: DHT_COMMANDS.mutableGet, value: Buffer.from([0]) }, to);
  const [publicKey, value, signature] = [put.publicKey, put.value, put.signature].map((bytes) =>
    Buffer.from(bytes),
  ) as [Buffer, Buffer, Buffer];
  const message = encodeMessage(messages.mutablePutRequest, { publicKey, seq: put.seq, value, signature });
  const request = { token: asked.token, target, command: DHT_COMMANDS.mutablePut, value: message };
  return dht.request(request, to, { retry: false }).then(
    ({ error }) => error,
    () => "silent" as const,
  );
}
function owner() {
  const pair = blindKeyPair("public", randomBytes(32), 20_000, 0);
  return (seq: number, size = 1_000) => {
    const value = new Uint8Array(Math.min(size, 1_000)).fill(seq);
    const record = signRecord(pair, seq, value);
    return size > 1_000 ? { ...record, value: new Uint8Array(size) } : record;
  };
}

describe("puts", () => {
  test("forged, too large, rolled back and of a kind that is not kept: refused and counted", async () => {
    const [node] = await network(1);
    const dht = plainDht({ bootstrap: [addressOf(node)] });
    const to = addressOf(node);
    const record = owner();
    expect(await putAt(dht, to, record(5))).toBe(0);
    expect(await putAt(dht, to, record(4))).toBe(17);
    expect(await putAt(dht, to, { ...record(5, 999), seq: 5 })).toBe(16);
    expect(await putAt(dht, to, { ...record(6), signature: new Uint8Array(64) })).toBe("silent");
    expect(await putAt(dht, to, record(6, 1_001))).toBe(NOT_KEPT);
    const immutable = Buffer.from("anybody's free storage");
    const answer = await dht.request(
      { target: HyperDHT.hash(immutable), command: DHT_COMMANDS.immutablePut, value: immutable },
      to,
    );
    expect(answer.error).toBe(1);
    expect(node.refusals).toEqual(["rolled-back", "rolled-back", "bad-signature", "too-large", "not-allowed"]);
    expect(node.backbone.stats.records).toBe(1);
    expect(await node.backbone.getRecord(record(1).publicKey)).toMatchObject({ seq: 5 });
  });

  test("bytes that are nothing are counted, and nobody falls over", async () => {
    const [node] = await network(1);
    const to = addressOf(node);
    const dht = plainDht({ bootstrap: [to] });
    const target = randomBytes(32);
    for (const command of Object.values(DHT_COMMANDS)) {
      for (const value of [null, Buffer.alloc(0), randomBytes(3), randomBytes(300)])
        void dht.request({ target, command, value }, to, { retry: false }).catch(() => {});
    }
    await vi.waitFor(() => expect(node.refusals.filter((code) => code === "bad-frame").length).toBeGreaterThan(8));
    expect(await putAt(dht, to, owner()(1))).toBe(0);
  });

  test("a prefix has so many, however many names it makes up; renewing is free", async () => {
    const [node] = await network(1, { prefixLimits: true, limits: { maxDhtRecordsPerPrefix: 3 } });
    const to = addressOf(node);
    const dht = plainDht({ bootstrap: [to] });
    const records = Array.from({ length: 5 }, owner);
    const outcomes = [];
    for (const record of records) outcomes.push(await putAt(dht, to, record(1)));
    expect(outcomes).toEqual([0, 0, 0, NOT_KEPT, NOT_KEPT]);
    expect(await putAt(dht, to, (records[0] as (typeof records)[0])(2))).toBe(0);
    expect(node.refusals).toEqual(["over-quota", "over-quota"]);
    const elsewhere = plainDht({ bootstrap: [to], host: "127.5.5.5" });
    expect(await putAt(elsewhere, to, owner()(1))).toBe(0);
  });

  test("a supernode that has proved to be one has a quota of its own, and what its neighbours take is not its", async () => {
    const limits = { maxDhtRecordsPerPrefix: 2, maxDhtRecordsPerSupernode: 4 };
    const [node] = await network(1, { prefixLimits: true, limits });
    node.backbone.raiseQuotas((host) => host === "127.5.5.5");
    const to = addressOf(node);
    const putFrom = async (host: string) => {
      const dht = plainDht({ bootstrap: [to], host });
      const outcomes = [];
      for (let i = 0; i < 5; i++) outcomes.push(await putAt(dht, to, owner()(1)));
      return outcomes;
    };
    expect(await putFrom("127.5.5.9")).toEqual([0, 0, NOT_KEPT, NOT_KEPT, NOT_KEPT]);
    expect(await putFrom("127.5.5.5")).toEqual([0, 0, 0, 0, NOT_KEPT]);
  });
});

describe("requests", () => {
  test("above the rate of a prefix are not answered", async () => {
    const [node] = await network(1, {
      prefixLimits: true,
      limits: { dhtRequestsPerPrefix: { perSecond: 1, burst: 20 } },
    });
    const to = addressOf(node);
    const dht = plainDht({ bootstrap: [to] });
    await dht.fullyBootstrapped();
    const ask = () =>
      dht.request({ target: randomBytes(32), command: DHT_COMMANDS.lookup, value: null }, to, { retry: false }).then(
        () => true,
        () => false,
      );
    const answered = await Promise.all(Array.from({ length: 40 }, ask));
    expect(answered.filter(Boolean).length).toBeLessThanOrEqual(21);
    expect(node.refusals).toContain("rate-limited");
  });

  test("handshakes are not relayed to addresses of a local network", () => {
    const { guard, refusals } = guardOf({}, { publicOnly: true });
    const dht = new GuardedDht(guard, { bootstrap: [], host: "127.0.0.1", port: [0, 0] });
    stops.push(() => dht.destroy({ force: true }));
    const relayed: unknown[] = [];
    const value = Buffer.from([1, 0, 1, 9, 10, 0, 0, 1, 5, 5]);
    const request = {
      ...{
        from: { host: "8.8.8.8", port: 1, id: null },
        to: { host: "8.8.4.4", port: 1 },
        token: null,
        internal: false,
      },
      ...{ target: randomBytes(32), command: DHT_COMMANDS.peerHandshake, value },
      reply: (bytes: Buffer | null) => relayed.push(bytes),
      error: () => {},
    };
    expect(dht.onrequest(request)).toBe(true);
    expect(refusals).toEqual(["not-allowed"]);
    expect(relayed).toEqual([]);
    expect(dht._filterNode?.({ host: "192.168.1.1", port: 1 })).toBe(false);
    expect(dht._filterNode?.({ host: "8.8.8.8", port: 1 })).toBe(true);
  });
});

describe("tables", () => {
  test("take one node of an address and two of a neighbourhood", async () => {
    const { guard } = guardOf();
    const dht = new GuardedDht(guard, { bootstrap: [], host: "127.0.0.1", port: [0, 0] });
    stops.push(() => dht.destroy({ force: true }));
    await dht.bind();
    for (let port = 1; port <= 100; port++) dht.addNode({ host: "203.0.113.1", port });
    expect(dht.nodes.length).toBe(1);
    for (let last = 2; last <= 250; last++) dht.addNode({ host: `203.0.113.${last}`, port: 1 });
    expect(dht.nodes.length).toBe(2);
    for (let net = 0; net < 50; net++) dht.addNode({ host: `198.51.${net}.1`, port: 1 });
    expect(dht.nodes.length).toBeGreaterThan(20);
  });

  test("hold no more where fifty real nodes share a neighbourhood, and hold all where that is lifted", async () => {
    const strict = await network(6, { prefixLimits: true });
    for (const { backbone } of strict) expect(backbone.stats.nodes).toBeLessThanOrEqual(2);
    const lifted = await network(6);
    await vi.waitFor(async () => {
      // Who asks is heard of: the one that joined last has to be, too.
      await Promise.all(lifted.map(({ backbone }) => backbone.lookupSupernodes()));
      for (const { backbone } of lifted) expect(backbone.stats.nodes).toBe(5);
    });
  });

  test("a look-up asks no more of a neighbourhood than that, whatever it is told", async () => {
    const { guard } = guardOf();
    const dht = new GuardedDht(guard, { bootstrap: [], host: "127.0.0.1", port: [0, 0] });
    stops.push(() => dht.destroy({ force: true }));
    const query = dht.query({ target: randomBytes(32), command: DHT_COMMANDS.lookup, value: null });
    for (let port = 1; port <= 50; port++)
      query._addPending({ ...nobody, id: randomBytes(32), host: "203.0.113.1", port } as never, null);
    for (let last = 2; last <= 50; last++)
      query._addPending({ ...nobody, id: randomBytes(32), host: `203.0.113.${last}`, port: 1 } as never, null);
    expect(query._seen.size).toBe(2);
    query.destroy();
  });
});

/** dht-rpc's "the node that you told me of is down"; the address as it spells it. */
async function hintDown(from: HyperDHT, to: Address, about: Address): Promise<void> {
  const value = Buffer.alloc(6);
  value.set(about.host.split(".").map(Number));
  value.writeUInt16LE(about.port, 4);
  const { _request } = from as unknown as { _request(...args: unknown[]): unknown };
  await new Promise<void>((resolve, reject) => {
    _request.call(from, to, false, true, 3, null, value, null, () => resolve(), reject);
  });
}

test("members that are said to be down and answer stay in the table; those that do not answer leave", async () => {
  const persistent = { host: "127.0.0.1", port: [0, 0] as const, ephemeral: false, firewalled: false };
  const { guard } = guardOf({}, { prefixLimits: false });
  const dht = new GuardedDht(guard, { ...persistent, bootstrap: [] });
  stops.push(() => dht.destroy({ force: true }));
  await dht.bind();
  const addressAt = ({ io }: HyperDHT) => ({ host: "127.0.0.1", port: io.serverSocket?.address().port ?? 0 });
  const join = () => plainDht({ ...persistent, bootstrap: [addressAt(dht)] });
  const [alive, gone, liar] = [join(), join(), join()];
  await Promise.all([alive, gone, liar].map((each) => each.fullyBootstrapped()));
  await vi.waitFor(() => expect(dht.nodes.length).toBe(3));
  const left: number[] = [];
  dht.on("remove-node", ({ port }: Address) => left.push(port));
  const where = addressAt(gone);
  await gone.destroy({ force: true });
  // It has just been heard of: in that time one that is asked again was lost whatever it answered.
  await hintDown(liar, addressAt(dht), addressAt(alive));
  await hintDown(liar, addressAt(dht), where);
  await vi.waitFor(() => expect(left).toContain(where.port), { timeout: 15_000, interval: 50 });
  expect(left).toEqual([where.port]);
}, 30_000);

describe("announcements", () => {
  test("under a topic a prefix has a few places, and under its own key many", () => {
    const { guard, refusals } = guardOf();
    const announce = (i: number, topic: string | undefined) => {
      const may = guard.mayAnnounce(`name ${i} ${topic}`, "203.0.113.7", topic);
      if (may) guard.announced(`name ${i} ${topic}`, "203.0.113.7", topic);
      return may;
    };
    const places = Array.from({ length: 1_000 }, (_, i) => announce(i, "supernodes")).filter(Boolean);
    expect(places).toHaveLength(DEFAULT_BACKBONE_LIMITS.maxTopicAnnouncesPerPrefix);
    expect(refusals).toHaveLength(996);
    expect(announce(0, undefined)).toBe(true);
    expect(guard.mayAnnounce("other", "198.51.100.1", "supernodes")).toBe(true);
  });

  test("under topics that one address makes up it has no more places than under one, so that they push out no others", () => {
    const { guard, refusals } = guardOf();
    const announce = (i: number, host: string) => {
      const may = guard.mayAnnounce(`name ${i}`, host, `topic ${i}`);
      if (may) guard.announced(`name ${i}`, host, `topic ${i}`);
      return may;
    };
    const places = Array.from({ length: 1_000 }, (_, i) => announce(i, "203.0.113.7")).filter(Boolean);
    expect(places).toHaveLength(DEFAULT_BACKBONE_LIMITS.maxAnnouncesPerPrefix);
    expect(refusals).toHaveLength(1_000 - places.length);
    expect(guard.mayAnnounce("own key", "203.0.113.7", undefined)).toBe(false);
    expect(announce(1_000, "198.51.100.1")).toBe(true);
  });

  test("of a thousand keys of one address under the topic, a few are kept", async () => {
    const [node] = await network(1, { prefixLimits: true });
    const to = addressOf(node);
    const dht = plainDht({ bootstrap: [to], host: "127.9.9.9" });
    const topic = randomBytes(32);
    for (let i = 0; i < 30; i++)
      await dht
        .announce(topic, HyperDHT.keyPair(), [])
        .finished()
        .catch(() => {});
    const found = new Set<string>();
    for await (const { peers } of dht.lookup(topic))
      for (const peer of peers) found.add(peer.publicKey.toString("hex"));
    expect(found.size).toBe(DEFAULT_BACKBONE_LIMITS.maxTopicAnnouncesPerPrefix);
    expect(node.refusals).toContain("over-quota");
  });
});

test("quotas forget what has run out, and hold a bounded number of names", () => {
  const quota = new PrefixQuota({ perPrefix: 2, names: 5, lifetimeMs: 100 });
  quota.take("a", "p", 0);
  quota.take("b", "p", 50);
  expect([quota.hasRoom("c", "p", 99), quota.hasRoom("b", "p", 99), quota.hasRoom("c", "q", 99)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(quota.hasRoom("c", "p", 100)).toBe(true);
  quota.take("b", "q", 120);
  expect(quota.hasRoom("c", "p", 151)).toBe(true);
  for (let i = 0; i < 20; i++) quota.take(`n${i}`, `p${i}`, 160);
  expect(quota.size).toBe(5);
});
