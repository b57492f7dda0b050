/** Whole records, made and opened. docs/protocol/records.md sections 2 to 4. */
import { equalBytes } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import type { RandomSource, SignatureBackend } from "../ports.ts";
import { blindKeyPair, blindPublicKey, expandSeed, type MasterKey, type RecordKind } from "./blinding.ts";
import {
  type ContactRecord,
  decodeContactContent,
  decodePublicContent,
  encodeContactContent,
  encodePublicContent,
  type PublicRecord,
} from "./contents.ts";
import { PUBLIC_RECORD_AHEAD_DAYS } from "./day.ts";
import { RECORD_COPIES } from "./sizes.ts";
import { type MutableRecord, signRecord, verifyRecord } from "./mutable-record.ts";
import { openValue, sealValue, seqOffset } from "./value.ts";

/** When the content was written, comparable between days: the later of two answers holds. Unix milliseconds. */
export interface Dated {
  readonly updatedAt: number;
}

/** The next `updatedAt` after `last`, though the clock may have gone back. */
export function nextUpdate(last: number | undefined, now: number): number {
  return Math.max((last ?? 0) + 1, now);
}

/** Signs and seals one copy of one day's public record. Content that does not fit is the caller's mistake (RangeError, EarshotError `too-large`). */
export function makePublicRecord(
  random: RandomSource,
  accountSeed: Uint8Array,
  day: number,
  copy: number,
  updatedAt: number,
  content: PublicRecord,
): MutableRecord {
  return makeRecord(random, "public", expandSeed(accountSeed), day, copy, updatedAt, encodePublicContent(content));
}

/** One day's public records, one for each copy, in their order. */
export interface DayRecords {
  readonly day: number;
  readonly copies: readonly MutableRecord[];
}

/**
 * Public records for `days` days from `fromDay` on, so that the account key need not be at hand until they run out. Each
 * day's name the bundle that is sealed for it. Made as they are taken, day by day: whoever has a screen to keep alive pauses between them.
 */
export function* signPublicRecordsAhead(
  random: RandomSource,
  accountSeed: Uint8Array,
  fromDay: number,
  updatedAt: number,
  contentOf: (day: number) => PublicRecord,
  days: number = PUBLIC_RECORD_AHEAD_DAYS,
): Generator<DayRecords, void> {
  if (days > PUBLIC_RECORD_AHEAD_DAYS) throw new RangeError(`at most ${PUBLIC_RECORD_AHEAD_DAYS} days ahead`);
  const master = expandSeed(accountSeed);
  for (let day = fromDay; day < fromDay + days; day++)
    yield { day, copies: makeCopies(random, "public", master, day, updatedAt, encodePublicContent(contentOf(day))) };
}

/** Signs and seals one copy of one day's contact record. Errors as {@link makePublicRecord}. */
export function makeContactRecord(
  random: RandomSource,
  locatorSeed: Uint8Array,
  day: number,
  copy: number,
  updatedAt: number,
  content: ContactRecord,
): MutableRecord {
  return makeRecord(random, "contact", expandSeed(locatorSeed), day, copy, updatedAt, encodeContactContent(content));
}

/** All copies of one day's public record, in their order. Errors as {@link makePublicRecord}. */
export function makePublicRecords(
  random: RandomSource,
  accountSeed: Uint8Array,
  day: number,
  updatedAt: number,
  content: PublicRecord,
): MutableRecord[] {
  return makeCopies(random, "public", expandSeed(accountSeed), day, updatedAt, encodePublicContent(content));
}

/** All copies of one day's contact record, in their order. Errors as {@link makePublicRecord}. */
export function makeContactRecords(
  random: RandomSource,
  locatorSeed: Uint8Array,
  day: number,
  updatedAt: number,
  content: ContactRecord,
): MutableRecord[] {
  return makeCopies(random, "contact", expandSeed(locatorSeed), day, updatedAt, encodeContactContent(content));
}

/**
 * Checks and reads a record that a holder answered with. Refused: `bad-record` (another key, day or copy, or its content),
 * `too-large`, `bad-key`, `bad-signature`, `open-failed`, `unknown-version`.
 */
export async function openPublicRecord(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  day: number,
  copy: number,
  record: MutableRecord,
): Promise<Result<PublicRecord & Dated>> {
  return openRecord(backend, "public", accountKey, day, copy, record, decodePublicContent);
}

/** As {@link openPublicRecord}, under a device's locator key. */
export async function openContactRecord(
  backend: SignatureBackend,
  locatorKey: Uint8Array,
  day: number,
  copy: number,
  record: MutableRecord,
): Promise<Result<ContactRecord & Dated>> {
  return openRecord(backend, "contact", locatorKey, day, copy, record, decodeContactContent);
}

function makeCopies(
  random: RandomSource,
  kind: RecordKind,
  master: MasterKey,
  day: number,
  updatedAt: number,
  content: Uint8Array,
): MutableRecord[] {
  return Array.from({ length: RECORD_COPIES }, (_, copy) =>
    makeRecord(random, kind, master, day, copy, updatedAt, content),
  );
}

function makeRecord(
  random: RandomSource,
  kind: RecordKind,
  master: MasterKey,
  day: number,
  copy: number,
  updatedAt: number,
  content: Uint8Array,
): MutableRecord {
  const pair = blindKeyPair(kind, master, day, copy);
  const place = { kind, masterKey: master.publicKey, blindedKey: pair.publicKey, day };
  return signRecord(pair, updatedAt + seqOffset(place), sealValue(random, place, content));
}

async function openRecord<T>(
  backend: SignatureBackend,
  kind: RecordKind,
  masterKey: Uint8Array,
  day: number,
  copy: number,
  record: MutableRecord,
  decode: (content: Uint8Array) => Result<T>,
): Promise<Result<T & Dated>> {
  const blinded = blindPublicKey(kind, masterKey, day, copy);
  if (!blinded.ok) return blinded;
  if (!equalBytes(blinded.value, record.publicKey)) return refuse("bad-record", "another key, day or copy");
  const verified = await verifyRecord(backend, record);
  if (!verified.ok) return verified;
  const place = { kind, masterKey, blindedKey: blinded.value, day };
  const content = openValue(place, record.value);
  if (!content.ok) return content;
  const decoded = decode(content.value);
  if (!decoded.ok) return decoded;
  const updatedAt = record.seq - seqOffset(place);
  return updatedAt < 0 ? refuse("bad-record", "seq") : accept({ ...decoded.value, updatedAt });
}
