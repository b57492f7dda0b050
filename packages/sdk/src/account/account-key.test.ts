import {
  bundleHash,
  CERT_MAX_LIFETIME_MS,
  type Clock,
  type EdgeRequest,
  issueCertificate,
  type MutableRecord,
  openEnvelope,
  phraseOf,
  publicKeyOf,
  RECORD_LIFETIME_MS,
  refuse,
  sealEnvelope,
  toHex,
  usablePrekey,
} from "@earshot/core";
import { makePerson, SeededRandom, TEST_NOW, testSignatures, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import type { Storage } from "../api.ts";
import { Directory } from "../directory/directory.ts";
import { LastGoodRecords } from "../directory/last-good.ts";
import { Publisher } from "../directory/publisher.ts";
import { RecordWriter } from "../directory/record-writer.ts";
import { singleScout } from "../directory/scouts.ts";
import { openIdentity } from "../identity/open-identity.ts";
import { Prekeys } from "../identity/prekeys.ts";
import { memoryStorage } from "../memory-storage.ts";
import { accountStatus, accountTeller, forgetAccountKey, provideAccountKey } from "./account-key.ts";
import { SignedAhead } from "./signed-ahead.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A home that keeps records and bundles for 48 hours. */
class Holder {
  readonly kept = new Map<string, { readonly until: number; readonly record?: MutableRecord; bundle?: Uint8Array }>();
  readonly #clock: Clock;
  refuses: EdgeRequest["type"] | undefined;
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  async request(request: EdgeRequest): Promise<never> {
    return (request.type === this.refuses ? refuse("server-busy") : this.#answer(request)) as never;
  }
  #get(key: Uint8Array) {
    const held = this.kept.get(toHex(key));
    return held && held.until > this.#clock.now() ? held : undefined;
  }
  #answer(request: EdgeRequest): unknown {
    const until = this.#clock.now() + RECORD_LIFETIME_MS;
    switch (request.type) {
      case "put-bundle":
        this.kept.set(toHex(bundleHash(request.bundle)), { until, bundle: request.bundle });
        return { ok: true, value: { type: "ok" } };
      case "get-bundle":
        return { ok: true, value: { bundle: this.#get(request.hash)?.bundle ?? null } };
      case "put-record": {
        const { record } = request;
        if ((this.#get(record.publicKey)?.record?.seq ?? 0) > record.seq) return refuse("rolled-back");
        this.kept.set(toHex(record.publicKey), { until, record });
        return { ok: true, value: { type: "ok" } };
      }
      case "get-record":
        return { ok: true, value: { record: this.#get(request.publicKey)?.record ?? null } };
      default:
        throw new Error(`no home does ${request.type} here`);
    }
  }
}

let clock: VirtualClock;
let holder: Holder;
let seeds: number;
beforeEach(() => {
  clock = new VirtualClock(TEST_NOW + 5 * HOUR_MS);
  holder = new Holder(clock);
  seeds = 10;
});

interface Restore {
  readonly phrase: string;
}

/** One device as its client wires it up; on the same storage: after a restart. */
async function open(storage: Storage, restore?: Restore) {
  const random = new SeededRandom(++seeds);
  const ports = { storage, clock, random, signatures: testSignatures };
  const { identity } = await openIdentity(ports, { name: "Ann", ...(restore && { restore }) });
  const scouts = singleScout(holder);
  const lastGood = await LastGoodRecords.load(ports.storage, ports.clock, (error) => expect.unreachable(String(error)));
  const directory = new Directory({ ...ports, scouts, lastGood, onRefused: () => {} });
  const seed = new SeededRandom(1).bytes(32);
  const home = { url: "wss://home.example/", supernodeKey: publicKeyOf(seed), hopKey: publicKeyOf(seed), dht: "" };
  const mailbox = { number: 7 };
  const places = () => [{ home, mailboxId: new Uint8Array(16).fill(mailbox.number) }];
  const writer = new RecordWriter({ clock, scouts });
  const prekeys = await Prekeys.load(ports, identity);
  const ahead = await SignedAhead.load(ports, identity);
  const told: unknown[] = [];
  const parts = { ports, identity, prekeys, mailbox, places, writer, directory, ahead, problem: () => {} };
  const locatorSeed = random.bytes(32);
  const locator = { seed: locatorSeed, publicKey: publicKeyOf(locatorSeed) };
  const publisher: Publisher = new Publisher({ ...parts, locator, onPublished: () => teller() });
  const whole = { ...parts, publisher, events: { emit: (_: string, status: unknown) => told.push(status) } as never };
  const teller = accountTeller(whole);
  return { ...whole, told, status: () => accountStatus(whole) };
}
type Opened = Awaited<ReturnType<typeof open>>;

/** A stranger who knows only the id looks it up and writes; true where the device can read it. */
async function strangerReaches({ directory, identity, prekeys }: Opened): Promise<boolean> {
  const found = await directory.findPublic(identity.accountKey);
  if (!found.ok) return false;
  const device = found.value.bundle.devices.find(({ deviceKey }) => toHex(deviceKey) === identity.deviceId);
  const prekey = usablePrekey(device?.prekeys ?? [], clock.now());
  if (!device || !prekey) return false;
  const stranger = await makePerson(++seeds);
  const now = clock.now();
  const { accountSeed, deviceKey: theirs } = stranger;
  const certificate = await issueCertificate(testSignatures, accountSeed, theirs, now - DAY_MS, now + DAY_MS);
  const bytes = await sealEnvelope(stranger.ports, {
    sender: { ...stranger.sender, certificate },
    receiver: { accountKey: identity.accountKey, deviceKey: device.deviceKey, prekey },
    sentAt: now,
    messageId: stranger.random.bytes(16),
    kind: "contact-request",
    body: Uint8Array.of(1),
  });
  const { accountKey, deviceKey } = identity;
  const opener = { accountKey, deviceKey, replays: prekeys.replays, findPrekey: (id: Uint8Array) => prekeys.find(id) };
  return (await openEnvelope(testSignatures, bytes, opener, now)).ok;
}

async function holdsSeed(storage: Storage, seed: Uint8Array): Promise<boolean> {
  const values = await Promise.all((await storage.keys("")).map((key) => storage.get(key)));
  return values.some((value) => toHex(value as Uint8Array).includes(toHex(seed)));
}

it("is reached by strangers for 34 days without the account key, and then asks for it", async () => {
  const storage = memoryStorage();
  let device = await open(storage);
  await device.publisher.publish();
  const seed = device.identity.accountSeed;
  expect([device.status(), await holdsSeed(storage, seed)]).toEqual([{ keyHere: true }, true]);
  await forgetAccountKey(device);
  expect(await holdsSeed(storage, seed)).toBe(false);
  const status = device.status();
  expect(status).toMatchObject({ keyHere: false, certifiedUntil: expect.any(Number) });
  expect(status.keyNeeded).toBeUndefined();
  expect(Number(status.certifiedUntil) - clock.now()).toBeGreaterThan(CERT_MAX_LIFETIME_MS - HOUR_MS);
  expect(() => device.identity.accountSeed).toThrow(expect.objectContaining({ code: "account-key-away" }));
  for (let day = 1; day <= 34; day++) {
    await clock.advance(DAY_MS);
    if (day % 6 === 0) device = await open(storage);
    expect(await device.publisher.publish(), `day ${day}`).toBe(true);
    expect(await strangerReaches(device), `day ${day}`).toBe(true);
    expect(device.status().keyNeeded, `day ${day}`).toBe(day > 27 ? "records-end" : undefined);
    expect(await holdsSeed(storage, seed)).toBe(false);
  }
  await clock.advance(2 * DAY_MS);
  expect(await device.publisher.publish()).toBe(true);
  expect(device.status()).toMatchObject({ keyHere: false, keyNeeded: "records-end" });
  expect(device.told.at(-1)).toMatchObject({ keyNeeded: "records-end" });
  await clock.advance(DAY_MS);
  expect(await strangerReaches(device)).toBe(false);
  // The words are signed with, and do not stay.
  await provideAccountKey(device, phraseOf(seed), false);
  expect([await strangerReaches(device), await holdsSeed(storage, seed)]).toEqual([true, false]);
  expect(device.status().keyNeeded).toBeUndefined();
  await clock.advance(53 * DAY_MS);
  expect(device.status().keyNeeded).toBe("certificate-ends");
});

it("takes the key back for good where it is to be kept, and only this account's", async () => {
  const storage = memoryStorage();
  const device = await open(storage);
  await device.publisher.publish();
  const seed = device.identity.accountSeed;
  await forgetAccountKey(device);
  const other = phraseOf(new SeededRandom(5).bytes(32));
  await expect(provideAccountKey(device, other, true)).rejects.toMatchObject({ code: "wrong-account" });
  await expect(provideAccountKey(device, "too few words", true)).rejects.toMatchObject({ code: "phrase-length" });
  await expect(forgetAccountKey(device)).rejects.toMatchObject({ code: "account-key-away" });
  await provideAccountKey(device, phraseOf(seed), true);
  const again = await open(storage);
  expect([again.status(), toHex(again.identity.accountSeed)]).toEqual([{ keyHere: true }, toHex(seed)]);
  expect(await storage.keys("signed-ahead")).toEqual([]);
});

it("loses neither the key nor the records wherever it is stopped", async () => {
  const before = memoryStorage();
  const first = await open(before);
  await first.publisher.publish();
  const seed = first.identity.accountSeed;
  for (let stopAt = 1; ; stopAt++) {
    const storage = memoryStorage();
    for (const key of await before.keys("")) await storage.set(key, (await before.get(key)) as Uint8Array);
    let writes = 0;
    const dying: Storage = {
      ...storage,
      set: async (key, value) => {
        if (++writes >= stopAt) throw new Error("power lost");
        await storage.set(key, value);
      },
    };
    const outcome = await forgetAccountKey(await open(dying)).then(
      () => "done",
      () => "stopped",
    );
    const after = await open(storage);
    const { keyHere, keyNeeded } = after.status();
    expect([keyHere, keyNeeded], `write ${stopAt}`).toEqual([await holdsSeed(storage, seed), undefined]);
    expect(keyHere || after.ahead.until !== undefined, `write ${stopAt}`).toBe(true);
    await after.publisher.publish();
    expect(await strangerReaches(after), `write ${stopAt}`).toBe(true);
    if (outcome === "done" && writes < stopAt) break;
  }
});

it("does not bring the key back by a change of name that is under way", async () => {
  const storage = memoryStorage();
  const device = await open(storage);
  await device.publisher.publish();
  const seed = device.identity.accountSeed;
  let name = 0;
  const rename = async () => {
    while (!(await storage.keys("signed-ahead")).length) await device.identity.setName(`Ann ${name++}`);
    await Promise.all([1, 2, 3, 4].map((n) => device.identity.setName(`Ann ${n}`)));
  };
  await Promise.all([forgetAccountKey(device), rename()]);
  expect([await holdsSeed(storage, seed), device.identity.name]).toEqual([false, "Ann 4"]);
});

it("keeps the key while the account's other devices cannot be looked up", async () => {
  const storage = memoryStorage();
  const device = await open(storage);
  await device.publisher.publish();
  holder.refuses = "get-record";
  await expect(forgetAccountKey(device)).rejects.toMatchObject({ code: "node-refused" });
  expect(device.status()).toEqual({ keyHere: true });
});

it("publishes nothing that is no longer true, and says what the key is needed for", async () => {
  const storage = memoryStorage();
  const device = await open(storage);
  await device.publisher.publish();
  const seed = device.identity.accountSeed;
  await forgetAccountKey(device);
  device.mailbox.number = 8;
  expect(device.status().keyNeeded).toBe("mailbox-moved");
  device.mailbox.number = 7;
  const second = await open(memoryStorage(), { phrase: phraseOf(seed) });
  expect(await second.publisher.publish()).toBe(true);
  expect(await device.publisher.publish()).toBe(true);
  expect(device.status().keyNeeded).toBe("devices-changed");
  expect(await strangerReaches(device)).toBe(true); // the second device lists this one
  await clock.advance(3 * DAY_MS);
  await device.publisher.publish();
  expect(await strangerReaches(device)).toBe(false);
  await provideAccountKey(device, phraseOf(seed), false);
  expect([await strangerReaches(device), device.status().keyNeeded]).toEqual([true, undefined]);
});
