/** What the two kinds of record say, and whole records made and opened. docs/protocol/records.md section 4. */
import { equalBytes } from "../bytes.ts";
import { asArray, asBytes, asUint, asVersioned, type CborValue, encodeCbor, readCbor } from "../cbor.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { cborOfHome, type Home, homeOfCbor } from "../identity/card.ts";
import { HASH_BYTES, type ListHead } from "../identity/device-list.ts";
import { decodePublicKey, KEY_BYTES, publicKeyOf } from "../identity/ed25519.ts";
import type { RandomSource, SignatureBackend } from "../ports.ts";
import { blindKeyPair, blindPublicKey, type RecordKind } from "./blinding.ts";
import { PUBLIC_RECORD_AHEAD_DAYS } from "./day.ts";
import { type MutableRecord, signRecord, verifyRecord } from "./mutable-record.ts";
import { openValue, sealValue, seqOffset } from "./value.ts";

/** A mailbox at a home. */
export interface Place {
  readonly home: Home;
  readonly mailboxId: Uint8Array;
}

/** What a stranger needs, under the account key. `places` take requests only. */
export interface PublicRecord {
  readonly listHead: ListHead;
  readonly bundleHash: Uint8Array;
  readonly places: readonly Place[];
}

/** What a contact needs, under one device's locator key. */
export interface ContactRecord {
  readonly deviceKey: Uint8Array;
  readonly bundleHash: Uint8Array;
  readonly places: readonly Place[];
}

/** When the content was written, comparable between days: the later of two answers holds. Unix milliseconds. */
export interface Dated {
  readonly updatedAt: number;
}

export const RECORD_MAX_PLACES = 4;
export const MAILBOX_ID_BYTES = 16;
const MAX_LIST_NUMBER = 0xffff_ffff;

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
  const { n, hash } = content.listHead;
  const cbor: CborValue = [1, [n, hash], content.bundleHash, cborOfPlaces(content.places)];
  return makeRecord(random, "public", accountSeed, day, updatedAt, cbor);
}

/** Public records for `days` days from `fromDay` on, so that the account key need not be at hand until they run out. */
export function signPublicRecordsAhead(
  random: RandomSource,
  accountSeed: Uint8Array,
  fromDay: number,
  updatedAt: number,
  content: PublicRecord,
  days: number = PUBLIC_RECORD_AHEAD_DAYS,
): { readonly day: number; readonly record: MutableRecord }[] {
  if (days > PUBLIC_RECORD_AHEAD_DAYS) throw new RangeError(`at most ${PUBLIC_RECORD_AHEAD_DAYS} days ahead`);
  return Array.from({ length: days }, (_, i) => {
    const day = fromDay + i;
    return { day, record: makePublicRecord(random, accountSeed, day, updatedAt, content) };
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
  const cbor: CborValue = [1, content.deviceKey, content.bundleHash, cborOfPlaces(content.places)];
  return makeRecord(random, "contact", locatorSeed, day, updatedAt, cbor);
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
  return openRecord(backend, "public", accountKey, day, record, (value) => {
    const [, listHead, bundleHash, places] = asVersioned(value, 4);
    const [n, hash] = asArray(listHead, 2);
    return accept({
      listHead: { n: asUint(n, MAX_LIST_NUMBER), hash: asBytes(hash, HASH_BYTES) },
      bundleHash: asBytes(bundleHash, HASH_BYTES),
      places: placesOfCbor(places),
    });
  });
}

/** As {@link openPublicRecord}, under a device's locator key. */
export async function openContactRecord(
  backend: SignatureBackend,
  locatorKey: Uint8Array,
  day: number,
  record: MutableRecord,
): Promise<Result<ContactRecord & Dated>> {
  return openRecord(backend, "contact", locatorKey, day, record, (value) => {
    const [, deviceKey, bundleHash, places] = asVersioned(value, 4);
    const key = decodePublicKey(asBytes(deviceKey, KEY_BYTES), backend.x25519);
    if (!key.ok) return key;
    return accept({ deviceKey: key.value, bundleHash: asBytes(bundleHash, HASH_BYTES), places: placesOfCbor(places) });
  });
}

function makeRecord(
  random: RandomSource,
  kind: RecordKind,
  seed: Uint8Array,
  day: number,
  updatedAt: number,
  cbor: CborValue,
): MutableRecord {
  const pair = blindKeyPair(kind, seed, day);
  const place = { kind, masterKey: publicKeyOf(seed), blindedKey: pair.publicKey, day };
  return signRecord(pair, updatedAt + seqOffset(place), sealValue(random, place, encodeCbor(cbor)));
}

async function openRecord<T>(
  backend: SignatureBackend,
  kind: RecordKind,
  masterKey: Uint8Array,
  day: number,
  record: MutableRecord,
  read: (value: CborValue) => Result<T>,
): Promise<Result<T & Dated>> {
  const blinded = blindPublicKey(kind, masterKey, day);
  if (!blinded.ok) return blinded;
  if (!equalBytes(blinded.value, record.publicKey)) return refuse("bad-record", "another key or day");
  const verified = await verifyRecord(backend, record);
  if (!verified.ok) return verified;
  const place = { kind, masterKey, blindedKey: blinded.value, day };
  const content = openValue(place, record.value);
  if (!content.ok) return content;
  const decoded = readCbor(content.value, read);
  if (!decoded.ok) return decoded.code === "bad-cbor" ? refuse("bad-record", decoded.detail) : decoded;
  const updatedAt = record.seq - seqOffset(place);
  return updatedAt < 0 ? refuse("bad-record", "seq") : accept({ ...decoded.value, updatedAt });
}

function cborOfPlaces(places: readonly Place[]): CborValue {
  if (places.length < 1 || places.length > RECORD_MAX_PLACES)
    throw new RangeError(`a record names 1 to ${RECORD_MAX_PLACES} places`);
  return places.map(({ home, mailboxId }) => [cborOfHome(home), mailboxId]);
}

function placesOfCbor(value: CborValue | undefined): Place[] {
  return asArray(value, [1, RECORD_MAX_PLACES]).map((place) => {
    const [home, mailboxId] = asArray(place, 2);
    return { home: homeOfCbor(home as CborValue), mailboxId: asBytes(mailboxId, MAILBOX_ID_BYTES) };
  });
}
