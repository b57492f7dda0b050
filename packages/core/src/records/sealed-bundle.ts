/**
 * Bundles as homes keep them: readable to who knows the master key, one of two sizes. docs/protocol/records.md section 5.
 *
 *   version u8 | nonce 12 | ChaCha20-Poly1305(padded CBOR)
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, concat, equalBytes, utf8 } from "../bytes.ts";
import { EarshotError, refuse, type Result } from "../errors.ts";
import { pad, unpad } from "../padding.ts";
import { blindPublicKey, kindCode, type RecordKind } from "./blinding.ts";
import { type Bundle, decodeBundle, encodeBundle } from "./bundle.ts";
import {
  BUNDLE_CONTENT_MAX_BYTES,
  BUNDLE_MAX_BYTES,
  BUNDLE_NONCE_BYTES,
  BUNDLE_OVERHEAD_BYTES,
  BUNDLE_SIZES,
} from "./sizes.ts";

/** A day has one bundle, which all copies of its record name: it is sealed under the first copy's key. */
const BUNDLE_COPY = 0;
const VERSION = 1;

/** What a record names a bundle by, and what a home keeps it under: H of the sealed bytes. */
export function bundleHash(sealed: Uint8Array): Uint8Array {
  return sha256(sealed);
}

/**
 * A bundle for the record of this kind, key and day. The same bundle gives the same bytes all day, so that publishing it
 * again takes no more room, and unrelated ones on another day. Over {@link BUNDLE_CONTENT_MAX_BYTES}: EarshotError
 * `too-large`; list fewer devices or prekeys. A bad master key: `bad-key`.
 */
export function sealBundle(kind: RecordKind, masterKey: Uint8Array, day: number, bundle: Bundle): Uint8Array {
  const content = encodeBundle(bundle);
  const size = BUNDLE_SIZES.find((each) => content.length < each - BUNDLE_OVERHEAD_BYTES);
  if (!size)
    throw new EarshotError(
      "too-large",
      `a bundle has at most ${BUNDLE_CONTENT_MAX_BYTES} bytes; list fewer devices or prekeys`,
    );
  const blinded = blindPublicKey(kind, masterKey, day, BUNDLE_COPY);
  if (!blinded.ok) throw new EarshotError(blinded.code, "this key cannot be blinded for this day");
  const padded = pad(content, size - BUNDLE_OVERHEAD_BYTES);
  // From the content: one key seals the few bundles of a day, and no two of them under one nonce.
  const nonce = hkdf(sha256, masterKey, sha256(padded), info("earshot bundle nonce 1", kind, day), BUNDLE_NONCE_BYTES);
  const place = { kind, masterKey, blindedKey: blinded.value, day };
  return concat(Uint8Array.of(VERSION), nonce, cipher(place, nonce).encrypt(padded));
}

/**
 * The bundle that a record under this key and day names. Form only. Refused: `too-large`, `bad-bundle` (another hash, size
 * or padding, or what {@link decodeBundle} refuses), `unknown-version`, `open-failed`, `bad-key`.
 */
export function openBundle(
  kind: RecordKind,
  masterKey: Uint8Array,
  day: number,
  sealed: Uint8Array,
  expectedHash: Uint8Array,
): Result<Bundle> {
  if (sealed.length > BUNDLE_MAX_BYTES) return refuse("too-large", "bundle");
  if (!equalBytes(bundleHash(sealed), expectedHash)) return refuse("bad-bundle", "hash");
  if (sealed[0] !== VERSION) return refuse("unknown-version", "bundle");
  if (!BUNDLE_SIZES.some((size) => size === sealed.length)) return refuse("bad-bundle", "size");
  const blinded = blindPublicKey(kind, masterKey, day, BUNDLE_COPY);
  if (!blinded.ok) return blinded;
  const place = { kind, masterKey, blindedKey: blinded.value, day };
  let padded: Uint8Array;
  try {
    padded = cipher(place, sealed.subarray(1, 1 + BUNDLE_NONCE_BYTES)).decrypt(sealed.subarray(1 + BUNDLE_NONCE_BYTES));
  } catch {
    return refuse("open-failed", "bundle");
  }
  const content = unpad(padded);
  return content ? decodeBundle(content) : refuse("bad-bundle", "padding");
}

interface BundlePlace {
  readonly kind: RecordKind;
  readonly masterKey: Uint8Array;
  readonly blindedKey: Uint8Array;
  readonly day: number;
}

function cipher({ kind, masterKey, blindedKey, day }: BundlePlace, nonce: Uint8Array) {
  const key = hkdf(sha256, masterKey, blindedKey, info("earshot bundle 1", kind, day), 32);
  return chacha20poly1305(key, nonce, new ByteWriter().u8(VERSION).raw(blindedKey).u32(day).finish());
}

function info(label: string, kind: RecordKind, day: number): Uint8Array {
  return new ByteWriter().raw(utf8(label)).u8(kindCode(kind)).u32(day).finish();
}
