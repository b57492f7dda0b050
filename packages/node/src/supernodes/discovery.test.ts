import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  publicKeyOf,
  refuse,
  type RefusalCode,
  signDescriptor,
  SPREAD_LIMITS,
  type SupernodeDescriptor,
  type SupernodeRef,
  x25519PublicKey,
} from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { createSigner, nodeSignatures } from "../crypto.ts";
import { Discovery, type DiscoveryPorts } from "./discovery.ts";
import { loadRemembered, MAX_REMEMBERED_SUPERNODES, saveRemembered } from "./remembered.ts";
import { SupernodeTable } from "./supernode-table.ts";

const networkId = new Uint8Array(8).fill(3);
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function supernode(dht: string, now: number, over: Partial<SupernodeDescriptor> = {}) {
  const seed = randomBytes(32);
  const descriptor: SupernodeDescriptor = {
    networkId,
    supernodeKey: publicKeyOf(seed),
    hopKey: x25519PublicKey(seed),
    dedicated: false,
    servesApp: false,
    relays: false,
    issuedAt: now,
    clients: 0,
    maxClients: 10,
    url: "",
    dht,
    operator: "",
    ...over,
  };
  const bytes = signDescriptor(descriptor, createSigner(seed));
  const ref: SupernodeRef = { supernodeKey: descriptor.supernodeKey, dht, url: "" };
  return { descriptor, bytes, ref };
}
type Supernode = ReturnType<typeof supernode>;

/** Supernodes that answer are those in `alive`; every dial is noted. */
function setUp(over: Partial<DiscoveryPorts> = {}) {
  const clock = new VirtualClock();
  const alive = new Map<string, Supernode>();
  const dialled: string[] = [];
  const refusals: RefusalCode[] = [];
  const table = new SupernodeTable({ ownKey: new Uint8Array(32), limits: SPREAD_LIMITS });
  const ports: DiscoveryPorts = {
    clock,
    random: new SeededRandom(7),
    signatures: nodeSignatures,
    table,
    networkId,
    perNear: 2,
    lookup: async () => [...alive.values()].map(({ ref }) => ({ ...ref, named: 20 })),
    verify: async (ref) => {
      dialled.push(ref.dht);
      const found = alive.get(ref.dht);
      return found ? { ok: true, ...found, roundTripMs: 5 } : refuse("unknown-supernode");
    },
    list: async () => [],
    refused: (code) => refusals.push(code),
    ...over,
  };
  const discovery = new Discovery(ports);
  const add = (dht: string) => {
    const node = supernode(dht, clock.now());
    alive.set(dht, node);
    return node;
  };
  return { clock, alive, dialled, refusals, table, discovery, add };
}

describe("a round", () => {
  test("knows those of the DHT once they have answered, and drops those that no longer do", async () => {
    const { clock, alive, table, discovery, add } = setUp();
    add("198.51.1.1:1");
    add("198.51.2.1:1");
    discovery.start();
    await clock.advance(1);
    expect(table.size).toBe(2);
    alive.delete("198.51.2.1:1");
    await clock.advance(60 * 60_000);
    expect(table.entries().map(({ descriptor }) => descriptor.dht)).toEqual(["198.51.1.1:1"]);
    discovery.stop();
    expect(clock.pending).toBe(0);
  });

  test("asks one that could not be reached whether it is there, not again and again, and forgets it once it is not", async () => {
    const { clock, alive, dialled, table, discovery, add } = setUp();
    const { descriptor } = add("198.51.1.1:1");
    discovery.start();
    await clock.advance(1);
    const before = dialled.length;
    for (let i = 0; i < 100; i++) discovery.doubt(descriptor.supernodeKey);
    await clock.advance(1);
    expect(dialled.length - before).toBe(1);
    expect(table.size).toBe(1);
    alive.delete("198.51.1.1:1");
    for (let seconds = 0; seconds < 130; seconds++) {
      discovery.doubt(descriptor.supernodeKey);
      await clock.advance(1_000);
    }
    expect(table.size).toBe(0);
    discovery.doubt(new Uint8Array(32));
    expect(dialled.length - before).toBeLessThanOrEqual(5);
    discovery.stop();
  });

  test("keeps those that are there and take nobody for now", async () => {
    const { clock, alive, table, discovery, add } = setUp({
      verify: async (ref) => {
        const found = alive.get(ref.dht);
        return found && !isShedding ? { ok: true, ...found, roundTripMs: 5 } : refuse("server-busy");
      },
    });
    let isShedding = false;
    add("198.51.1.1:1");
    discovery.start();
    await clock.advance(1);
    isShedding = true;
    await clock.advance(60 * 60_000);
    expect(table.size).toBe(1);
    discovery.stop();
  });

  test("learns of others from those it knows, and counts what is no good", async () => {
    const clock = new VirtualClock();
    const [known, other] = [supernode("198.51.1.1:1", clock.now()), supernode("198.51.2.1:1", clock.now())];
    const elsewhere = supernode("198.51.3.1:1", clock.now(), { networkId: new Uint8Array(8) });
    const forged = Uint8Array.from(other.bytes);
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
    const { alive, table, discovery, refusals, dialled } = setUp({
      lookup: async () => [{ ...known.ref, named: 20 }],
      list: async () => [other.bytes, elsewhere.bytes, forged, new Uint8Array(5)],
    });
    for (const node of [known, other, elsewhere]) alive.set(node.ref.dht, node);
    await discovery.round();
    await discovery.round();
    expect(table.size).toBe(2);
    expect(refusals.sort()).toEqual(["bad-signature", "not-allowed", "unknown-version"]);
    expect(dialled).not.toContain("198.51.3.1:1");
  });

  test("a thousand announcements cost a bounded number of dials, and hide nobody", async () => {
    const liars = Array.from({ length: 1_000 }, (_, i) => ({
      supernodeKey: new Uint8Array(randomBytes(32)),
      dht: `203.0.113.${i & 255}:${1 + i}`,
      named: 20,
    }));
    const clock = new VirtualClock();
    const honest = supernode("198.51.1.1:1", clock.now());
    const { alive, table, discovery, dialled } = setUp({ lookup: async () => [...liars, { ...honest.ref, named: 1 }] });
    alive.set(honest.ref.dht, honest);
    await discovery.round();
    expect(dialled.length).toBeLessThanOrEqual(3);
    expect(table.has(honest.ref.supernodeKey)).toBe(true);
  });

  test("never more than so many dials, wherever they are said to be", async () => {
    const liars = Array.from({ length: 1_000 }, (_, i) => ({
      supernodeKey: new Uint8Array(randomBytes(32)),
      dht: `198.${i >> 8}.${i & 255}.1:1`,
      named: 1,
    }));
    const { discovery, dialled } = setUp({ lookup: async () => liars });
    await discovery.round();
    expect(dialled).toHaveLength(16);
    await discovery.round();
    expect(new Set(dialled).size).toBe(32);
  });

  test("a member of the DHT that names thousands of its own, wherever it likes, hides nobody whom others name", async () => {
    const madeUp = (i: number) => ({
      supernodeKey: new Uint8Array(randomBytes(32)),
      dht: `198.${i >> 8}.${i & 255}.1:1`,
      named: 3,
    });
    const clock = new VirtualClock();
    const honest = Array.from({ length: 8 }, (_, i) => supernode(`192.0.${i}.1:1`, clock.now()));
    const crowd = () => Array.from({ length: 248 }, (_, i) => madeUp(i));
    const { alive, table, discovery } = setUp({
      lookup: async () => [...crowd(), ...honest.map(({ ref }) => ({ ...ref, named: 17 }))],
    });
    for (const node of honest) alive.set(node.ref.dht, node);
    await discovery.round();
    expect(table.size).toBe(8);
  });

  test("a place that somebody made up for a supernode keeps it out for a round at most", async () => {
    const clock = new VirtualClock();
    const node = supernode("198.51.1.1:1", clock.now());
    const words = ["203.0.113.1:1", "198.51.1.1:1"];
    const { alive, table, discovery } = setUp({
      lookup: async () => [{ ...node.ref, dht: words.shift() ?? "", named: 1 }],
    });
    alive.set(node.ref.dht, node);
    await discovery.round();
    expect(table.size).toBe(0);
    await discovery.round();
    expect(table.size).toBe(1);
  });

  test("a table without a place for it makes nobody dial it again and again", async () => {
    const { clock, discovery, dialled, table, add } = setUp();
    for (const port of [1, 2]) add(`198.51.1.1:${port}`);
    for (let i = 0; i < 5; i++) {
      await discovery.round();
      await clock.advance(1_000);
    }
    expect(table.size).toBe(1);
    expect(dialled).toHaveLength(2);
  });

  test("goes on when the DHT does not answer", async () => {
    const { clock, discovery, table, add } = setUp({ lookup: () => Promise.reject(new Error("no")) });
    const node = add("198.51.1.1:1");
    discovery.start([node.ref]);
    await clock.advance(1);
    expect(table.size).toBe(1);
    discovery.stop();
  });

  test("asks those of the start again, minute by minute, as long as nobody is known: the DHT may never answer", async () => {
    const { clock, alive, discovery, dialled, table } = setUp({ lookup: async () => [] });
    const node = supernode("198.51.1.1:1", clock.now());
    discovery.start([node.ref]);
    await clock.advance(20 * 60_000);
    expect(table.size).toBe(0);
    expect(dialled.length).toBeGreaterThan(15);
    expect(dialled.length).toBeLessThanOrEqual(21);
    const late = supernode("198.51.1.1:1", clock.now());
    alive.set(node.ref.dht, late);
    await clock.advance(70_000);
    expect(table.size).toBe(1);
    const before = dialled.length;
    await clock.advance(600_000);
    expect(dialled.length - before).toBeLessThanOrEqual(1);
    discovery.stop();
  });
});

describe("remembered supernodes", () => {
  const path = () => {
    const folder = mkdtempSync(join(tmpdir(), "earshot-remembered-"));
    folders.push(folder);
    return join(folder, "supernodes.json");
  };
  const refs = (count: number): SupernodeRef[] =>
    Array.from({ length: count }, (_, i) => ({
      supernodeKey: new Uint8Array(randomBytes(32)),
      dht: `198.51.100.${i}:9`,
      url: i % 2 ? "wss://s.example/edge" : "",
    }));

  test("come back from a file that is their owner's alone, as many as are kept", () => {
    const at = path();
    expect(loadRemembered(at, networkId)).toEqual({ supernodes: [], damaged: false });
    const many = refs(80);
    saveRemembered(at, networkId, many);
    expect(statSync(at).mode & 0o777).toBe(0o600);
    expect(loadRemembered(at, networkId)).toEqual({
      supernodes: many.slice(0, MAX_REMEMBERED_SUPERNODES),
      damaged: false,
    });
    expect(loadRemembered(at, new Uint8Array(8))).toEqual({ supernodes: [], damaged: false });
  });

  test("a damaged file is an empty one, and is said to be damaged", () => {
    const at = path();
    saveRemembered(at, networkId, refs(2));
    const good = readFileSync(at, "utf8");
    for (const bad of ["", "{", "[]", "null", '{"network":1}', good.replace("wss://", "file://"), "x".repeat(70_000)]) {
      writeFileSync(at, bad);
      expect(loadRemembered(at, networkId).damaged).toBe(true);
    }
    expect(loadRemembered("/proc/self/mem/x", networkId).supernodes).toEqual([]);
  });
});
