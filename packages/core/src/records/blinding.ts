/**
 * Keys blinded per day, so that only who knows the master key can tell that two days' records are of one owner.
 * docs/protocol/records.md section 1, after Tor's rend-spec-v3 appendix A.2.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { ByteWriter, concat, utf8 } from "../bytes.ts";
import { accept, EarshotError, refuse, type Result } from "../errors.ts";
import { decodePublicKey } from "../identity/ed25519.ts";

export type RecordKind = "public" | "contact";
const KIND_CODES = { public: 1, contact: 2 } as const;
const { Point } = ed25519;
const { Fn } = Point;

/** Signs one day's records. Never leaves the device: with the blinding factor public, `scalar` would reveal the master key. */
export interface BlindedKeyPair {
  readonly publicKey: Uint8Array;
  readonly scalar: bigint;
  /** The nonce prefix, one per day: never the master key's. */
  readonly prefix: Uint8Array;
}

/** `kind u8 | day u32` as hashes and keys take them in. */
export function kindCode(kind: RecordKind): number {
  return KIND_CODES[kind];
}

/** The day's public key of a master public key. Refused: `bad-key`. */
export function blindPublicKey(kind: RecordKind, masterKey: Uint8Array, day: number): Result<Uint8Array> {
  const key = decodePublicKey(masterKey);
  if (!key.ok) return key;
  const factor = blindingFactor(kind, masterKey, day);
  return factor === 0n ? refuse("bad-key") : accept(Point.fromBytes(masterKey).multiplyUnsafe(factor).toBytes());
}

/** The day's key pair of a master seed. */
export function blindKeyPair(kind: RecordKind, seed: Uint8Array, day: number): BlindedKeyPair {
  const master = ed25519.utils.getExtendedPublicKey(seed);
  const factor = blindingFactor(kind, master.pointBytes, day);
  if (factor === 0n) throw new EarshotError("bad-key", "this key cannot be blinded for this day");
  const scalar = Fn.mul(factor, master.scalar);
  const prefix = blindingHash("EARSHOT-BLIND-PREFIX-1", kind, master.prefix, day).subarray(0, 32);
  return { publicKey: Point.BASE.multiply(scalar).toBytes(), scalar, prefix };
}

/** RFC 8032 section 5.1.6 with the blinded scalar, prefix and key. */
export function signBlinded(pair: BlindedKeyPair, message: Uint8Array): Uint8Array {
  const r = reduce(sha512(concat(pair.prefix, message)));
  const nonce = Point.BASE.multiply(r).toBytes();
  const k = reduce(sha512(concat(nonce, pair.publicKey, message)));
  return concat(nonce, Fn.toBytes(Fn.add(r, Fn.mul(k, pair.scalar))));
}

function blindingFactor(kind: RecordKind, masterKey: Uint8Array, day: number): bigint {
  return reduce(blindingHash("EARSHOT-BLIND-1", kind, masterKey, day));
}

function blindingHash(label: string, kind: RecordKind, middle: Uint8Array, day: number): Uint8Array {
  return sha512(new ByteWriter().raw(utf8(label)).u8(KIND_CODES[kind]).raw(middle).u32(day).finish());
}

/** 64 bytes, little-endian as in RFC 8032, modulo the group order. */
function reduce(hash: Uint8Array): bigint {
  let value = 0n;
  for (const byte of hash.toReversed()) value = (value << 8n) | BigInt(byte);
  return Fn.create(value);
}
