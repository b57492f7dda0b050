/** Ed25519 by WebCrypto, where a browser has it. */
import { concat, fromHex, utf8 } from "../bytes.ts";
import { unwrap } from "../errors.ts";
import type { SignatureBackend } from "../ports.ts";
import { KEY_BYTES, SIGNATURE_BYTES } from "./ed25519.ts";

interface Ed25519Algorithm {
  name: "Ed25519";
}

/** What is used of `SubtleCrypto`, whose types core does not know: hand in `crypto.subtle`. */
export interface SubtleCryptoPort<Key> {
  importKey(
    format: "raw" | "pkcs8",
    keyData: Uint8Array<ArrayBuffer>,
    algorithm: Ed25519Algorithm,
    extractable: boolean,
    usages: ("sign" | "verify")[],
  ): Promise<Key>;
  sign(algorithm: Ed25519Algorithm, key: Key, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  verify(
    algorithm: Ed25519Algorithm,
    key: Key,
    signature: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

const ED25519: Ed25519Algorithm = { name: "Ed25519" };
/** RFC 8410: DER in front of a 32-byte seed. */
const PKCS8_PREFIX = unwrap(fromHex("302e020100300506032b657004220420"));

/** The backend, or undefined where the platform has no Ed25519 that signs and verifies: use `nobleBackend` then. */
export async function webCryptoBackend<Key>(subtle: SubtleCryptoPort<Key>): Promise<SignatureBackend | undefined> {
  const backend = backendOf(subtle);
  try {
    const signature = await backend.sign(new Uint8Array(KEY_BYTES), utf8("probe"));
    return signature.length === SIGNATURE_BYTES ? backend : undefined;
  } catch {
    return undefined;
  }
}

function backendOf<Key>(subtle: SubtleCryptoPort<Key>): SignatureBackend {
  return {
    name: "webcrypto",
    // Chromium and Node compare R as bytes; the specification left small order and cofactor open for years.
    checkR: true,
    async sign(seed, message) {
      const key = await subtle.importKey("pkcs8", copy(concat(PKCS8_PREFIX, seed)), ED25519, false, ["sign"]);
      return new Uint8Array(await subtle.sign(ED25519, key, copy(message)));
    },
    async verify(publicKey, message, signature) {
      try {
        const key = await subtle.importKey("raw", copy(publicKey), ED25519, false, ["verify"]);
        return await subtle.verify(ED25519, key, copy(signature), copy(message));
      } catch {
        return false; // importKey rejects what is not a point
      }
    },
  };
}

/** WebCrypto takes no shared memory. */
function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
