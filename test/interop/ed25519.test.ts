/**
 * Ed25519 on four backends: noble, node:crypto, WebCrypto and libsodium. The published vectors, and the edge cases on which
 * their native rules differ, must come out alike under our one rule. docs/protocol/identity.md section 1.
 */
import * as nodeCrypto from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import sodium from "libsodium-wrappers";
import { ed25519 } from "@noble/curves/ed25519.js";
import {
  decodePublicKey,
  fromHex,
  nobleBackend,
  nodeCryptoBackend,
  publicKeyOf,
  type SignatureBackend,
  signEd25519,
  toHex,
  unwrap,
  verifyEd25519,
  webCryptoBackend,
} from "@earshot/core";
import { edgeCases, reduceS, smallOrderEncodings } from "./lib/ed25519-edge-cases.ts";
import rfc8032 from "./vectors/ed25519-rfc8032.json" with { type: "json" };
import speccheck from "./vectors/ed25519-speccheck.json" with { type: "json" };

const hex = (text: string) => unwrap(fromHex(text));

const libsodium: SignatureBackend = {
  name: "libsodium",
  checkR: false, // R is compared as bytes, and refused where it has small order
  sign: (seed, message) => sodium.crypto_sign_detached(message, sodium.crypto_sign_seed_keypair(seed).privateKey),
  verify: (key, message, signature) => sodium.crypto_sign_verify_detached(signature, message, key),
};

/** As lax as any platform could be: cofactored, takes non-canonical points (ZIP 215) and any S. Only our checks make it agree. */
const lax: SignatureBackend = {
  name: "webcrypto",
  checkR: true,
  sign: (seed, message) => ed25519.sign(message, seed),
  verify: (key, message, signature) => ed25519.verify(reduceS(signature), message, key, { zip215: true }),
};

const backends: SignatureBackend[] = [];
beforeAll(async () => {
  await sodium.ready;
  const webCrypto = await webCryptoBackend(nodeCrypto.webcrypto.subtle);
  backends.push(nobleBackend, nodeCryptoBackend(nodeCrypto), webCrypto as SignatureBackend, libsodium, lax);
});

const NAMES = ["noble", "node", "webcrypto", "libsodium", "lax"];

async function verdicts(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<string> {
  const all = await Promise.all(backends.map((backend) => verifyEd25519(backend, publicKey, message, signature)));
  return NAMES.map((name, i) => `${name} ${all[i]}`).join(", ");
}
const allSay = (verdict: boolean) => NAMES.map((name) => `${name} ${verdict}`).join(", ");

test.each(rfc8032.cases)("RFC 8032, $name", async ({ seed, publicKey, message, signature }) => {
  expect(toHex(publicKeyOf(hex(seed)))).toBe(publicKey);
  for (const backend of backends) expect(toHex(await signEd25519(backend, hex(seed), hex(message)))).toBe(signature);
  expect(await verdicts(hex(publicKey), hex(message), hex(signature))).toBe(allSay(true));
  const altered = hex(signature).with(40, (hex(signature)[40] as number) ^ 1);
  expect(await verdicts(hex(publicKey), hex(message), altered)).toBe(allSay(false));
});

test.each(speccheck.cases)("speccheck: $name", async ({ publicKey, message, signature }) => {
  expect(await verdicts(hex(publicKey), hex(message), hex(signature))).toBe(allSay(false));
});

describe("without our rule", () => {
  test("the four disagree on the same cases", async () => {
    const disagreements = await Promise.all(
      speccheck.cases.map(async ({ publicKey, message, signature }) => {
        const [key, m, s] = [hex(publicKey), hex(message), hex(signature)] as const;
        const native = await Promise.all(
          backends.slice(1, 4).map(async (backend) => tryVerify(() => backend.verify(key, m, s))),
        );
        return new Set([...native, await tryVerify(() => ed25519.verify(s, m, key))]).size > 1;
      }),
    );
    expect(disagreements.filter(Boolean).length).toBeGreaterThan(3);
  });
});

async function tryVerify(verify: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await verify();
  } catch {
    return false;
  }
}

test.each(edgeCases())("$name: $valid", async ({ publicKey, message, signature, valid }) => {
  expect(await verdicts(publicKey, message, signature)).toBe(allSay(valid));
});

test("every small-order point in every encoding is refused as a key, by each way of checking", () => {
  const encodings = smallOrderEncodings();
  expect(encodings).toHaveLength(14);
  for (const key of encodings)
    for (const backend of [nobleBackend, nodeCryptoBackend(nodeCrypto)])
      expect(decodePublicKey(key, backend.x25519)).toMatchObject({ ok: false, code: "bad-key" });
});

test("every small-order A with every small-order R is refused by all four", async () => {
  const zero = new Uint8Array(32);
  for (const a of smallOrderEncodings())
    for (const r of smallOrderEncodings())
      expect(await verdicts(a, zero, Uint8Array.of(...r, ...zero))).toBe(allSay(false));
});

test("OpenSSL's X25519 tells torsion as noble's scalar multiplication does", () => {
  const { x25519 } = nodeCryptoBackend(nodeCrypto);
  for (let i = 1; i < 20; i++) {
    const point = ed25519.Point.BASE.multiply(BigInt(i) ** 40n);
    for (const torsion of smallOrderEncodings().slice(0, 8)) {
      const sum = point.add(ed25519.Point.fromBytes(torsion));
      expect(decodePublicKey(sum.toBytes(), x25519).ok).toBe(sum.isTorsionFree());
    }
  }
});
