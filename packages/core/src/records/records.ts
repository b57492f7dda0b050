/** Whole records, made and opened. docs/protocol/records.md sections 2 to 4. */
import { equalBytes } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { publicKeyOf } from "../identity/ed25519.ts";
import type { RandomSource, SignatureBackend } from "../ports.ts";
import { blindKeyPair, blindPublicKey, type RecordKind } from "./blinding.ts";
import {
  type ContactRecord,
  decodeContactContent,
  decodePublicContent,
  encodeContactContent,
  encodePublicContent,
  type PublicRecord,
} from "./contents.ts";
import { PUBLIC_RECORD_AHEAD_DAYS } from "./day.ts";
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

/** Signs and seals one day's public record. Content that does not fit is the caller's mistake (RangeError, EarshotError `too-large`). */
export function makePublicRecord(
  random: RandomSource,
  accountSeed: Uint8Array,
  day: number,
  updatedAt: number,
  content: PublicRecord,
): MutableRecord {
  return makeRecord(random, "public", accountSeed, day, updatedAt, encodePublicContent(content));
}

/**
 * Public records for `days` days from `fromDay` on, so that the account key need not be at hand until they run out. Each
 * day's names the bundle that is sealed for it.
 */
export function signPublicRecordsAhead(
  random: RandomSource,
  accountSeed: Uint8Array,
  fromDay: number,
  updatedAt: number,
  contentOf: (day: number) => PublicRecord,
  days: number = PUBLIC_RECORD_AHEAD_DAYS,
): { readonly day: number; readonly record: MutableRecord }[] {
  if (days > PUBLIC_RECORD_AHEAD_DAYS) throw new RangeError(`at most ${PUBLIC_RECORD_AHEAD_DAYS} days ahead`);
  return Array.from({ length: days }, (_, i) => {
    const day = fromDay + i;
    return { day, record: makePublicRecord(random, accountSeed, day, updatedAt, contentOf(day)) };
  });
}

/** Signs and seals one day's contact record. Errors as {@link makePublicRecord}. */
export function makeContactRecord(
  random: RandomSource,
  locatorSeed: Uint8Array,
  day: number,
  updatedAt: number,
  content: ContactRecord,
): MutableRecord {
  return makeRecord(random, "contact", locatorSeed, day, updatedAt, encodeContactContent(content));
}

/**
 * Checks and reads a record that a holder answered with. Refused: `bad-record` (another key or day's, or its content),
 * `too-large`, `bad-key`, `bad-signature`, `open-failed`, `unknown-version`.
 */
export async function openPublicRecord(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  day: number,
  record: MutableRecord,
): Promise<Result<PublicRecord & Dated>> {
  return openRecord(backend, "public", accountKey, day, record, decodePublicContent);
}

/** As {@link openPublicRecord}, under a device's locator key. */
export async function openContactRecord(
  backend: SignatureBackend,
  locatorKey: Uint8Array,
  day: number,
  record: MutableRecord,
): Promise<Result<ContactRecord & Dated>> {
  return openRecord(backend, "contact", locatorKey, day, record, decodeContactContent);
}

function makeRecord(
  random: RandomSource,
  kind: RecordKind,
  seed: Uint8Array,
  day: number,
  updatedAt: number,
  content: Uint8Array,
): MutableRecord {
  const pair = blindKeyPair(kind, seed, day);
  const place = { kind, masterKey: publicKeyOf(seed), blindedKey: pair.publicKey, day };
  return signRecord(pair, updatedAt + seqOffset(place), sealValue(random, place, content));
}

async function openRecord<T>(
  backend: SignatureBackend,
  kind: RecordKind,
  masterKey: Uint8Array,
  day: number,
  record: MutableRecord,
  decode: (content: Uint8Array) => Result<T>,
): Promise<Result<T & Dated>> {
  const blinded = blindPublicKey(kind, masterKey, day);
  if (!blinded.ok) return blinded;
  if (!equalBytes(blinded.value, record.publicKey)) return refuse("bad-record", "another key or day");
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
