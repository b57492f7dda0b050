/** Records through scouts of which one lies: what it hides, drops, delays or serves from before must not matter. */
import {
  bundleHash,
  type EdgeRequest,
  type MutableRecord,
  nobleBackend,
  publicKeyOf,
  refuse,
  toHex,
} from "@earshot/core";
import { SeededRandom, settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { SignedAhead } from "../account/signed-ahead.ts";
import type { Storage } from "../api.ts";
import { openIdentity } from "../identity/open-identity.ts";
import { Prekeys } from "../identity/prekeys.ts";
import { memoryStorage } from "../memory-storage.ts";
import { Directory } from "./directory.ts";
import { LastGoodRecords } from "./last-good.ts";
import { Publisher, REPUBLISH_MS } from "./publisher.ts";
import { GIVE_UP_MS } from "./directory.ts";
import { READ_BACK_MS, RecordWriter } from "./record-writer.ts";
import { HEDGE_MS, SLOW_MS } from "./record-search.ts";
import type { ScoutFault, ScoutLink, Scouts } from "./scouts.ts";

/** What lies in the DHT and at homes: one world, which every honest scout sees. */
class World {
  readonly records = new Map<string, MutableRecord>();
  readonly bundles = new Map<string, Uint8Array>();

  answer(request: EdgeRequest): unknown {
    switch (request.type) {
      case "put-bundle":
        this.bundles.set(toHex(bundleHash(request.bundle)), request.bundle);
        return { ok: true, value: { type: "ok" } };
      case "get-bundle":
        return { ok: true, value: { bundle: this.bundles.get(toHex(request.hash)) ?? null } };
      case "put-record": {
        const key = toHex(request.record.publicKey);
        if ((this.records.get(key)?.seq ?? -1) > request.record.seq) return refuse("rolled-back");
        this.records.set(key, request.record);
        return { ok: true, value: { type: "ok" } };
      }
      case "get-record":
        return { ok: true, value: { record: this.records.get(toHex(request.publicKey)) ?? null } };
      default:
        throw new Error(`no scout does ${request.type} here`);
    }
  }
}

type Behaviour = (request: EdgeRequest, world: World) => unknown;
const honest: Behaviour = (request, world) => world.answer(request);
const missing = { ok: true, value: { record: null, bundle: null } };
/** Says ok to what it drops, and has nothing to give. */
const dropsAndHides: Behaviour = ({ type }) => (type.startsWith("put") ? { ok: true, value: { type: "ok" } } : missing);
const silent: Behaviour = () => new Promise(() => {});

class Scout implements ScoutLink {
  readonly asked: EdgeRequest[] = [];
  behaviour: Behaviour;
  constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
  }
  async request(request: EdgeRequest): Promise<never> {
    this.asked.push(request);
    return (await this.behaviour(request, world)) as never;
  }
  count(type: EdgeRequest["type"]): number {
    return this.asked.filter((each) => each.type === type).length;
  }
}

let clock: VirtualClock;
let world: World;
let one: Scout;
let other: Scout;
let further: Scout[];
let reports: [Scout, ScoutFault][];
let refused: string[];
beforeEach(() => {
  clock = new VirtualClock();
  world = new World();
  one = new Scout(honest);
  other = new Scout(honest);
  further = [];
  reports = [];
  refused = [];
});

const seedOf = (n: number) => new Uint8Array(32).fill(n);
const homeOf = (n: number) => ({
  url: `wss://home-${n}.example/`,
  supernodeKey: publicKeyOf(seedOf(n)),
  hopKey: seedOf(n),
  dht: "",
});

async function makeDevice(storage: Storage = memoryStorage()) {
  const random = new SeededRandom(1);
  const ports = { storage, clock, random, signatures: nobleBackend };
  const scouts: Scouts = {
    links: () => [one, other],
    another: (asked) => further.find((link) => !asked.includes(link)),
    report: (link, fault) => void reports.push([link as Scout, fault]),
  };
  const lastGood = await LastGoodRecords.load(storage, clock, (error) => expect.unreachable(String(error)));
  const directory = new Directory({ ...ports, scouts, lastGood, onRefused: (code) => refused.push(code) });
  const { identity } = await openIdentity(ports, { name: "Ann" });
  const homes = [homeOf(51), homeOf(52)];
  const locator = { seed: seedOf(60), publicKey: publicKeyOf(seedOf(60)) };
  const publisher = new Publisher({
    ports,
    identity,
    directory,
    locator,
    prekeys: await Prekeys.load(ports, identity),
    ahead: await SignedAhead.load(ports, identity),
    writer: new RecordWriter({ clock, scouts }),
    places: () => homes.map((home, i) => ({ home, mailboxId: new Uint8Array(16).fill(i) })),
    problem: (error) => expect.unreachable(String(error)),
  });
  const find = () => directory.findContact(locator.publicKey, identity.accountKey);
  return { publisher, directory, identity, homes, lastGood, locatorKey: locator.publicKey, find };
}

/** Lets time go on until `work` is done. */
async function through<T>(work: Promise<T>, stepMs = 100): Promise<T> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  ended.catch(() => {});
  for (let i = 0; !done && i < 500; i++) {
    await settle();
    if (!done) await clock.advance(stepMs);
  }
  return ended;
}

const publish = async ({ publisher }: Awaited<ReturnType<typeof makeDevice>>) => {
  const complete = await through(publisher.publish());
  await through(publisher.idle(), READ_BACK_MS);
  return complete;
};

describe("a look-up", () => {
  it("asks two scouts for one copy each, and then the homes for the bundle", async () => {
    const device = await makeDevice();
    await publish(device);
    one.asked.length = 0;
    other.asked.length = 0;
    expect(await device.find()).toMatchObject({ ok: true });
    expect([one.count("get-record"), other.count("get-record")]).toEqual([1, 1]);
    const [fetch] = [...one.asked, ...other.asked].filter((each) => each.type === "get-bundle");
    const { supernodeKey, url, dht } = homeOf(51);
    expect(fetch).toMatchObject({ at: { supernodeKey, url, dht } });
    expect(clock.pending).toBe(0);
  });

  it.each([
    ["hides everything", dropsAndHides],
    ["refuses everything", () => refuse("rate-limited")],
    ["is gone", () => Promise.reject(new Error("closed"))],
    ["keeps silent", silent],
  ] as const)("finds them though one scout %s, whichever it is", async (_, behaviour) => {
    const device = await makeDevice();
    await publish(device);
    for (const liar of [one, other]) {
      liar.behaviour = behaviour;
      expect(await through(device.find())).toMatchObject({ ok: true });
      liar.behaviour = honest;
    }
  });

  it("finds what was stored while one scout dropped everything, though the reader's other scout hides everything", async () => {
    one.behaviour = dropsAndHides;
    const device = await makeDevice();
    await publish(device);
    [one, other] = [other, one]; // the reader's pairs lie the other way round
    expect(await through(device.find())).toMatchObject({ ok: true });
  });

  it("takes the newer of two answers, and no longer than the hedge to wait for it", async () => {
    const device = await makeDevice();
    await publish(device);
    const old = new Map(world.records);
    await clock.advance(2 * REPUBLISH_MS);
    await publish(device);
    const { behaviour } = one;
    one.behaviour = (request) =>
      request.type === "get-record"
        ? { ok: true, value: { record: old.get(toHex(request.publicKey)) ?? null } }
        : behaviour(request, world);
    const stranger = await makeDevice(); // knows of no record yet
    const found = await stranger.find();
    expect(found).toMatchObject({ ok: true, value: { record: { updatedAt: clock.now() - READ_BACK_MS } } });
    other.behaviour = silent;
    const started = clock.now();
    const slow = await through(stranger.directory.findPublic(device.identity.accountKey), 10);
    expect(slow.ok).toBe(true);
    expect(clock.now() - started).toBeLessThanOrEqual(HEDGE_MS + 20);
  });

  it("refuses what is older than it knows, over a restart too, and counts it", async () => {
    const storage = memoryStorage();
    const device = await makeDevice(storage);
    await publish(device);
    const old = new Map(world.records);
    await clock.advance(2 * REPUBLISH_MS);
    await publish(device);
    expect((await device.find()).ok).toBe(true);
    for (const [key, record] of old) world.records.set(key, record);
    const again = await makeDevice(storage);
    const stranger = await through(again.directory.findPublic(again.identity.accountKey));
    expect(stranger).toMatchObject({ ok: true }); // it never knew the newer one of that key …
    const newest = (await device.lastGood.of(device.locatorKey))?.updatedAt;
    const found = await through(again.find());
    expect(found).toMatchObject({ ok: true, value: { record: { updatedAt: newest } } }); // … but of this one it keeps it
    expect(refused).toContain("rolled-back");
    expect((await again.directory.lastGood(again.locatorKey))?.places[0]?.home.url).toBe("wss://home-51.example/");
  });

  it("refuses what has run out, and what is another copy's, though all of it was signed as it should be, and whoever brings it is exchanged", async () => {
    const device = await makeDevice();
    await publish(device);
    const over = [...world.records.values()];
    await clock.advance(3 * 86_400_000);
    world.records.clear();
    await publish(device);
    const others = [...world.records.values()];
    for (const played of [over, others]) {
      const stranger = await makeDevice();
      let asked = 0;
      // A different one for each question: none that was asked for is among them.
      const replays: Behaviour = (request, w) => {
        if (request.type !== "get-record") return w.answer(request);
        const wanted = toHex(request.publicKey);
        const record = played.filter(({ publicKey }) => toHex(publicKey) !== wanted)[asked++ % (played.length - 1)];
        return { ok: true, value: { record } };
      };
      one.behaviour = replays;
      refused.length = reports.length = 0;
      expect(await through(stranger.find())).toMatchObject({ ok: true });
      expect(refused).toContain("bad-record");
      expect(reports).toContainEqual([one, "lied"]);
      other.behaviour = replays;
      const again = await makeDevice();
      expect(await through(again.find())).toMatchObject({ code: "bad-record" });
      [one.behaviour, other.behaviour] = [honest, honest];
    }
  });

  it("reaches contacts by their last good record for two days, though nobody gives any, and publishes by none of it", async () => {
    const device = await makeDevice();
    await publish(device);
    expect((await device.find()).ok).toBe(true);
    const bundlesOnly: Behaviour = (request, w) => (request.type === "get-record" ? missing : w.answer(request));
    [one.behaviour, other.behaviour] = [bundlesOnly, bundlesOnly];
    expect(await through(device.find())).toMatchObject({ ok: true });
    expect(await device.directory.findPublic(device.identity.accountKey)).toMatchObject({ code: "record-missing" });
    await clock.advance(3 * 86_400_000);
    expect(await through(device.find())).toMatchObject({ code: "record-missing" });
  });

  it("asks for another scout where one keeps silent while the other answers, or forges", async () => {
    const device = await makeDevice();
    other.behaviour = silent;
    const finding = device.find();
    await clock.advance(SLOW_MS + GIVE_UP_MS);
    expect(await finding).toMatchObject({ code: "record-missing", detail: "partly" });
    expect(reports).toContainEqual([other, "slow"]);
    other.behaviour = honest;
    await publish(device);
    reports.length = 0;
    other.behaviour = (request, w) => {
      const answer = w.answer(request) as { value: { record?: MutableRecord } };
      return request.type !== "get-record" || !answer.value.record
        ? answer
        : { ok: true, value: { record: { ...answer.value.record, seq: Number.MAX_SAFE_INTEGER } } };
    };
    expect(await through(device.find())).toMatchObject({ ok: true });
    expect(reports).toContainEqual([other, "lied"]);
    expect(refused).toContain("bad-signature");
  });

  it.each([
    ["a third", [honest]],
    ["a fourth, though the third hides too", [dropsAndHides, honest]],
    ["a fourth, though the third keeps silent", [silent, honest]],
  ] as const)("asks %s where both say that there is nothing, and exchanges those who hid it", async (_, behaviours) => {
    const device = await makeDevice();
    await publish(device);
    const bundlesOnly: Behaviour = (request, w) => (request.type === "get-record" ? missing : w.answer(request));
    [one.behaviour, other.behaviour] = [bundlesOnly, bundlesOnly];
    expect(await through(device.find())).toMatchObject({ code: "record-missing" });
    further = behaviours.map((behaviour) => new Scout(behaviour));
    reports.length = 0;
    const started = clock.now();
    expect(await through(device.find())).toMatchObject({ ok: true });
    expect(clock.now() - started).toBeLessThanOrEqual(1_100);
    expect(reports.filter(([, fault]) => fault === "lied").map(([scout]) => scout)).toEqual([one, other]);
  });

  it("asks nobody more where there is a record, and no more than two where there is none, for a second at most", async () => {
    const device = await makeDevice();
    further = [new Scout(silent), new Scout(silent), new Scout(honest)];
    const started = clock.now();
    const missed = await through(device.find(), 10);
    // Complete: who restores an account may begin it.
    expect(missed).toEqual({ ok: false, code: "record-missing" });
    expect(clock.now() - started).toBeLessThanOrEqual(1_050);
    expect(further.map((scout) => scout.count("get-record"))).toEqual([2, 2, 0]);
    expect(reports).toEqual([]);
    await publish(device);
    for (const scout of further) scout.asked.length = 0;
    expect(await through(device.find())).toMatchObject({ ok: true });
    expect(further.map((scout) => scout.asked.length)).toEqual([0, 0, 0]);
  });

  it("fetches the bundle though the first home has lost it and a scout brings another", async () => {
    const device = await makeDevice();
    await publish(device);
    const first = toHex(publicKeyOf(seedOf(51)));
    const noFirst: Behaviour = (request, w) =>
      request.type === "get-bundle" && request.at && toHex(request.at.supernodeKey) === first
        ? missing
        : w.answer(request);
    one.behaviour = noFirst;
    other.behaviour = noFirst;
    expect(await through(device.find())).toMatchObject({ ok: true });
    one.behaviour = honest;
    other.behaviour = honest;
    const second = await makeDevice();
    await publish(second);
    one.behaviour = (request, w) =>
      request.type === "get-bundle" ? { ok: true, value: { bundle: new Uint8Array(2_048) } } : w.answer(request);
    expect(await through(second.find())).toMatchObject({ ok: true });
    expect(reports).toContainEqual([one, "lied"]);
  });

  it("does without homes that are gone for a bundle that it has had", async () => {
    const device = await makeDevice();
    await publish(device);
    expect(await through(device.find())).toMatchObject({ ok: true });
    const gone: Behaviour = (request, w) => (request.type === "get-bundle" ? missing : w.answer(request));
    one.behaviour = gone;
    other.behaviour = gone;
    expect(await through(device.find())).toMatchObject({ ok: true });
  });
});

describe("a publication", () => {
  it("puts two copies through each scout and the bundle at every home, and stores nothing anew before its time", async () => {
    const device = await makeDevice();
    expect(await publish(device)).toBe(true);
    expect(world.records.size).toBe(2 * 2 * 4);
    expect([one.count("put-record"), other.count("put-record")]).toEqual([8, 8]);
    const puts = () => one.count("put-record") + other.count("put-record");
    const before = puts();
    expect(await publish(device)).toBe(true);
    await clock.advance(REPUBLISH_MS / 2);
    expect(await publish(device)).toBe(true);
    expect(puts()).toBe(before);
    await clock.advance(REPUBLISH_MS);
    await publish(device);
    expect(puts()).toBe(2 * before);
    device.homes[0] = homeOf(53);
    await publish(device);
    expect(puts()).toBe(3 * before);
    world.records.clear();
    await publish(device);
    expect(world.records.size).toBe(16);
  });

  it("reads back through the other scout: what one drops is stored through the other, and who contradicts most is exchanged", async () => {
    one.behaviour = (request, w) => (request.type === "put-record" ? { ok: true, value: {} } : w.answer(request));
    const device = await makeDevice();
    await publish(device);
    const today = [...world.records].length;
    expect(today).toBe(8 + 4); // the other's pairs of both days, and today's that were missing
    expect(reports.every(([scout, fault]) => scout === one && fault === "lied")).toBe(true);
    expect(reports.length).toBeGreaterThan(0);
  });

  it("goes on with one scout alone, and says that it is not complete where nothing else takes a copy", async () => {
    one.behaviour = () => Promise.reject(new Error("closed"));
    const device = await makeDevice();
    expect(await publish(device)).toBe(true);
    expect(world.records.size).toBe(16);
    one.behaviour = (request, w) =>
      request.type === "put-bundle" && request.at?.url.includes("51") ? refuse("server-busy") : w.answer(request);
    other.behaviour = one.behaviour;
    await clock.advance(2 * REPUBLISH_MS);
    expect(await publish(device)).toBe(false);
    expect(await through(device.find())).toMatchObject({ ok: true });
  });
});
