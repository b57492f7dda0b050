/**
 * Keys blinded per day and copy, so that only who knows the master key can tell that two records are of one owner.
 * docs/protocol/records.md section 1, after Tor's rend-spec-v3 appendix A.2.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { ByteWriter, concat, utf8 } from "../bytes.ts";
import { accept, EarshotError, refuse, type Result } from "../errors.ts";
import { decodePublicKey } from "../identity/ed25519.ts";
import { RECORD_COPIES } from "./sizes.ts";

export type RecordKind = "public" | "contact";
const KIND_CODES = { public: 1, contact: 2 } as const;
const { Point } = ed25519;
const { Fn } = Point;

/** Signs one copy of one day's records. Never leaves the device: with the blinding factor public, `scalar` would reveal the master key. */
export interface BlindedKeyPair {
  readonly publicKey: Uint8Array;
  readonly scalar: bigint;
  /** The nonce prefix, one per day and copy: never the master key's. */
  readonly prefix: Uint8Array;
}

/** `kind u8 | day u32` as hashes and keys take them in. */
export function kindCode(kind: RecordKind): number {
  return KIND_CODES[kind];
}

/** The public key of a day's copy (0 to {@link RECORD_COPIES} - 1) of a master public key. Refused: `bad-key`. */
export function blindPublicKey(kind: RecordKind, masterKey: Uint8Array, day: number, copy: number): Result<Uint8Array> {
  const key = decodePublicKey(masterKey);
  if (!key.ok) return key;
  const factor = blindingFactor(kind, masterKey, day, copy);
  return factor === 0n ? refuse("bad-key") : accept(Point.fromBytes(masterKey).multiplyUnsafe(factor).toBytes());
}

/** A master seed, expanded once for all the keys that are derived of it. */
export interface MasterKey {
  readonly publicKey: Uint8Array;
  readonly scalar: bigint;
  readonly prefix: Uint8Array;
}

/** RFC 8032 section 5.1.5. */
export function expandSeed(seed: Uint8Array): MasterKey {
  const { pointBytes, scalar, prefix } = ed25519.utils.getExtendedPublicKey(seed);
  return { publicKey: pointBytes, scalar, prefix };
}

/** The key pair of a day's copy of a master seed. EarshotError `bad-key` for one seed in 2^252. */
export function blindKeyPair(
  kind: RecordKind,
  seed: Uint8Array | MasterKey,
  day: number,
  copy: number,
): BlindedKeyPair {
  const master = seed instanceof Uint8Array ? expandSeed(seed) : seed;
  const factor = blindingFactor(kind, master.publicKey, day, copy);
  if (factor === 0n) throw new EarshotError("bad-key", "this key cannot be blinded for this day");
  const scalar = Fn.mul(factor, master.scalar);
  const prefix = blindingHash("EARSHOT-BLIND-PREFIX-1", kind, master.prefix, day, copy).subarray(0, 32);
  return { publicKey: Point.BASE.multiply(scalar).toBytes(), scalar, prefix };
}

/** RFC 8032 section 5.1.6 with the blinded scalar, prefix and key. */
export function signBlinded(pair: BlindedKeyPair, message: Uint8Array): Uint8Array {
  const r = reduce(sha512(concat(pair.prefix, message)));
  const nonce = Point.BASE.multiply(r).toBytes();
  const k = reduce(sha512(concat(nonce, pair.publicKey, message)));
  return concat(nonce, Fn.toBytes(Fn.add(r, Fn.mul(k, pair.scalar))));
}

function blindingFactor(kind: RecordKind, masterKey: Uint8Array, day: number, copy: number): bigint {
  return reduce(blindingHash("EARSHOT-BLIND-1", kind, masterKey, day, copy));
}

function blindingHash(label: string, kind: RecordKind, middle: Uint8Array, day: number, copy: number): Uint8Array {
  if (copy < 0 || copy >= RECORD_COPIES) throw new RangeError(`a record has the copies 0 to ${RECORD_COPIES - 1}`);
  return sha512(new ByteWriter().raw(utf8(label)).u8(KIND_CODES[kind]).raw(middle).u32(day).u8(copy).finish());
}

/** 64 bytes, little-endian as in RFC 8032, modulo the group order. */
function reduce(hash: Uint8Array): bigint {
  let value = 0n;
  for (const byte of hash.toReversed()) value = (value << 8n) | BigInt(byte);
  return Fn.create(value);
}
