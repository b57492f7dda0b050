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

// DER in front of 32 raw bytes (RFC 8410).
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI_X25519 = Buffer.from("302a300506032b656e032100", "hex");
const TAG_BYTES = 16;

const privateKeyOf = (prefix: Buffer, raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "pkcs8" });
const publicKeyOf = (prefix: Buffer, raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "spki" });

/** X25519 by OpenSSL, which throws where the result would be zero. */
export const nodeX25519: X25519Function = (scalar, u) =>
  diffieHellman({ privateKey: privateKeyOf(PKCS8_X25519, scalar), publicKey: publicKeyOf(SPKI_X25519, u) });

/** OpenSSL's Ed25519: its verify is the cofactorless equation, R compared as bytes. */
export const nodeSignatures: SignatureBackend = {
  name: "node",
  checkR: false,
  sign: (seed, message) => signWith(null, message, privateKeyOf(PKCS8_ED25519, seed)),
  verify: (publicKey, message, signature) => verifyWith(null, message, publicKeyOf(SPKI_ED25519, publicKey), signature),
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
