/** Signatures that a dishonest signer can make with a known key: each meets some verifier's rule and breaks ours, or the other way round. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";

const { Point } = ed25519;
const { Fn, Fp } = Point;
const P = Fp.ORDER;
const L = Fn.ORDER;
const ORDER_8 = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");

export interface EdgeCase {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

/** The eight small-order points in their canonical encodings, then the six encodings of them that are not canonical. */
export function smallOrderEncodings(): Uint8Array[] {
  const canonical = Array.from({ length: 8 }, (_, i) => multiple(ORDER_8, i).toBytes());
  // y = 1 and y = 0 again as p + 1 and p; x = 0 (y = 1, -1) again with the sign of x set
  const others: [bigint, boolean][] = [
    [P + 1n, false],
    [P + 1n, true],
    [P, false],
    [P, true],
    [1n, true],
    [P - 1n, true],
  ];
  return [...canonical, ...others.map(([y, sign]) => encode(y, sign))];
}

export function edgeCases(): EdgeCase[] {
  const seed = new Uint8Array(32).fill(11);
  const { scalar: a, point: A, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const message = new TextEncoder().encode("edge");
  const sign = (r: bigint, R: Uint8Array, key: Uint8Array = pointBytes) => {
    const k = challenge(R, key, message);
    return Fn.add(r, Fn.mul(k, a));
  };
  const r = 123_456_789n;
  const R = Point.BASE.multiply(r);
  const made: EdgeCase[] = [];
  const add = (name: string, bytes: Uint8Array, s: bigint, valid: boolean, publicKey: Uint8Array = pointBytes) =>
    made.push({ name, publicKey, message, signature: Uint8Array.of(...bytes, ...littleEndian(s)), valid });

  const s = sign(r, R.toBytes());
  add("an honest signature", R.toBytes(), s, true);
  add("S + l", R.toBytes(), s + L, false);
  add("S + 8l, with the top bits set", R.toBytes(), s + 8n * L, false);
  add("R the identity, S = k a", Point.ZERO.toBytes(), sign(0n, Point.ZERO.toBytes()), false);
  for (let i = 1; i < 8; i++) {
    const torsioned = R.add(multiple(ORDER_8, i)).toBytes();
    add(`R with torsion component ${i}`, torsioned, sign(r, torsioned), false);
    const key = A.add(multiple(ORDER_8, i)).toBytes();
    add(`A with torsion component ${i}`, R.toBytes(), sign(r, R.toBytes(), key), false, key);
  }
  smallOrderEncodings().forEach((encoding, i) =>
    add(`R of small order, encoding ${i}`, encoding, sign(0n, encoding), false),
  );
  return made;
}

/** The signature with S modulo l, as a verifier that does not check S takes it. */
export function reduceS(signature: Uint8Array): Uint8Array {
  const s = signature.subarray(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(s % L));
}

function multiple(point: InstanceType<typeof Point>, times: number) {
  let sum = Point.ZERO;
  for (let i = 0; i < times; i++) sum = sum.add(point);
  return sum;
}

function challenge(R: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  const hash = sha512(Uint8Array.of(...R, ...key, ...message));
  return Fn.create(hash.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n));
}

function encode(y: bigint, sign: boolean): Uint8Array {
  const bytes = littleEndian(y);
  if (sign) bytes[31] = (bytes[31] as number) | 0x80;
  return bytes;
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}
