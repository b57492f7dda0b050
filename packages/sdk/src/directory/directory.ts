import {
  accept,
  type Bundle,
  type Clock,
  type ContactRecord,
  type Dated,
  dayOf,
  type ListHead,
  lookupPlan,
  type LookupSlot,
  type MutableRecord,
  openBundle,
  openContactRecord,
  openPublicRecord,
  type Place,
  type PublicRecord,
  RECORD_LIFETIME_MS,
  type RandomSource,
  type RecordKind,
  type Refusal,
  type RefusalCode,
  type Result,
  type SignatureBackend,
  toHex,
  type VerifiedBundle,
  verifyBundle,
} from "@earshot/core";
import { fetchBundle } from "./bundle-fetch.ts";
import type { LastGood, LastGoodRecords } from "./last-good.ts";
import { type FoundRecord, HEDGE_MS, RecordSearch, SLOW_MS } from "./record-search.ts";
import { type ScoutLink, scoutPair, type Scouts } from "./scouts.ts";

export interface DirectoryPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
  /** The connections for look-ups: never those that hold the mailboxes. */
  readonly scouts: Scouts;
  /** What was found before, which nothing older replaces. */
  readonly lastGood: LastGoodRecords;
  /** An answer did not verify: whoever gave it lies, or holds something damaged. */
  readonly onRefused: (code: RefusalCode) => void;
  /** How long a second answer is waited for. Default {@link HEDGE_MS}. */
  readonly hedgeMs?: number;
}

/** A record together with the bundle it names, both verified under the key they were looked up by. */
export interface Found<R> {
  readonly record: R & Dated;
  readonly bundle: VerifiedBundle;
  /** The bundle's parts as their signed bytes. */
  readonly signed: Bundle;
}

/** Whoever has said nothing by then is not waited for. */
export const GIVE_UP_MS = 8_000;
/** Asked, one after the other, where the two have nothing: whoever runs a tenth of the supernodes is all four once in 10,000 times. */
const MAX_FURTHER_SCOUTS = 2;
/** Of each: that nobody is there is said no more than a second later for them. */
const FURTHER_SCOUT_MS = 500;
/** Bundles kept, of at most 8 KB each: whoever is looked up again within a day mostly names the same one. */
const MAX_BUNDLES = 128;
/** A record that was found before is good for as many days: as long as homes keep its bundle. */
const LAST_GOOD_DAYS = RECORD_LIFETIME_MS / 86_400_000;

/** Looks up records and bundles. What it finds verifies under the key it was asked for, whoever answered. */
export class Directory {
  readonly #ports: DirectoryPorts;
  /** As they were sealed, by their hash: good ones, the one found longest ago first. Homes that die take theirs along. */
  readonly #bundles = new Map<string, Uint8Array>();

  constructor(ports: DirectoryPorts) {
    this.#ports = ports;
  }

  /** What a stranger may know of an account. Refused: `record-missing`, and what records and bundles are refused for. */
  async findPublic(accountKey: Uint8Array, known?: ListHead): Promise<Result<Found<PublicRecord>>> {
    const { signatures } = this.#ports;
    const found = await this.#newestRecord("public", accountKey, ({ day, copy }, record) =>
      openPublicRecord(signatures, accountKey, day, copy, record),
    );
    return found.ok ? this.#withBundle("public", accountKey, accountKey, known, found.value) : found;
  }

  /**
   * One device of a contact, under the locator key that it gave us. Where no scout gives a record, the last good one of
   * the past two days still says at which homes to ask for the bundle, and to deliver.
   */
  async findContact(
    locatorKey: Uint8Array,
    accountKey: Uint8Array,
    known?: ListHead,
  ): Promise<Result<Found<ContactRecord>>> {
    const { signatures } = this.#ports;
    const open = ({ day, copy }: LookupSlot, record: MutableRecord) =>
      openContactRecord(signatures, locatorKey, day, copy, record);
    const newest = await this.#newestRecord("contact", locatorKey, open);
    const found = newest.ok ? newest : ((await this.#before(locatorKey, open)) ?? newest);
    return found.ok ? this.#withBundle("contact", locatorKey, accountKey, known, found.value) : found;
  }

  /** Where the owner of an account or locator key was when it was last found: worth trying while nothing newer is. */
  lastGood(masterKey: Uint8Array): Promise<LastGood | undefined> {
    return this.#ports.lastGood.of(masterKey);
  }

  async #before<R>(
    locatorKey: Uint8Array,
    open: (slot: LookupSlot, record: MutableRecord) => Promise<Result<R & Dated>>,
  ): Promise<Result<FoundRecord<R>> | undefined> {
    const { lastGood, clock } = this.#ports;
    const last = await lastGood.of(locatorKey);
    if (!last || dayOf(clock.now()) - last.slot.day > LAST_GOOD_DAYS) return undefined;
    const opened = await open(last.slot, last.signed);
    return opened.ok ? accept({ record: opened.value, slot: last.slot, signed: last.signed }) : undefined;
  }

  async #withBundle<R extends { readonly bundleHash: Uint8Array; readonly places: readonly Place[] }>(
    kind: RecordKind,
    masterKey: Uint8Array,
    accountKey: Uint8Array,
    known: ListHead | undefined,
    { record, slot, signed: signedRecord }: FoundRecord<R>,
  ): Promise<Result<Found<R>>> {
    const kept = this.#bundles.get(toHex(record.bundleHash));
    const sealed = kept ? accept(kept) : await fetchBundle(this.#ports, record.places, record.bundleHash);
    if (!sealed.ok) return sealed;
    const signed = openBundle(kind, masterKey, slot.day, sealed.value, record.bundleHash);
    if (!signed.ok) return this.#refused(signed);
    const { signatures, clock, lastGood } = this.#ports;
    const bundle = await verifyBundle(signatures, accountKey, signed.value, clock.now(), known);
    if (!bundle.ok) return this.#refused(bundle);
    this.#keepBundle(record.bundleHash, sealed.value);
    const { updatedAt, places } = record;
    await lastGood.note(masterKey, { updatedAt, places, slot, signed: signedRecord });
    return accept({ record, bundle: bundle.value, signed: signed.value });
  }

  #keepBundle(hash: Uint8Array, sealed: Uint8Array): void {
    this.#bundles.set(toHex(hash), sealed);
    if (this.#bundles.size > MAX_BUNDLES) this.#bundles.delete(this.#bundles.keys().next().value as string);
  }

  #refused(refusal: Refusal): Refusal {
    this.#ports.onRefused(refusal.code);
    return refusal;
  }

  /**
   * Asks for one copy of each pair, through two scouts; where neither is there in time, for everything else, each pair through
   * both scouts, so that one who hides or drops cannot hide what the other has. The record written last holds.
   */
  async #newestRecord<R>(
    kind: RecordKind,
    masterKey: Uint8Array,
    open: (slot: LookupSlot, record: MutableRecord) => Promise<Result<R & Dated>>,
  ): Promise<Result<FoundRecord<R>>> {
    const { clock, random, scouts, lastGood, hedgeMs } = this.#ports;
    const knownAt = (await lastGood.of(masterKey))?.updatedAt ?? 0;
    const plan = lookupPlan(clock.now(), random);
    const [one, other] = scoutPair(scouts);
    const search = new RecordSearch<R>(this.#ports, { kind, masterKey, knownAt, open }, hedgeMs ?? HEDGE_MS);
    const [first, second] = plan.first;
    search.ask(first, one);
    search.ask(second, other);
    await search.settle(SLOW_MS);
    if (search.found) return search.result();
    // As they are now: whoever has just been found dead is exchanged.
    const pair = scoutPair(scouts);
    for (const slot of plan.rest) search.ask(slot, linkFor(slot, plan.first, ...pair));
    await search.settle(GIVE_UP_MS);
    const result = search.result();
    if (result.ok || result.code !== "record-missing") return result;
    const make = () => new RecordSearch<R>(this.#ports, { kind, masterKey, knownAt, open }, hedgeMs ?? HEDGE_MS);
    return (await this.#contradiction(make, plan.first, [...pair, one, other])) ?? result;
  }

  /**
   * Asks a third, then a fourth, when two have said that there is nothing, for one copy of each pair. Whoever hid what one of these has is exchanged. What
   * they do not say changes nothing: an answer that is missing here is not one that was missed.
   */
  async #contradiction<R>(
    make: () => RecordSearch<R>,
    slots: readonly LookupSlot[],
    pair: readonly ScoutLink[],
  ): Promise<Result<FoundRecord<R>> | undefined> {
    const { scouts } = this.#ports;
    const asked = [...pair];
    for (let i = 0; i < MAX_FURTHER_SCOUTS; i++) {
      const link = scouts.another?.(asked);
      if (!link || asked.includes(link)) return undefined;
      asked.push(link);
      const search = make();
      for (const slot of slots) search.ask(slot, link);
      await search.settle(FURTHER_SCOUT_MS);
      if (!search.found) continue;
      for (const hider of new Set(pair)) scouts.report(hider, "lied");
      return search.result();
    }
    return undefined;
  }
}

/** Today's other copies through the scout that was not asked for their pair; of other days, each pair through both. */
function linkFor<L>({ day, copy }: LookupSlot, [first]: readonly [LookupSlot, LookupSlot], one: L, other: L): L {
  if (day === first.day) return copy < 2 ? other : one;
  return copy % 2 === 0 ? one : other;
}
