/** Ed25519 (RFC 8032) with one verify rule for every backend. docs/protocol/identity.md section 1. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, equalBytes, toHex } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import type { SignatureBackend, X25519Function } from "../ports.ts";

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** Points already found good. Checking one costs a noble backend about a millisecond; losing the cache only costs time. */
const KEY_CACHE_MAX = 4_096;

const { Point } = ed25519;
type Point = InstanceType<typeof Point>;
/** The group order l. */
const ORDER = Point.Fn.ORDER;
const IDENTITY = Point.ZERO.toBytes();

/** 5l - 1: a multiple of 8 in clamped form that is -1 modulo l, so it drops a point's torsion and keeps its u-coordinate. */
const DROP_TORSION = littleEndian(5n * ORDER - 1n);

const cache = new Map<string, Point>();

/**
 * Accepts 32 bytes that are the canonical encoding of a point of prime order (not the identity, not of small order, no
 * torsion component); else `bad-key`. A platform's own `x25519` makes it several times faster.
 */
export function decodePublicKey(bytes: Uint8Array, x25519?: X25519Function): Result<Uint8Array> {
  return decodePoint(bytes, x25519) ? accept(bytes) : refuse("bad-key");
}

function decodePoint(bytes: Uint8Array, x25519?: X25519Function): Point | undefined {
  if (bytes.length !== KEY_BYTES) return undefined;
  const id = toHex(bytes);
  const known = cache.get(id);
  const point = known ?? checkPoint(bytes, x25519);
  if (!point) return undefined;
  cache.delete(id); // to the end: the map's first key is then the least recently used
  cache.set(id, point);
  if (cache.size > KEY_CACHE_MAX) cache.delete(cache.keys().next().value as string);
  return point;
}

function checkPoint(bytes: Uint8Array, x25519?: X25519Function): Point | undefined {
  let point: Point;
  try {
    point = Point.fromBytes(bytes, false); // refuses y >= p, x = 0 with a sign, and points off the curve
  } catch {
    return undefined;
  }
  return isTorsionFree(point, x25519) ? point : undefined;
}

/** P = Q + T with T in the torsion subgroup: DROP_TORSION gives -Q, whose u is P's only if T = 0 (or Q = 0, where u is 0 or undefined). */
function isTorsionFree(point: Point, x25519?: X25519Function): boolean {
  if (point.isSmallOrder()) return false;
  if (!x25519) return point.isTorsionFree();
  const { Fp } = Point;
  const { y } = point;
  const u = Fp.toBytes(Fp.div(Fp.add(Fp.ONE, y), Fp.sub(Fp.ONE, y)));
  return equalBytes(x25519(DROP_TORSION, u), u);
}

/** The public key of a 32-byte seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

/** RFC 8032 section 5.1.6 by the given backend. */
export async function signEd25519(
  backend: SignatureBackend,
  seed: Uint8Array,
  message: Uint8Array,
): Promise<Uint8Array> {
  return backend.sign(seed, message);
}

/**
 * The one rule: the key passes {@link decodePublicKey}, S < l, R is not the identity, and R's 32 bytes are the canonical
 * encoding of [S]B - [k]A. A backend that is laxer about R gets R checked here, which makes its equation the same.
 */
export async function verifyEd25519(
  backend: SignatureBackend,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const r = signature.subarray(0, 32);
  if (equalBytes(r, IDENTITY) || scalarOf(signature.subarray(32)) >= ORDER) return false;
  if (!decodePoint(publicKey, backend.x25519)) return false;
  if (backend.checkR && !checkPoint(r, backend.x25519)) return false;
  return backend.verify(publicKey, message, signature);
}

/** Pure JavaScript: slow (about a millisecond each) and the same everywhere. Its verify is the cofactorless equation itself. */
export const nobleBackend: SignatureBackend = {
  name: "noble",
  checkR: false,
  sign: (seed, message) => ed25519.sign(message, seed),
  verify: (publicKey, message, signature) => {
    const a = decodePoint(publicKey);
    const s = scalarOf(signature.subarray(32));
    if (!a || signature.length !== SIGNATURE_BYTES || s >= ORDER) return false;
    const r = signature.subarray(0, 32);
    const k = scalarOf(sha512(concat(r, publicKey, message))) % ORDER;
    return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), r);
  },
};

function scalarOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed()) || "0"}`);
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}
