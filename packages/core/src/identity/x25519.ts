/** X25519 keys (RFC 7748). docs/protocol/identity.md section 1. */
import { x25519 } from "@noble/curves/ed25519.js";
import { toHex } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";

/** 2^255 - 19, big-endian hex. */
const FIELD_PRIME = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";

/** Every canonical u of order 1, 2, 4 or 8 on the curve or its twist, big-endian: a shared secret with one of these is zero. */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000001",
  "00b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0",
  "57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f",
  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
]);

/** The public key of a 32-byte secret. */
export function x25519PublicKey(secret: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secret);
}

/** Accepts 32 bytes that are a canonical u-coordinate (below 2^255 - 19) not of small order; else `bad-key`. */
export function decodeX25519Key(bytes: Uint8Array): Result<Uint8Array> {
  if (bytes.length !== 32) return refuse("bad-key");
  const bigEndian = toHex(bytes.toReversed());
  return bigEndian < FIELD_PRIME && !SMALL_ORDER.has(bigEndian) ? accept(bytes) : refuse("bad-key");
}
