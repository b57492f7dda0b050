/**
 * The sealed next hop: what a client hands to its own supernode, readable only by the callee's. docs/protocol/envelope.md section 2.
 *
 *   version u8 | hop key id 8 | enc 32 | nonce 12 | ChaCha20-Poly1305( mailbox id 16 | lane u8 | lane data | envelope )
 *   lane 1 (contact): token 16.   lane 2 (request): hour u32 | work u64, and an envelope of 512 bytes.
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, concat, decodeBytes, utf8, type ByteReader } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import type { RandomSource, X25519Function } from "../ports.ts";
import { MAILBOX_ID_BYTES } from "../records/contents.ts";
import { HOP_KEY_ID_BYTES, HOP_NONCE_BYTES, HOP_VERSION } from "./hop-layout.ts";
import { createHpkeSender, nobleX25519 } from "./hpke.ts";
import { isEnvelopeSize, REQUEST_ENVELOPE_BYTES, TOKEN_BYTES } from "./layout.ts";

export const HOP_INFO: Uint8Array = utf8("earshot hop 1");
export const HOP_EXPORT: Uint8Array = utf8("earshot hop key 1");
export const HOP_SYMMETRIC_KEY_BYTES = 32;

/** What the callee's supernode is asked to do. All byte arrays are views into what was opened. */
export interface HopDelivery {
  /** 16 bytes. */
  readonly mailboxId: Uint8Array;
  readonly lane: HopLane;
  /** 512, 2,048 or 8,192 bytes; always 512 on the request lane. */
  readonly envelope: Uint8Array;
}

/** What pays for the delivery: a contact's token of 16 bytes, or a stranger's work. */
export type HopLane =
  | { readonly kind: "contact"; readonly token: Uint8Array }
  | { readonly kind: "request"; readonly hour: number; readonly work: number };

/** One `enc`: used for one mailbox and one day, so that nothing links a sender's mailboxes or days. */
export interface HopSession {
  /** Nonces are random, 96 bits: a day's deliveries to one mailbox stay far below 2^32 under one key. */
  seal(delivery: HopDelivery): Uint8Array;
}

/** The 8 bytes by which a sealed hop names the hop key it is for. */
export function hopKeyId(hopKey: Uint8Array): Uint8Array {
  return sha256(hopKey).subarray(0, HOP_KEY_ID_BYTES);
}

/**
 * A session to the supernode with this hop key (32 bytes, from a home in a record, decoded with `decodeX25519Key`).
 * Costs two X25519 multiplications; sealing with it then costs a symmetric cipher only.
 */
export async function createHopSession(
  random: RandomSource,
  hopKey: Uint8Array,
  x: X25519Function = nobleX25519,
): Promise<HopSession> {
  const sender = await createHpkeSender(random, hopKey, HOP_INFO, x);
  const key = await sender.export(HOP_EXPORT, HOP_SYMMETRIC_KEY_BYTES);
  const header = concat(Uint8Array.of(HOP_VERSION), hopKeyId(hopKey), sender.enc);
  return {
    seal(delivery) {
      const nonce = random.bytes(HOP_NONCE_BYTES);
      return concat(header, nonce, chacha20poly1305(key, nonce, header).encrypt(encodeHopDelivery(delivery)));
    },
  };
}

/** The plaintext. A delivery of the wrong sizes is the caller's mistake (RangeError). */
export function encodeHopDelivery({ mailboxId, lane, envelope }: HopDelivery): Uint8Array {
  const writer = new ByteWriter().fixed(mailboxId, MAILBOX_ID_BYTES);
  if (lane.kind === "contact") writer.u8(1).fixed(lane.token, TOKEN_BYTES);
  else writer.u8(2).u32(lane.hour).u64(lane.work);
  if (!fitsLane(lane, envelope))
    throw new RangeError(`an envelope of ${envelope.length} bytes on the ${lane.kind} lane`);
  return writer.raw(envelope).finish();
}

/** Refused as `bad-frame` (lengths, sizes) or `unknown-type` (lane). */
export function decodeHopDelivery(plaintext: Uint8Array): Result<HopDelivery> {
  return decodeBytes(plaintext, (reader) => {
    const mailboxId = reader.bytes(MAILBOX_ID_BYTES);
    const lane = readLane(reader);
    if (!lane.ok) return lane;
    const envelope = reader.rest();
    return fitsLane(lane.value, envelope)
      ? accept({ mailboxId, lane: lane.value, envelope })
      : refuse("bad-frame", "envelope size");
  });
}

function readLane(reader: ByteReader): Result<HopLane> {
  const kind = reader.u8();
  if (kind === 1) return accept({ kind: "contact", token: reader.bytes(TOKEN_BYTES) });
  if (kind === 2) return accept({ kind: "request", hour: reader.u32(), work: reader.u64() });
  return refuse("unknown-type", "lane");
}

function fitsLane(lane: HopLane, envelope: Uint8Array): boolean {
  return lane.kind === "contact" ? isEnvelopeSize(envelope.length) : envelope.length === REQUEST_ENVELOPE_BYTES;
}
