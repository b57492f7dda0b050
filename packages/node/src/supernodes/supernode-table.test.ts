import { SPREAD_LIMITS, type SupernodeDescriptor } from "@earshot/core";
import { SeededRandom } from "@earshot/testkit";
import { describe, expect, test } from "vitest";
import { Candidates, MAX_CANDIDATES } from "./candidates.ts";
import { type Proof, SupernodeTable } from "./supernode-table.ts";

const HOUR = 3_600_000;
const NOW = 1_760_000_000_000;

function keyOf(n: number): Uint8Array {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, n);
  return key;
}
function proofOf(n: number, dht: string, over: Partial<SupernodeDescriptor> = {}): Proof {
  const descriptor: SupernodeDescriptor = {
    networkId: new Uint8Array(8),
    supernodeKey: keyOf(n),
    hopKey: keyOf(n),
    dedicated: false,
    servesApp: false,
    relays: false,
    issuedAt: NOW,
    clients: 0,
    maxClients: 100,
    url: "",
    dht,
    operator: "",
    ...over,
  };
  return { descriptor, bytes: Uint8Array.of(n), roundTripMs: 1 };
}
const tableOf = (max?: number) =>
  new SupernodeTable({ ownKey: keyOf(0), limits: SPREAD_LIMITS, ...(max === undefined ? {} : { max }) });

describe("the table", () => {
  test("takes one of an address and two of a neighbourhood, wherever they say that they are", () => {
    const table = tableOf();
    expect(table.add(proofOf(1, "203.0.113.1:1"), NOW)).toBe(true);
    expect(table.add(proofOf(2, "203.0.113.1:2"), NOW)).toBe(false);
    expect(table.add(proofOf(3, "203.0.113.2:1"), NOW)).toBe(true);
    expect(table.add(proofOf(4, "203.0.113.3:1"), NOW)).toBe(false);
    expect(table.add({ ...proofOf(5, "198.51.100.1:1"), observedHost: "203.0.113.9" }, NOW)).toBe(false);
    expect(table.add(proofOf(6, "198.51.100.1:1"), NOW)).toBe(true);
    expect(table.size).toBe(3);
  });

  test("knows at which addresses they were really found, for as long as they are known", () => {
    const table = tableOf();
    table.add({ ...proofOf(1, "203.0.113.1:1"), observedHost: "198.51.100.7" }, NOW);
    expect([table.isAt("198.51.100.7"), table.isAt("::ffff:198.51.100.7")]).toEqual([true, true]);
    expect([table.isAt("203.0.113.1"), table.isAt("198.51.100.8")]).toEqual([false, false]);
    table.add({ ...proofOf(1, "203.0.113.1:1"), observedHost: "198.51.100.8" }, NOW);
    expect([table.isAt("198.51.100.7"), table.isAt("198.51.100.8")]).toEqual([false, true]);
    for (let i = 0; i < 3; i++) table.failed(keyOf(1));
    expect(table.isAt("198.51.100.8")).toBe(false);
  });

  test("gives the HyperDHT nodes of those found where they say that it is, while their dials go well", () => {
    const table = tableOf();
    const found = (n: number, dht: string, observedHost: string) => ({ ...proofOf(n, dht), observedHost });
    table.add(found(1, "203.0.113.1:49737", "::ffff:203.0.113.1"), NOW);
    table.add(found(2, "192.0.2.66:49737", "198.51.100.2"), NOW); // names somebody else's
    table.add(proofOf(3, "198.18.0.3:1"), NOW); // found nowhere
    table.add(found(4, "", "198.19.0.4"), NOW);
    const proven = table.provenDht();
    expect(proven).toEqual([{ host: "203.0.113.1", port: 49_737 }]);
    expect(table.provenDht()).toBe(proven);
    table.failed(keyOf(1));
    expect(table.provenDht()).toEqual([]);
    table.add(found(1, "203.0.113.1:49738", "203.0.113.1"), NOW);
    expect(table.provenDht()).toEqual([{ host: "203.0.113.1", port: 49_738 }]);
    table.sweep(NOW + 4 * HOUR);
    expect(table.provenDht()).toEqual([]);
  });

  test("is bounded, and never holds its own node", () => {
    const table = tableOf(2);
    expect(table.add(proofOf(0, "192.0.2.1:1"), NOW)).toBe(false);
    for (let n = 1; n <= 5; n++) table.add(proofOf(n, `198.51.${n}.1:1`), NOW);
    expect(table.size).toBe(2);
  });

  test("who fails three times in a row leaves, and its place is free again", () => {
    const table = tableOf();
    table.add(proofOf(1, "203.0.113.1:1"), NOW);
    expect([table.failed(keyOf(1)), table.failed(keyOf(1))]).toEqual([false, false]);
    table.add(proofOf(1, "203.0.113.1:1"), NOW);
    expect([table.failed(keyOf(1)), table.failed(keyOf(1)), table.failed(keyOf(1))]).toEqual([false, false, true]);
    expect(table.has(keyOf(1))).toBe(false);
    expect(table.add(proofOf(2, "203.0.113.1:1"), NOW)).toBe(true);
    expect(table.failed(keyOf(9))).toBe(false);
  });

  test("a descriptor that has run out is no use, and is let go", () => {
    const table = tableOf();
    expect(table.add(proofOf(1, "203.0.113.1:1", { issuedAt: NOW - 3 * HOUR }), NOW)).toBe(false);
    table.add(proofOf(2, "203.0.113.1:1"), NOW);
    expect(table.sweep(NOW + 3 * HOUR - 1)).toBe(0);
    expect(table.sweep(NOW + 3 * HOUR)).toBe(1);
    expect(table.size).toBe(0);
  });

  test("tells of the newest proofs first, and asks the oldest again", () => {
    const table = tableOf();
    for (let n = 1; n <= 4; n++) table.add(proofOf(n, `198.51.${n}.1:1`), NOW + n);
    expect(table.descriptors(2)).toEqual([Uint8Array.of(4), Uint8Array.of(3)]);
    expect(table.due(NOW + 3, 5).map(({ bytes }) => bytes[0])).toEqual([1, 2]);
    table.failed(keyOf(4));
    expect(table.due(NOW, 5).map(({ bytes }) => bytes[0])).toEqual([4]);
    table.add(proofOf(1, "198.51.1.1:1"), NOW + 9);
    expect(table.descriptors(1)).toEqual([Uint8Array.of(1)]);
    expect(table.refOf(keyOf(1))).toEqual({ supernodeKey: keyOf(1), dht: "198.51.1.1:1", url: "" });
  });
});

describe("candidates", () => {
  const ref = (n: number, dht: string) => ({ supernodeKey: keyOf(n), dht, url: "" });

  test("a thousand of one neighbourhood are asked two at a time, and hide nobody else", () => {
    const candidates = new Candidates({ perNear: 2, random: new SeededRandom(1) });
    candidates.add(ref(1, "198.51.100.1:1"), NOW);
    candidates.add(ref(2, "192.0.2.1:1"), NOW);
    for (let n = 3; n < 1_000; n++) candidates.add(ref(n, `203.0.113.${n & 255}:${n}`), NOW);
    const taken = candidates.take(16);
    expect(taken).toHaveLength(4);
    expect(taken.map(({ dht }) => dht)).toEqual(expect.arrayContaining(["198.51.100.1:1", "192.0.2.1:1"]));
  });

  test("those without any address share one neighbourhood", () => {
    const candidates = new Candidates({ perNear: 2, random: new SeededRandom(1) });
    for (let n = 1; n < 100; n++) candidates.add(ref(n, ""), NOW);
    expect(candidates.take(16)).toHaveLength(2);
  });

  test("those whom many name are asked at once, though a thousand others are named everywhere", () => {
    const candidates = new Candidates({ perNear: 2, random: new SeededRandom(1) });
    for (let n = 1; n < 1_000; n++) candidates.add(ref(n, `198.${n >> 8}.${n & 255}.1:1`), NOW, 1);
    for (let n = 1_000; n < 1_008; n++) candidates.add(ref(n, `192.0.${n & 255}.1:1`), NOW, 11);
    const taken = candidates.take(16);
    expect(taken).toHaveLength(16);
    expect(taken.filter(({ dht }) => dht.startsWith("192.0."))).toHaveLength(8);
  });

  test("a wrong place that a liar gives for somebody keeps nobody from asking at the right one", () => {
    const candidates = new Candidates({ perNear: 2, random: new SeededRandom(1) });
    candidates.failed(ref(1, "203.0.113.9:9"), NOW);
    candidates.add(ref(1, "203.0.113.9:9"), NOW);
    expect(candidates.size).toBe(0);
    candidates.add(ref(1, "192.0.2.1:1"), NOW);
    expect(candidates.take(16)).toEqual([ref(1, "192.0.2.1:1")]);
  });

  test("that the DHT knows no URL makes none forgotten", () => {
    const candidates = new Candidates({ perNear: 2, random: new SeededRandom(1) });
    const signed = { ...ref(1, ""), url: "wss://s.example/edge" };
    candidates.add(signed, NOW);
    candidates.add(ref(1, "192.0.2.1:1"), NOW);
    expect(candidates.take(16)).toEqual([{ ...signed, dht: "192.0.2.1:1" }]);
  });

  test("are bounded, and those that failed wait longer each time", () => {
    const candidates = new Candidates({ perNear: Number.POSITIVE_INFINITY, random: new SeededRandom(1) });
    for (let n = 0; n < 2 * MAX_CANDIDATES; n++) candidates.add(ref(n, `198.51.${n & 255}.1:1`), NOW);
    expect(candidates.size).toBe(MAX_CANDIDATES);
    candidates.take(MAX_CANDIDATES);
    candidates.failed(ref(1, ""), NOW);
    candidates.add(ref(1, ""), NOW + 59_999);
    expect(candidates.size).toBe(0);
    candidates.add(ref(1, ""), NOW + 60_000);
    expect(candidates.take(9)).toHaveLength(1);
    candidates.failed(ref(1, ""), NOW + 60_000);
    candidates.add(ref(1, ""), NOW + 120_000);
    expect(candidates.size).toBe(0);
    candidates.succeeded(ref(1, ""));
    candidates.add(ref(1, ""), NOW + 120_000);
    expect(candidates.size).toBe(1);
  });
});
