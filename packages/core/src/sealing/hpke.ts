/**
 * HPKE (RFC 9180), base mode, one suite: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20Poly1305 0x0003.
 * The key schedule is the `hpke` package's; its KEM, KDF and AEAD are built here on noble, so that core needs neither
 * WebCrypto nor Node, and the curve can be replaced by a faster one ({@link X25519Function}).
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import * as Hpke from "hpke";
import { concat, utf8 } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { decodeX25519Key } from "../identity/x25519.ts";
import type { RandomSource, X25519Function } from "../ports.ts";
import { HPKE_ENC_BYTES, HPKE_TAG_BYTES } from "./layout.ts";

/** Works everywhere; about 1 ms a multiplication in Node 20, where node:crypto takes 0.1 ms. Throws on a key of small order. */
export const nobleX25519: X25519Function = (scalar, u) => x25519.getSharedSecret(scalar, u);

const BASE_POINT = x25519.GuBytes;

const KEM_SUITE_ID = concat(utf8("KEM"), Uint8Array.of(0x00, 0x20));
const NONE = new Uint8Array();
const ALGORITHM = { name: "X25519" };

interface RawKey extends Hpke.Key {
  readonly bytes: Uint8Array;
}
const rawKey = (type: "private" | "public", bytes: Uint8Array): RawKey => ({
  algorithm: ALGORITHM,
  extractable: true,
  type,
  bytes,
});

const hkdfSha256: Hpke.KDF = {
  id: 0x0001,
  type: "KDF",
  name: "HKDF-SHA256",
  Nh: 32,
  stages: 2,
  Extract: async (salt, ikm) => extract(sha256, ikm, salt),
  Expand: async (prk, info, length) => expand(sha256, prk, info, length),
  Derive: () => {
    throw new Hpke.NotSupportedError("HKDF has two stages");
  },
};

const chaCha20Poly1305: Hpke.AEAD = {
  id: 0x0003,
  type: "AEAD",
  name: "ChaCha20Poly1305",
  Nk: 32,
  Nn: 12,
  Nt: HPKE_TAG_BYTES,
  Seal: async (key, nonce, aad, plaintext) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
  Open: async (key, nonce, aad, ciphertext) => chacha20poly1305(key, nonce, aad).decrypt(ciphertext),
};

/** DHKEM(X25519, HKDF-SHA256), RFC 9180 section 4.1. Randomness is handed in; a receiver needs none. */
function dhkem(x: X25519Function, random: RandomSource | undefined): Hpke.KEM<RawKey> {
  const pairOf = (secret: Uint8Array) => ({
    privateKey: rawKey("private", secret),
    publicKey: rawKey("public", x(secret, BASE_POINT)),
  });
  const sharedSecret = async (dh: Uint8Array, enc: Uint8Array, receiver: Uint8Array): Promise<Uint8Array> => {
    const prk = await Hpke.LabeledExtract(hkdfSha256, KEM_SUITE_ID, NONE, utf8("eae_prk"), dh);
    return Hpke.LabeledExpand(hkdfSha256, KEM_SUITE_ID, prk, utf8("shared_secret"), concat(enc, receiver), 32);
  };
  const generate = async () => {
    if (random === undefined) throw new Hpke.NotSupportedError("this suite only opens");
    return pairOf(random.bytes(32));
  };
  return {
    id: 0x0020,
    type: "KEM",
    name: "DHKEM(X25519, HKDF-SHA256)",
    Nsecret: 32,
    Nenc: HPKE_ENC_BYTES,
    Npk: 32,
    Nsk: 32,
    DeriveKeyPair: async (ikm) => {
      const prk = await Hpke.LabeledExtract(hkdfSha256, KEM_SUITE_ID, NONE, utf8("dkp_prk"), ikm);
      return pairOf(await Hpke.LabeledExpand(hkdfSha256, KEM_SUITE_ID, prk, utf8("sk"), NONE, 32));
    },
    GenerateKeyPair: generate,
    SerializePublicKey: async (key) => key.bytes,
    DeserializePublicKey: async (bytes) => rawKey("public", bytes),
    SerializePrivateKey: async (key) => key.bytes,
    DeserializePrivateKey: async (bytes) => rawKey("private", bytes),
    Encap: async (receiver) => {
      const ephemeral = await generate();
      const enc = ephemeral.publicKey.bytes;
      const dh = x(ephemeral.privateKey.bytes, receiver.bytes);
      return { enc, shared_secret: await sharedSecret(dh, enc, receiver.bytes) };
    },
    Decap: async (enc, secretKey, publicKey) => {
      const dh = x(secretKey.bytes, enc);
      return sharedSecret(dh, enc, publicKey?.bytes ?? x(secretKey.bytes, BASE_POINT));
    },
  };
}

function suiteOf(x: X25519Function, random?: RandomSource): Hpke.CipherSuite<RawKey> {
  return new Hpke.CipherSuite(
    () => dhkem(x, random),
    () => hkdfSha256,
    () => chaCha20Poly1305,
  );
}

/** A receiver's X25519 key pair, 32 bytes each; {@link hpkeKeyPair} makes one from the secret. */
export interface HpkeKeyPair {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** Keeps the public half beside the secret: a receiver that has both saves one multiplication an open. */
export function hpkeKeyPair(secret: Uint8Array, x: X25519Function = nobleX25519): HpkeKeyPair {
  return { secret, publicKey: x(secret, BASE_POINT) };
}

/** One key's worth of sealing: what is sealed first goes under sequence number 0, and so on. */
export interface HpkeSender {
  /** 32 bytes that the receiver needs. */
  readonly enc: Uint8Array;
  seal(plaintext: Uint8Array, aad?: Uint8Array): Promise<Uint8Array>;
  /** RFC 9180 section 5.3. */
  export(context: Uint8Array, length: number): Promise<Uint8Array>;
}

/** The opposite end of an {@link HpkeSender}: opens in the order of sealing. */
export interface HpkeReceiver {
  /** Refused as `open-failed`; the sequence number then stays. */
  open(ciphertext: Uint8Array, aad?: Uint8Array): Promise<Result<Uint8Array>>;
  export(context: Uint8Array, length: number): Promise<Uint8Array>;
}

/**
 * RFC 9180 SetupBaseS. `random` gives the ephemeral secret (32 bytes).
 * Throws where `receiver` has small order: keys from strangers are decoded with `decodeX25519Key` first.
 */
export async function createHpkeSender(
  random: RandomSource,
  receiver: Uint8Array,
  info: Uint8Array,
  x: X25519Function = nobleX25519,
): Promise<HpkeSender> {
  const { ctx, encapsulatedSecret } = await suiteOf(x, random).SetupSender(rawKey("public", receiver), { info });
  return {
    enc: encapsulatedSecret,
    seal: (plaintext, aad) => ctx.Seal(plaintext, aad),
    export: (context, length) => ctx.Export(context, length),
  };
}

/** RFC 9180 SetupBaseR. Refused as `bad-key` where `enc` is not 32 bytes, not canonical or has small order: before any backend sees it. */
export async function createHpkeReceiver(
  receiver: HpkeKeyPair,
  enc: Uint8Array,
  info: Uint8Array,
  x: X25519Function = nobleX25519,
): Promise<Result<HpkeReceiver>> {
  const decoded = decodeX25519Key(enc);
  if (!decoded.ok) return decoded;
  const pair = { privateKey: rawKey("private", receiver.secret), publicKey: rawKey("public", receiver.publicKey) };
  try {
    const ctx = await suiteOf(x).SetupRecipient(pair, enc, { info });
    return accept({
      open: async (ciphertext, aad) => {
        try {
          return accept(await ctx.Open(ciphertext, aad));
        } catch (error) {
          if (error instanceof Hpke.OpenError) return refuse("open-failed");
          throw error;
        }
      },
      export: (context, length) => ctx.Export(context, length),
    });
  } catch (error) {
    if (error instanceof Hpke.DecapError) return refuse("bad-key", "encapsulated key");
    throw error;
  }
}
