import {
  bundleHash,
  type EdgeRequest,
  type MutableRecord,
  nobleBackend,
  phraseOf,
  publicKeyOf,
  type RefusalCode,
  refuse,
  sealBackup,
  toHex,
  unwrap,
  verifyRecord,
} from "@earshot/core";
import { SeededRandom, settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { SignedAhead } from "../account/signed-ahead.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import { openIdentity } from "../identity/open-identity.ts";
import { Prekeys } from "../identity/prekeys.ts";
import { memoryStorage } from "../memory-storage.ts";
import { Directory } from "./directory.ts";
import { LastGoodRecords } from "./last-good.ts";
import { Publisher } from "./publisher.ts";
import { RecordWriter } from "./record-writer.ts";
import { singleScout } from "./scouts.ts";

const DAY_MS = 86_400_000;

/** What a home keeps, and how it answers. */
class Holder {
  records = new Map<string, MutableRecord>();
  readonly bundles = new Map<string, Uint8Array>();
  /** What it refuses requests of this type with. */
  readonly refusals = new Map<EdgeRequest["type"], RefusalCode>();

  /** Takes the eight contact records that come first, and no more. */
  refusePublic = false;
  /** Look-ups wait for it. */
  lookups: Promise<void> = Promise.resolve();
  asked = 0;

  async request(request: EdgeRequest): Promise<never> {
    this.asked++;
    if (request.type === "get-record") await this.lookups;
    const code = this.refusals.get(request.type);
    return (code ? refuse(code) : await this.#answer(request)) as never;
  }

  async #answer(request: EdgeRequest): Promise<unknown> {
    switch (request.type) {
      case "put-bundle":
        this.bundles.set(toHex(bundleHash(request.bundle)), request.bundle);
        return { ok: true, value: { type: "ok" } };
      case "get-bundle":
        return { ok: true, value: { bundle: this.bundles.get(toHex(request.hash)) ?? null } };
      case "put-record": {
        unwrap(await verifyRecord(nobleBackend, request.record));
        if (this.refusePublic && this.records.size >= 8) return refuse("over-quota");
        const key = toHex(request.record.publicKey);
        if ((this.records.get(key)?.seq ?? 0) >= request.record.seq) return refuse("rolled-back");
        this.records.set(key, request.record);
        return { ok: true, value: { type: "ok" } };
      }
      case "get-record":
        return { ok: true, value: { record: this.records.get(toHex(request.publicKey)) ?? null } };
      default:
        throw new Error(`no home does ${request.type} here`);
    }
  }
}

let clock: VirtualClock;
let holder: Holder;
let seeds: number;
let problems: unknown[];
beforeEach(() => {
  clock = new VirtualClock();
  holder = new Holder();
  seeds = 0;
  problems = [];
});

interface Device {
  readonly identity: Identity;
  readonly publisher: Publisher;
  readonly directory: Directory;
  readonly ports: IdentityPorts;
  readonly locatorKey: Uint8Array;
  /** Its mailbox is another from now on, of that number. */
  move(number: number): void;
}

/** A device of an account, with a home; its clock this far ahead. */
async function makeDevice(restore?: { phrase: string; backup?: Uint8Array }, aheadMs = 0): Promise<Device> {
  const number = ++seeds;
  const random = new SeededRandom(number);
  const own = { now: () => clock.now() + aheadMs, setTimer: clock.setTimer.bind(clock) };
  const ports = { storage: memoryStorage(), clock: own, random, signatures: nobleBackend };
  const { identity } = await openIdentity(ports, { name: "Ann", ...(restore && { restore }) });
  const scouts = singleScout(holder);
  const lastGood = await LastGoodRecords.load(ports.storage, ports.clock, (error) => expect.unreachable(String(error)));
  const directory = new Directory({ ...ports, scouts, lastGood, onRefused: () => {} });
  const seed = random.bytes(32);
  const home = { url: "wss://home.example/", supernodeKey: publicKeyOf(seed), hopKey: publicKeyOf(seed), dht: "" };
  let mailbox = number;
  const places = () => [{ home, mailboxId: new Uint8Array(16).fill(mailbox) }];
  const writer = new RecordWriter({ clock: own, scouts });
  const locator = { seed, publicKey: publicKeyOf(seed) };
  const prekeys = await Prekeys.load(ports, identity);
  const ahead = await SignedAhead.load(ports, identity);
  const problem = (error: unknown) => void problems.push(error);
  return {
    identity,
    ports,
    directory,
    locatorKey: locator.publicKey,
    move: (to) => (mailbox = to),
    publisher: new Publisher({ ports, identity, prekeys, places, writer, directory, locator, ahead, problem }),
  };
}

const phraseFor = ({ identity }: Device) => phraseOf(identity.accountSeed);
const publicDevices = async ({ directory, identity }: Device) => {
  const { bundle, record } = unwrap(await directory.findPublic(identity.accountKey));
  return bundle.devices.map(({ deviceKey, index }) => [
    toHex(deviceKey),
    record.places.find(({ device }) => device === index)?.mailboxId[0],
  ]);
};

it("joins a device restored from the words to the list that is published", async () => {
  const first = await makeDevice();
  expect(await first.publisher.publish()).toBe(true);
  const second = await makeDevice({ phrase: phraseFor(first) });
  expect(await second.publisher.publish()).toBe(true);
  expect(second.identity.listHead.n).toBe(2);
  expect((await publicDevices(first)).map(([key]) => key)).toEqual([second.identity.deviceId, first.identity.deviceId]);
});

it("signs no list of its own while the published one cannot be had", async () => {
  const first = await makeDevice();
  await first.publisher.publish();
  const second = await makeDevice({ phrase: phraseFor(first) });
  for (const [type, code] of [
    ["get-record", "rate-limited"],
    ["get-bundle", "server-busy"],
  ] as const) {
    holder.refusals.set(type, code);
    await expect(second.publisher.publish()).rejects.toMatchObject({ code: "node-refused" });
    holder.refusals.clear();
  }
  const bundles = [...holder.bundles];
  holder.bundles.clear();
  await expect(second.publisher.publish()).rejects.toMatchObject({ code: "node-refused" });
  expect(second.identity.listed).toBe(false);
  for (const [hash, bundle] of bundles) holder.bundles.set(hash, bundle);
  await second.publisher.publish();
  expect(second.identity.listHead.n).toBe(2);
});

it("starts a list where nothing is published", async () => {
  const first = await makeDevice();
  const second = await makeDevice({ phrase: phraseFor(first) });
  await second.publisher.publish();
  expect(second.identity.listHead.n).toBe(1);
});

it("follows a list that has gone on since the backup was made", async () => {
  const first = await makeDevice();
  await first.publisher.publish();
  const content = { name: "Ann", deviceList: first.identity.entries, contacts: [] };
  const backup = sealBackup(first.ports.random, first.identity.accountSeed, content);
  const phrase = phraseFor(first);
  await (await makeDevice({ phrase })).publisher.publish();
  const third = await makeDevice({ phrase, backup });
  await third.publisher.publish();
  expect(third.identity.devices.length).toBe(3);
});

it("goes after a record of another device whose clock is ahead, and keeps that device", async () => {
  const first = await makeDevice(undefined, 8 * 60_000);
  await first.publisher.publish();
  const second = await makeDevice({ phrase: phraseFor(first) });
  expect(await second.publisher.publish()).toBe(true);
  expect(await second.publisher.publish()).toBe(true);
  expect(await first.publisher.publish()).toBe(true);
  expect((await publicDevices(second)).length).toBe(2);
});

it("leaves the public record as it was while the account's other devices cannot be looked up", async () => {
  const first = await makeDevice();
  await first.publisher.publish();
  const second = await makeDevice({ phrase: phraseFor(first) });
  await second.publisher.publish();
  holder.refusals.set("get-record", "rate-limited");
  expect(await first.publisher.publish()).toBe(false);
  holder.refusals.clear();
  expect((await publicDevices(second)).length).toBe(2);
});

it("is found by contacts though the public record is not taken, and says so", async () => {
  const { publisher, directory, locatorKey, identity } = await makeDevice();
  await publisher.publish();
  holder.records.clear();
  holder.refusePublic = true;
  expect(await publisher.publish()).toBe(false);
  expect(problems).toMatchObject([{ code: "node-refused" }]);
  expect(await directory.findContact(locatorKey, identity.accountKey)).toMatchObject({ ok: true });
});

it("keeps each device at its own mailbox when another's certificate has run out", async () => {
  const expiring = await makeDevice();
  const phrase = phraseFor(expiring);
  await expiring.publisher.publish();
  await clock.advance(DAY_MS);
  const [second, third] = [await makeDevice({ phrase }), await makeDevice({ phrase })];
  for (const { publisher } of [second, expiring, third]) await publisher.publish();
  const idsAndPlaces = [
    [third.identity.deviceId, 3],
    [expiring.identity.deviceId, 1],
    [second.identity.deviceId, 2],
  ];
  expect(await publicDevices(third)).toEqual(idsAndPlaces);
  for (let day = 1; day < 59; day += 2) {
    await clock.advance(2 * DAY_MS);
    await third.publisher.publish();
  }
  await clock.advance(DAY_MS + 60_000);
  await third.publisher.publish();
  expect(await publicDevices(third)).toEqual([idsAndPlaces[0], idsAndPlaces[2]]);
});

/** Where contacts find a device: the number of its mailbox. */
const foundAt = async ({ directory, locatorKey, identity }: Device) =>
  unwrap(await directory.findContact(locatorKey, identity.accountKey)).record.places[0]?.mailboxId[0];

/** No look-up is answered until the result is called. */
function holdLookups(): () => void {
  let answer = () => {};
  holder.lookups = new Promise((resolve) => (answer = resolve));
  return answer;
}

it("tells contacts of a new home while an earlier publication still waits for supernodes that have died", async () => {
  const device = await makeDevice();
  const { publisher } = device;
  await publisher.publish();
  const answer = holdLookups();
  device.move(7);
  const first = publisher.publish();
  await settle();
  device.move(8);
  const second = publisher.publish();
  await settle();
  const held = new Map(holder.records);
  answer();
  expect(await Promise.all([first, second])).toEqual([true, true]);
  const after = holder.records;
  holder.records = held;
  expect(await foundAt(device)).toBe(8);
  holder.records = after;
  expect(await foundAt(device)).toBe(8);
  expect(problems).toEqual([]);
});

it("publishes for a second home that comes while the first publication writes down its time", async () => {
  const device = await makeDevice();
  const { storage } = device.ports;
  const set = storage.set.bind(storage);
  let write = () => {};
  let isWriting = false;
  storage.set = async (key, value) => {
    if (key === "published" && !isWriting) {
      isWriting = true;
      await new Promise<void>((resolve) => (write = resolve));
    }
    return set(key, value);
  };
  const first = device.publisher.publish();
  for (let i = 0; !isWriting && i < 100; i++) await settle();
  device.move(8);
  const second = device.publisher.publish();
  await settle();
  write();
  expect(await Promise.all([first, second])).toEqual([true, true]);
  expect(await foundAt(device)).toBe(8);
  expect(problems).toEqual([]);
});

it("publishes once for all who ask while a publication is under way", async () => {
  const device = await makeDevice();
  const { publisher } = device;
  await publisher.publish();
  const countOf = async (times: number): Promise<number> => {
    const answer = holdLookups();
    device.move(9 + times);
    const running = publisher.publish();
    await settle();
    const before = holder.asked;
    const asked = Array.from({ length: times }, () => publisher.publish());
    answer();
    await Promise.all([running, ...asked]);
    return holder.asked - before;
  };
  const once = await countOf(1);
  expect(await countOf(100)).toBeLessThanOrEqual(once);
  expect(problems).toEqual([]);
});
