/** The supernode's side of the sealed next hop, built for a high rate. docs/protocol/envelope.md section 2. */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { accept, refuse, type Result } from "../errors.ts";
import type { X25519Function } from "../ports.ts";
import { decodeHopDelivery, HOP_EXPORT, HOP_INFO, HOP_SYMMETRIC_KEY_BYTES, hopKeyId, type HopDelivery } from "./hop.ts";
import {
  HOP_HEADER_BYTES,
  HOP_KEY_ID_BYTES,
  HOP_MAX_BYTES,
  HOP_MIN_BYTES,
  HOP_NONCE_BYTES,
  HOP_VERSION,
} from "./hop-layout.ts";
import { createHpkeReceiver, nobleX25519, type HpkeKeyPair } from "./hpke.ts";

/** ChaCha20-Poly1305 (RFC 8439). `open` gives undefined where the tag does not match; `ciphertext` ends with the tag. */
export interface AeadBackend {
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
}

export const nobleAead: AeadBackend = {
  open(key, nonce, aad, ciphertext) {
    try {
      return chacha20poly1305(key, nonce, aad).decrypt(ciphertext);
    } catch {
      return undefined; // noble throws for a wrong tag, and lengths were checked before
    }
  },
};

/** Sender keys kept: about 250 bytes each. One is used by each pair of sender and mailbox a day. */
export const HOP_CACHE_MAX_KEYS = 65_536;

/** How an opener is made. */
export interface HopOpenerOptions {
  /** The current hop key first, then older ones that senders may still hold. */
  readonly hopKeys: readonly HpkeKeyPair[];
  readonly x25519?: X25519Function;
  readonly aead?: AeadBackend;
  readonly maxCachedKeys?: number;
}

/** Opens sealed hops, keeping the symmetric keys it derived: least recently used out first. */
export class HopOpener {
  readonly #hopKeys: ReadonlyMap<string, HpkeKeyPair>;
  readonly #x25519: X25519Function;
  readonly #aead: AeadBackend;
  readonly #maxCachedKeys: number;
  /** By hop key id and enc, in order of use. */
  readonly #keys = new Map<string, Uint8Array>();
  /** Being derived: what a sender's first envelopes of a day have in common is derived once. */
  readonly #deriving = new Map<string, Promise<Result<Uint8Array>>>();

  constructor({ hopKeys, x25519, aead, maxCachedKeys }: HopOpenerOptions) {
    this.#hopKeys = new Map(hopKeys.map((pair) => [binary(hopKeyId(pair.publicKey)), pair]));
    this.#x25519 = x25519 ?? nobleX25519;
    this.#aead = aead ?? nobleAead;
    this.#maxCachedKeys = maxCachedKeys ?? HOP_CACHE_MAX_KEYS;
  }

  get cachedKeys(): number {
    return this.#keys.size;
  }

  /**
   * The delivery; at once where the sender's key is cached, as a promise where it must be derived (one X25519
   * multiplication). Refused: `too-large`, `bad-frame`, `unknown-version`, `unknown-hop-key`, `bad-key`, `open-failed`, `unknown-type`.
   */
  open(sealed: Uint8Array): Result<HopDelivery> | Promise<Result<HopDelivery>> {
    if (sealed.length > HOP_MAX_BYTES) return refuse("too-large");
    if (sealed.length < HOP_MIN_BYTES) return refuse("bad-frame", "too short");
    if (sealed[0] !== HOP_VERSION) return refuse("unknown-version");
    const name = binary(sealed.subarray(1, HOP_HEADER_BYTES));
    const key = this.#keys.get(name);
    if (key === undefined) return this.#openNew(name, sealed);
    this.#keys.delete(name);
    this.#keys.set(name, key);
    return this.#openWith(key, sealed);
  }

  async #openNew(name: string, sealed: Uint8Array): Promise<Result<HopDelivery>> {
    const pair = this.#hopKeys.get(name.slice(0, HOP_KEY_ID_BYTES));
    if (pair === undefined) return refuse("unknown-hop-key");
    let deriving = this.#deriving.get(name);
    if (!deriving) {
      const enc = sealed.slice(1 + HOP_KEY_ID_BYTES, HOP_HEADER_BYTES);
      deriving = this.#derive(pair, enc).finally(() => this.#deriving.delete(name));
      this.#deriving.set(name, deriving);
    }
    const key = await deriving;
    if (!key.ok) return key;
    const delivery = this.#openWith(key.value, sealed);
    // Kept only once something opened under it, so that noise does not push out the keys in use.
    if (delivery.ok) this.#keep(name, key.value);
    return delivery;
  }

  async #derive(pair: HpkeKeyPair, enc: Uint8Array): Promise<Result<Uint8Array>> {
    const receiver = await createHpkeReceiver(pair, enc, HOP_INFO, this.#x25519);
    return receiver.ok ? accept(await receiver.value.export(HOP_EXPORT, HOP_SYMMETRIC_KEY_BYTES)) : receiver;
  }

  #openWith(key: Uint8Array, sealed: Uint8Array): Result<HopDelivery> {
    const body = HOP_HEADER_BYTES + HOP_NONCE_BYTES;
    const plaintext = this.#aead.open(
      key,
      sealed.subarray(HOP_HEADER_BYTES, body),
      sealed.subarray(0, HOP_HEADER_BYTES),
      sealed.subarray(body),
    );
    return plaintext === undefined ? refuse("open-failed") : decodeHopDelivery(plaintext);
  }

  #keep(name: string, key: Uint8Array): void {
    if (this.#keys.size >= this.#maxCachedKeys && !this.#keys.has(name)) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    this.#keys.set(name, key);
  }
}

/** One character a byte: a cheap map key. */
function binary(bytes: Uint8Array): string {
  // Spreading would walk the array by its iterator.
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}
