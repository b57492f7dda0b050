/** node:crypto where core asks for a backend: several times faster than portable code, which is what a supernode lives on. */
import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  sign as signWith,
  verify as verifyWith,
} from "node:crypto";
import type { AeadBackend, SignatureBackend, X25519Function } from "@earshot/core";
import { BoundedMap } from "./store/bounded-map.ts";

// DER in front of 32 raw bytes (RFC 8410).
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");
const TAG_BYTES = 16;

const privateKeyOf = (prefix: Buffer, raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "pkcs8" });
/** As JWK, which OpenSSL 3 takes in 15 microseconds where DER takes it 100. */
const publicKeyOf = (crv: "Ed25519" | "X25519", raw: Uint8Array): KeyObject =>
  createPublicKey({ key: { kty: "OKP", crv, x: Buffer.from(raw).toString("base64url") }, format: "jwk" });

/** Reading a private key takes longer than using it; a daemon has two: its hop key, and the scalar that checks points. */
const MAX_SCALARS = 8;
const scalars = new BoundedMap<KeyObject>(MAX_SCALARS);

function scalarOf(raw: Uint8Array): KeyObject {
  const name = Buffer.from(raw).toString("latin1");
  const known = scalars.get(name);
  if (known) return known;
  const key = privateKeyOf(PKCS8_X25519, raw);
  scalars.set(name, key);
  return key;
}

/** X25519 by OpenSSL, which throws where the result would be zero. */
export const nodeX25519: X25519Function = (scalar, u) =>
  diffieHellman({ privateKey: scalarOf(scalar), publicKey: publicKeyOf("X25519", u) });

/** OpenSSL's Ed25519: its verify is the cofactorless equation, R compared as bytes. */
export const nodeSignatures: SignatureBackend = {
  name: "node",
  checkR: false,
  sign: (seed, message) => signWith(null, message, privateKeyOf(PKCS8_ED25519, seed)),
  verify: (publicKey, message, signature) => verifyWith(null, message, publicKeyOf("Ed25519", publicKey), signature),
  x25519: nodeX25519,
};

/** ChaCha20-Poly1305 by OpenSSL. */
export const nodeAead: AeadBackend = {
  open(key, nonce, aad, ciphertext) {
    const at = ciphertext.length - TAG_BYTES;
    const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(aad, { plaintextLength: at });
    decipher.setAuthTag(ciphertext.subarray(at));
    const plaintext = decipher.update(ciphertext.subarray(0, at));
    try {
      decipher.final();
      return plaintext;
    } catch {
      return undefined;
    }
  },
};

/** Signs under one seed again and again, without reading it each time. */
export function createSigner(seed: Uint8Array): (message: Uint8Array) => Uint8Array {
  const key = privateKeyOf(PKCS8_ED25519, seed);
  return (message) => signWith(null, message, key);
}
