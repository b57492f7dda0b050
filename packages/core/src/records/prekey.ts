/**
 * Prekeys: X25519 keys that receive envelopes for a time, signed by their device. docs/protocol/records.md section 5.
 *
 *   id 8 | X25519 key 32 | from u64 | until u64 | signature 64   (120 bytes)
 */
import { ByteWriter, concat, decodeBytes, utf8 } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { KEY_BYTES, SIGNATURE_BYTES, signEd25519, verifyEd25519 } from "../identity/ed25519.ts";
import { decodeX25519Key } from "../identity/x25519.ts";
import type { SignatureBackend } from "../ports.ts";
import { MAILBOX_RETENTION_MS } from "../sealing/layout.ts";
import { RECORD_LIFETIME_MS } from "./day.ts";

export const PREKEY_BYTES = 120;
export const PREKEY_ID_BYTES = 8;
const DAY_MS = 86_400_000;
/** How long each prekey of a public bundle is for; five cover the 35 days that records are signed ahead. */
export const PUBLIC_PREKEY_PERIOD_MS = 7 * DAY_MS;
export const PUBLIC_PREKEY_COUNT = 5;
/** How long each prekey of a contact bundle is for. */
export const CONTACT_PREKEY_PERIOD_MS = DAY_MS;
export const CONTACT_PREKEY_COUNT = 3;
/** The most of one device in a bundle: the five of a public one and one in use from before. */
export const MAX_PREKEYS_PER_DEVICE = 6;
const DOMAIN = utf8("EARSHOT-PREKEY-1");

export interface Prekey {
  readonly id: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Senders use it from here, Unix milliseconds, … */
  readonly from: number;
  /** … until here. */
  readonly until: number;
}

/** The 120 bytes of a prekey, signed by its device. An empty life is the caller's mistake (RangeError). */
export async function signPrekey(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  deviceSeed: Uint8Array,
  deviceKey: Uint8Array,
  prekey: Prekey,
): Promise<Uint8Array> {
  if (prekey.until <= prekey.from) throw new RangeError("a prekey lives for more than nothing");
  const claims = new ByteWriter()
    .fixed(prekey.id, PREKEY_ID_BYTES)
    .fixed(prekey.publicKey, KEY_BYTES)
    .u64(prekey.from)
    .u64(prekey.until)
    .finish();
  return concat(claims, await signEd25519(backend, deviceSeed, concat(DOMAIN, accountKey, deviceKey, claims)));
}

/** Form only. Refused: `bad-frame`, `bad-key` (X25519 of small order), `bad-bundle` (empty life). */
export function decodePrekey(bytes: Uint8Array): Result<Prekey & { readonly signature: Uint8Array }> {
  return decodeBytes(bytes, (reader) => {
    const id = reader.bytes(PREKEY_ID_BYTES);
    const publicKey = decodeX25519Key(reader.bytes(KEY_BYTES));
    if (!publicKey.ok) return publicKey;
    const from = reader.u64();
    const until = reader.u64();
    if (until <= from) return refuse("bad-bundle", "a prekey's life is empty");
    return accept({ id, publicKey: publicKey.value, from, until, signature: reader.bytes(SIGNATURE_BYTES) });
  });
}

/** Decodes and checks the signature over the bytes received. Refused: as {@link decodePrekey}, and `bad-signature`. */
export async function verifyPrekey(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  deviceKey: Uint8Array,
  bytes: Uint8Array,
): Promise<Result<Prekey>> {
  const decoded = decodePrekey(bytes);
  if (!decoded.ok) return decoded;
  const { signature, ...prekey } = decoded.value;
  const signed = concat(DOMAIN, accountKey, deviceKey, bytes.subarray(0, PREKEY_BYTES - SIGNATURE_BYTES));
  return (await verifyEd25519(backend, deviceKey, signed, signature))
    ? accept(prekey)
    : refuse("bad-signature", "prekey");
}

/** The prekey that a sender uses now: of those in their time, the one that began last. */
export function usablePrekey(prekeys: readonly Prekey[], now: number): Prekey | undefined {
  const usable = prekeys.filter((prekey) => prekey.from <= now && now <= prekey.until);
  return usable.reduce<Prekey | undefined>((best, next) => (best && best.from >= next.from ? best : next), undefined);
}

/** When the receiver deletes the private half and its replay cache: nothing sealed to it can arrive any more. */
export function prekeyDeletionTime(prekey: Pick<Prekey, "until">): number {
  return prekey.until + MAILBOX_RETENTION_MS + RECORD_LIFETIME_MS;
}
