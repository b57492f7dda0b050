import { concat, utf8 } from "@earshot/core";

const NONCE_BYTES = 12;

/**
 * The key under which stored values are sealed: HKDF-SHA256 over a non-extractable key that stays in the browser's own
 * key store, salted with the half that the daemon gives. Neither alone opens anything.
 */
export function deriveSealKey(browserHalf: CryptoKey, nodeHalf: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: nodeHalf as BufferSource,
      info: utf8("earshot browser storage 1") as BufferSource,
    },
    browserHalf,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

/** A fresh browser half: it can be used by this origin's scripts, and read by none. */
export async function newBrowserHalf(): Promise<CryptoKey> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const key = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  bytes.fill(0);
  return key;
}

/** `nonce 12 ‖ AES-256-GCM`, bound to the storage key it is kept under, so that values cannot be swapped. */
export async function sealValue(key: CryptoKey, name: string, value: Uint8Array): Promise<Uint8Array> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: utf8(name) as BufferSource },
    key,
    value as BufferSource,
  );
  return concat(nonce, new Uint8Array(sealed));
}

/** The value, or undefined where it was sealed under another key or name, or altered. */
export async function openValue(key: CryptoKey, name: string, sealed: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const opened = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: sealed.subarray(0, NONCE_BYTES) as BufferSource,
        additionalData: utf8(name) as BufferSource,
      },
      key,
      sealed.subarray(NONCE_BYTES) as BufferSource,
    );
    return new Uint8Array(opened);
  } catch {
    return undefined;
  }
}
