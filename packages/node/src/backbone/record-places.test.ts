/** Records where somebody holds all the places next to their key: they lie at proven supernodes too. */
import { blindKeyPair, signRecord, unwrap } from "@earshot/core";
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { type HostileDht, type Hostility, startHostileDht } from "../testing/hostile-dht.ts";
import { joined, startTestBackbone, startTestNetwork, type TestBackbone } from "../testing/test-backbone.ts";
import type { Backbone } from "./backbone.ts";
import { type Address, DHT_COMMANDS, HyperDHT } from "./hyperdht.ts";
import { createNetworkConfig } from "./network-config.ts";
import { idOf, RECORD_PLACES, RecordPlaces } from "./record-places.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const placesOf = (proven: readonly Address[], prefixLimits = true) =>
  new RecordPlaces({ proven: () => proven, prefixLimits, allows: (host) => !host.startsWith("10.") });
const honest = Array.from({ length: 40 }, (_, i) => ({ host: `198.51.${i}.1`, port: 1_000 + i }));
const nameOf = ({ host, port }: Address) => `${host}:${port}`;

describe("the places of a record", () => {
  test("are the same for all who know the same supernodes, others for each key, and few", () => {
    const target = randomBytes(32);
    const places = placesOf(honest).of(target);
    expect(places).toHaveLength(RECORD_PLACES);
    expect(placesOf(honest.toReversed()).of(target)).toEqual(places);
    // Who lacks one of them has the next in its place, and all others the same.
    const lacking = placesOf(honest.filter((each) => nameOf(each) !== nameOf(places[2] as Address))).of(target);
    expect(lacking.filter((each) => places.some((other) => nameOf(other) === nameOf(each)))).toHaveLength(5);
    const all = new Set(Array.from({ length: 60 }, () => placesOf(honest).of(randomBytes(32)).map(nameOf)).flat());
    expect(all.size).toBeGreaterThan(35);
    expect(placesOf([]).of(target)).toEqual([]);
  });

  test("go to a /24 once, however many ports and addresses it has, and to nobody who may not be asked", () => {
    const crowd = Array.from({ length: 5_000 }, (_, i) => ({ host: `203.0.113.${i % 250}`, port: 1 + i }));
    const all = placesOf([...crowd, ...honest, { host: "10.0.0.1", port: 1 }]);
    let crowded = 0;
    for (let i = 0; i < 300; i++) {
      const places = all.of(randomBytes(32));
      const theirs = places.filter(({ host }) => host.startsWith("203.")).length;
      expect(theirs).toBeLessThan(2);
      expect(places.some(({ host }) => host.startsWith("10."))).toBe(false);
      crowded += theirs;
    }
    // Its share: one of 41 for each of six places, so 44 on average.
    expect(crowded).toBeLessThan(90);
    expect(placesOf(crowd, false).of(randomBytes(32))).toHaveLength(RECORD_PLACES);
  });

  test("fall on all groups alike", () => {
    const counts = new Map<string, number>();
    const places = placesOf(honest);
    for (let i = 0; i < 2_000; i++)
      for (const place of places.of(randomBytes(32))) counts.set(nameOf(place), (counts.get(nameOf(place)) ?? 0) + 1);
    // 300 on average, give or take 16.
    for (const place of honest) expect(Math.abs((counts.get(nameOf(place)) ?? 0) - 300)).toBeLessThan(90);
  });
});

test("ids are HyperDHT's own, so that it knows who has kept silent", async () => {
  const { nodes, stop } = await startTestNetwork(2);
  stops.push(stop);
  const [host = "", port] = (nodes[1] as TestBackbone).backbone.address().split(":");
  const asker = new HyperDHT({ host: "127.0.0.1", port: [0, 0], bootstrap: [] });
  stops.push(() => asker.destroy({ force: true }));
  await asker.bind();
  const target = randomBytes(32);
  const request = { target, command: DHT_COMMANDS.mutableGet, value: Buffer.from([0]) };
  const reply = await asker.request(request, { host, port: Number(port) });
  expect(reply.from.id).toEqual(idOf(host, Number(port)));
});

/** Where an id begins with 111: far from all keys that begin with 0. */
function farPort(host: string): number {
  for (let port = 20_000; ; port++) if ((idOf(host, port)[0] as number) >= 0xe0) return port;
}
/** Four supernodes, and 28 hostile nodes, of which 20 are closer to the owner's key. */
async function eclipsed(hostility: Hostility) {
  let network = createNetworkConfig({ name: "eclipsed", prefixLimits: false });
  const proven: Address[] = [];
  const honest: Backbone[] = [];
  for (let i = 1; i <= 4; i++) {
    const place = { host: `127.75.0.${i}`, port: farPort(`127.75.0.${i}`) };
    const { backbone } = await startTestBackbone({ network, ...place, serving: true });
    stops.push(() => backbone.destroy());
    await joined(backbone);
    proven.push(place);
    honest.push(backbone);
    network = { ...network, bootstrap: proven.slice(0, 1) };
  }
  const hostile: HostileDht[] = [];
  for (let i = 1; i <= 28; i++) hostile.push(await startHostileDht(hostility, `127.76.0.${i}`, proven.slice(0, 1)));
  stops.push(() => Promise.all(hostile.map((dht) => dht.destroy({ force: true }))));
  for (const dht of hostile) dht.accomplices = hostile;
  expect(hostile.filter(({ host, port }) => (idOf(host as string, port)[0] as number) < 0xe0).length).toBeGreaterThan(
    19,
  );
  const owner = ownerNear0();
  /** Keeps nothing for others: what it puts lies at others alone. */
  const asker = async (knows: readonly Address[]) => {
    const { backbone } = await startTestBackbone({ network });
    stops.push(() => backbone.destroy());
    await expect.poll(() => backbone.stats.nodes).toBeGreaterThan(20);
    // Gets to know all that are close.
    for (let i = 0; i < 2; i++) expect(await backbone.getRecord(owner.publicKey)).toBeNull();
    backbone.keepRecordsAt(() => knows);
    return backbone;
  };
  return { proven, asker, kept: () => honest.map(({ stats }) => stats.records), ...owner };
}
function ownerNear0() {
  for (;;) {
    const pair = blindKeyPair("public", randomBytes(32), 20_000, 0);
    if ((HyperDHT.hash(pair.publicKey)[0] as number) >= 0x80) continue;
    const record = (seq: number) => signRecord(pair, seq, new Uint8Array(1_000).fill(seq));
    return { publicKey: pair.publicKey, record };
  }
}

describe("all nodes next to a key are hostile", () => {
  // Packets are lost where a machine is busy, and an honest node is asked where a hostile one was slow.
  test("records are found by those who know supernodes, whoever sits next to the key", {
    timeout: 60_000,
    retry: 2,
  }, async () => {
    const { proven, asker, kept } = await eclipsed("hides");
    const owners = Array.from({ length: 8 }, ownerNear0);
    const [writer, reader] = [await asker([]), await asker([])];
    const found = async () => {
      const seqs: number[] = [];
      for (const { publicKey } of owners) seqs.push((await reader.getRecord(publicKey))?.seq ?? 0);
      return seqs;
    };
    for (const { record } of owners) expect(unwrap(await writer.putRecord(record(1)))).toBeGreaterThan(10); // so they say
    writer.keepRecordsAt(() => proven);
    for (const { record } of owners) unwrap(await writer.putRecord(record(2)));
    for (const count of kept()) expect(count).toBeGreaterThanOrEqual(7);
    // Half of those it knows are others than the writer's.
    const [one, other] = proven as [Address, Address];
    for (const known of [proven, [one, other, { host: "127.0.0.1", port: 9 }]]) {
      reader.keepRecordsAt(() => known);
      expect(await found()).toEqual(Array(8).fill(2));
    }
  });

  test("those that give yesterday's record, all agreeing, do not keep the newest from being heard", async () => {
    const { proven, asker, publicKey, record } = await eclipsed("stale");
    const [writer, reader] = [await asker([]), await asker(proven)];
    unwrap(await writer.putRecord(record(1)));
    writer.keepRecordsAt(() => proven);
    unwrap(await writer.putRecord(record(2)));
    for (let i = 0; i < 5; i++) expect(await reader.getRecord(publicKey)).toMatchObject({ seq: 2 });
  }, 60_000);
});

test("no node is asked twice, and none but the first few where they agree", async () => {
  const { network, stop } = await startTestNetwork(1);
  stops.push(stop);
  const nodes: HostileDht[] = [];
  for (let i = 1; i <= 24; i++) nodes.push(await startHostileDht("crowds", `127.76.1.${i}`, [...network.bootstrap]));
  stops.push(() => Promise.all(nodes.map((dht) => dht.destroy({ force: true }))));
  const { backbone } = await startTestBackbone({ network });
  stops.push(() => backbone.destroy());
  await expect.poll(() => backbone.stats.nodes).toBeGreaterThan(20);
  const proven = nodes.map(({ host, port }) => ({ host: host as string, port }));
  backbone.keepRecordsAt(() => proven);
  const asked = (command: number) =>
    nodes.map((node) => node.asked.splice(0).filter((each) => each === command).length);
  for (let i = 0; i < 10; i++) {
    const pair = blindKeyPair("public", randomBytes(32), 20_000, 0);
    expect(await backbone.getRecord(pair.publicKey)).toBeNull();
    expect(Math.max(...asked(DHT_COMMANDS.mutableGet))).toBe(1);
    await backbone.putRecord(signRecord(pair, 1, new Uint8Array(1_000)));
    const puts = asked(DHT_COMMANDS.mutablePut);
    expect(Math.max(...puts)).toBe(1);
    expect(puts.filter(Boolean).length).toBeGreaterThanOrEqual(19);
    expect(await backbone.getRecord(pair.publicKey)).toMatchObject({ seq: 1 });
    expect(asked(DHT_COMMANDS.mutableGet).filter(Boolean).length).toBeLessThan(16);
  }
}, 60_000);
