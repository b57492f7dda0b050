/** People whose records the SDK's own publisher stores and directory finds, through scouts of which a share lies. */
import { randomBytes } from "node:crypto";
import { bundleHash, type EdgeRequest, nobleBackend, publicKeyOf, toHex } from "@earshot/core";
import { type Backbone, systemClock } from "@earshot/node";
import { memoryStorage } from "@earshot/sdk";
import { SignedAhead } from "../../packages/sdk/src/account/signed-ahead.ts";
import { Directory } from "../../packages/sdk/src/directory/directory.ts";
import { LastGoodRecords } from "../../packages/sdk/src/directory/last-good.ts";
import { Publisher } from "../../packages/sdk/src/directory/publisher.ts";
import { RecordWriter } from "../../packages/sdk/src/directory/record-writer.ts";
import type { ScoutLink, Scouts } from "../../packages/sdk/src/directory/scouts.ts";
import { openIdentity } from "../../packages/sdk/src/identity/open-identity.ts";
import { Prekeys } from "../../packages/sdk/src/identity/prekeys.ts";

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
/** Homes are not what is measured: they keep what they are given, and give it to scouts that ask. */
const bundles = new Map<string, Uint8Array>();

/** A supernode as a scout: an honest one asks the DHT; one that lies says ok, drops, and has nothing. */
class Scout implements ScoutLink {
  readonly #backbone: Backbone | undefined;
  constructor(backbone: Backbone | undefined) {
    this.#backbone = backbone;
  }

  async request(request: EdgeRequest): Promise<never> {
    return (await this.#answer(request)) as never;
  }

  async #answer(request: EdgeRequest): Promise<unknown> {
    const ok = { ok: true, value: { type: "ok" } };
    if (!this.#backbone)
      return request.type.startsWith("put") ? ok : { ok: true, value: { record: null, bundle: null } };
    switch (request.type) {
      case "put-bundle":
        bundles.set(toHex(bundleHash(request.bundle)), request.bundle);
        return ok;
      case "get-bundle":
        return { ok: true, value: { bundle: bundles.get(toHex(request.hash)) ?? null } };
      case "put-record": {
        const put = await this.#backbone.putRecord(request.record);
        return put.ok ? ok : put;
      }
      case "get-record":
        return { ok: true, value: { record: await this.#backbone.getRecord(request.publicKey) } };
      default:
        throw new Error(`no scout does ${request.type} here`);
    }
  }
}

/** Two at random; who is reported gives way to another. `lying`: the share of those there are to choose from. */
function scoutsOf(honest: readonly Backbone[], lying: number): Scouts {
  const any = () => new Scout(Math.random() < lying ? undefined : honest[Math.floor(Math.random() * honest.length)]);
  const chosen: Scout[] = [any(), any()];
  return {
    links: () => chosen,
    report(link) {
      const at = chosen.indexOf(link as Scout);
      if (at >= 0) chosen[at] = any();
    },
  };
}

export interface BenchPerson {
  readonly accountKey: Uint8Array;
  readonly locatorKey: Uint8Array;
}

/** Published as an app does it at its start, once. */
export async function publishPerson(honest: readonly Backbone[], lying: number): Promise<BenchPerson> {
  const storage = memoryStorage();
  const ports = { storage, clock: systemClock, random, signatures: nobleBackend };
  const scouts = scoutsOf(honest, lying);
  const { identity } = await openIdentity(ports, { name: "Ann" });
  const seed = random.bytes(32);
  const locator = { seed, publicKey: publicKeyOf(seed) };
  const home = { url: "wss://home.example/", supernodeKey: locator.publicKey, hopKey: seed, dht: "" };
  const publisher = new Publisher({
    ports,
    identity,
    directory: await directoryOf(scouts),
    locator,
    prekeys: await Prekeys.load(ports, identity),
    ahead: await SignedAhead.load(ports, identity),
    writer: new RecordWriter({ clock: systemClock, scouts }),
    places: () => [{ home, mailboxId: random.bytes(16) }],
    problem: () => {},
  });
  await publisher.publish();
  await publisher.idle();
  return { accountKey: identity.accountKey, locatorKey: locator.publicKey };
}

/** Milliseconds until somebody who never looked before has found them, or undefined. */
export async function findPerson(
  honest: readonly Backbone[],
  lying: number,
  { accountKey, locatorKey }: BenchPerson,
  limitMs: number,
): Promise<number | undefined> {
  const directory = await directoryOf(scoutsOf(honest, lying));
  const started = performance.now();
  let cancel = () => {};
  const late = new Promise<undefined>((resolve) => {
    cancel = systemClock.setTimer(limitMs, () => resolve(undefined));
  });
  const found = await Promise.race([directory.findContact(locatorKey, accountKey).catch(() => undefined), late]);
  cancel();
  return found?.ok ? performance.now() - started : undefined;
}

async function directoryOf(scouts: Scouts): Promise<Directory> {
  const lastGood = await LastGoodRecords.load(memoryStorage(), systemClock, () => {});
  return new Directory({ clock: systemClock, random, signatures: nobleBackend, scouts, lastGood, onRefused: () => {} });
}
