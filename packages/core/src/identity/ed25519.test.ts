import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { x25519 } from "@noble/curves/ed25519.js";
import {
  decodePublicKey,
  decodeX25519Key,
  fromHex,
  nobleBackend,
  publicKeyOf,
  unwrap,
  utf8,
  x25519PublicKey,
} from "@earshot/core";
import { signEd25519, verifyEd25519 } from "./ed25519.ts";

const seed = new Uint8Array(32).fill(7);
const hex = (text: string) => unwrap(fromHex(text));
const fixed32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes));
const nativeX25519 = (scalar: Uint8Array, u: Uint8Array) => x25519.scalarMult(scalar, u);

test("a signature verifies under its key and message, and under no other", async () => {
  const message = utf8("hello");
  const signature = await signEd25519(nobleBackend, seed, message);
  const verify = (key: Uint8Array, m: Uint8Array, s: Uint8Array) => verifyEd25519(nobleBackend, key, m, s);
  expect(await verify(publicKeyOf(seed), message, signature)).toBe(true);
  expect(await verify(publicKeyOf(seed.with(0, 8)), message, signature)).toBe(false);
  expect(await verify(publicKeyOf(seed), utf8("hellp"), signature)).toBe(false);
  for (const place of [0, 31, 32, 62, 63])
    expect(await verify(publicKeyOf(seed), message, signature.with(place, (signature[place] as number) ^ 1))).toBe(
      false,
    );
  for (const length of [0, 63])
    expect(await verify(publicKeyOf(seed), message, signature.subarray(0, length))).toBe(false);
});

test("random keys and signatures are refused, never thrown at", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fixed32, fixed32, async (key, r, s) => {
      decodePublicKey(Uint8Array.from(key));
      expect(await verifyEd25519(nobleBackend, Uint8Array.from(key), key, Uint8Array.of(...r, ...s))).toBe(false);
      expect(await verifyEd25519(nobleBackend, publicKeyOf(seed), key, Uint8Array.of(...r, ...s))).toBe(false);
    }),
    { numRuns: 30 },
  );
});

const torsion = [
  ["the identity", `01${"00".repeat(31)}`],
  ["the point of order 2", `ec${"ff".repeat(30)}7f`],
  ["a point of order 4", "00".repeat(32)],
  ["a point of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
  ["the identity with a sign", `01${"00".repeat(30)}80`],
  ["the identity, not canonical (p + 1)", `ee${"ff".repeat(30)}7f`],
  ["a point of order 4, not canonical (p)", `ed${"ff".repeat(30)}7f`],
  ["a point off the curve", `02${"00".repeat(31)}`],
] as const;

describe.each([
  ["in pure JavaScript", undefined],
  ["by a native X25519", nativeX25519],
])("keys checked %s", (_name, native) => {
  test.each(torsion)("%s is refused", (_what, key) => {
    expect(decodePublicKey(hex(key), native)).toMatchObject({ ok: false, code: "bad-key" });
  });

  test("every torsion component added to a good key is refused, and the good key is not", async () => {
    const { ed25519, ED25519_TORSION_SUBGROUP } = await import("@noble/curves/ed25519.js");
    for (let i = 0; i < 4; i++) {
      const key = publicKeyOf(seed.with(31, 100 + i));
      expect(decodePublicKey(key, native)).toEqual({ ok: true, value: key });
      const verdicts = ED25519_TORSION_SUBGROUP.map((torsionPoint) => {
        const sum = ed25519.Point.fromBytes(key).add(ed25519.Point.fromHex(torsionPoint)).toBytes();
        return decodePublicKey(sum, native).ok;
      });
      expect(verdicts).toEqual([true, false, false, false, false, false, false, false]);
    }
  });
});

test("an X25519 key whose shared secret would be zero, or that is not canonical, is refused", () => {
  const secret = seed;
  fc.assert(
    fc.property(fixed32, (s) => {
      expect(decodeX25519Key(x25519PublicKey(s)).ok).toBe(true);
    }),
    { numRuns: 10 },
  );
  const low = ["00".repeat(32), `01${"00".repeat(31)}`, `ec${"ff".repeat(30)}7f`];
  low.push("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
  low.push("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157");
  for (const key of low) {
    expect(() => x25519.getSharedSecret(secret, hex(key))).toThrow();
    expect(decodeX25519Key(hex(key))).toMatchObject({ ok: false, code: "bad-key" });
  }
  for (const key of [`ed${"ff".repeat(30)}7f`, `f5${"ff".repeat(30)}7f`, `09${"00".repeat(30)}80`, "09"])
    expect(decodeX25519Key(hex(key))).toMatchObject({ ok: false, code: "bad-key" });
});
