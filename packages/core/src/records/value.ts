/**
 * A record's sealed value: always 1,000 bytes, readable to who knows the master key. docs/protocol/records.md section 3.
 *
 *   version u8 | nonce 12 | ChaCha20-Poly1305(padded CBOR)
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, concat, toHex, utf8 } from "../bytes.ts";
import { accept, EarshotError, refuse, type Result } from "../errors.ts";
import { pad, unpad } from "../padding.ts";
import type { RandomSource } from "../ports.ts";
import { kindCode, type RecordKind } from "./blinding.ts";
import { RECORD_BYTES } from "./sizes.ts";

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PADDED_BYTES = RECORD_BYTES - 1 - NONCE_BYTES - TAG_BYTES;
/** One byte less than fits, for the padding's mark. */
export const RECORD_CONTENT_MAX_BYTES = PADDED_BYTES - 1;

/** To which master key, day and kind a value belongs; `blindedKey` says to which copy. */
export interface RecordPlace {
  readonly kind: RecordKind;
  readonly masterKey: Uint8Array;
  readonly blindedKey: Uint8Array;
  readonly day: number;
}

/** Content over {@link RECORD_CONTENT_MAX_BYTES} is the caller's mistake (EarshotError `too-large`). */
export function sealValue(random: RandomSource, place: RecordPlace, content: Uint8Array): Uint8Array {
  if (content.length > RECORD_CONTENT_MAX_BYTES)
    throw new EarshotError("too-large", `a record holds at most ${RECORD_CONTENT_MAX_BYTES} bytes; name fewer places`);
  const padded = pad(content, PADDED_BYTES);
  const nonce = random.bytes(NONCE_BYTES);
  const sealed = chacha20poly1305(valueKey(place), nonce, associatedData(place)).encrypt(padded);
  return concat(Uint8Array.of(VERSION), nonce, sealed);
}

/** The CBOR inside. Refused: `bad-record` (size, padding), `unknown-version`, `open-failed`. */
export function openValue(place: RecordPlace, value: Uint8Array): Result<Uint8Array> {
  if (value.length !== RECORD_BYTES) return refuse("bad-record", "size");
  if (value[0] !== VERSION) return refuse("unknown-version");
  const nonce = value.subarray(1, 1 + NONCE_BYTES);
  let padded: Uint8Array;
  try {
    padded = chacha20poly1305(valueKey(place), nonce, associatedData(place)).decrypt(value.subarray(1 + NONCE_BYTES));
  } catch {
    return refuse("open-failed", "record");
  }
  const content = unpad(padded);
  return content ? accept(content) : refuse("bad-record", "padding");
}

function valueKey({ kind, masterKey, blindedKey, day }: RecordPlace): Uint8Array {
  return hkdf(sha256, masterKey, blindedKey, keyInfo("earshot record 1", kind, day), 32);
}

function associatedData({ blindedKey, day }: RecordPlace): Uint8Array {
  return new ByteWriter().u8(VERSION).raw(blindedKey).u32(day).finish();
}

const SEQ_OFFSET_BYTES = 5;

/**
 * What is added to the time of a record's making to give its seq: the same all day, unrelated between days and copies.
 * Without it, records signed in one go would carry one seq, and their holders could tell that they are of one owner.
 */
export function seqOffset({ kind, masterKey, blindedKey, day }: RecordPlace): number {
  const bytes = hkdf(sha256, masterKey, blindedKey, keyInfo("earshot record seq 1", kind, day), SEQ_OFFSET_BYTES);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** What a reader keeps its knowledge of a master key under: names in storage are not sealed everywhere. */
export function storedNameOf(masterKey: Uint8Array): string {
  return toHex(sha256(concat(utf8("earshot record name 1"), masterKey)).subarray(0, 16));
}

function keyInfo(label: string, kind: RecordKind, day: number): Uint8Array {
  return new ByteWriter().raw(utf8(label)).u8(kindCode(kind)).u32(day).finish();
}
