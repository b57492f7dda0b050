/** One mailbox in memory, and how it lies in the store. Sized for a hundred thousand: what an idle one lacks is undefined. */
import { accept, ByteWriter, decodeBytes, type TokenBucket } from "@earshot/core";
import type { PrefixUse } from "../prefix-limits.ts";

/** Who has the mailbox open: one connection. */
export interface MailboxOwner {
  /** Hands over an envelope; it stays stored until it is acknowledged. */
  push(mailboxId: Uint8Array, seq: number, envelope: Uint8Array): void;
  /** Another connection has opened the mailbox. */
  moved(mailboxId: Uint8Array): void;
}

export interface WaitingEnvelope {
  readonly bytes: number;
  readonly storedAt: number;
  readonly request: boolean;
  /** Key of the token that it came under. In memory only: on disk nothing ties one contact's envelopes together. */
  readonly token?: string;
}

export interface Mailbox {
  readonly id: Uint8Array;
  /** Lower-case hex of the id: its key in maps and in the store. */
  readonly name: string;
  lanes: number;
  /** The last UTC day on which it was open. */
  lastOpenedDay: number;
  tokenCount: number;
  /** UTC day on which its past tokens were last looked for. */
  prunedDay: number;
  lastSeq: number;
  waitingBytes: number;
  waitingRequests: number;
  /** By seq, oldest first. */
  waiting: Map<number, WaitingEnvelope> | undefined;
  owner: MailboxOwner | undefined;
  /** The prefix that opened it last; unknown after a restart until its owner is back. */
  openedFrom: PrefixUse | undefined;
  bytes: TokenBucket | undefined;
  requests: TokenBucket | undefined;
}

export function createMailbox(id: Uint8Array, lanes: number, lastOpenedDay: number): Mailbox {
  return {
    id,
    name: nameOf(id),
    lanes,
    lastOpenedDay,
    tokenCount: 0,
    prunedDay: 0,
    lastSeq: 0,
    waitingBytes: 0,
    waitingRequests: 0,
    waiting: undefined,
    owner: undefined,
    openedFrom: undefined,
    bytes: undefined,
    requests: undefined,
  };
}

/** The name of the mailbox of that id. */
export function nameOf(mailboxId: Uint8Array): string {
  return Buffer.from(mailboxId.buffer, mailboxId.byteOffset, mailboxId.byteLength).toString("hex");
}

const META_VERSION = 2;

/** Under `m/<name>`: `version u8 ‖ lanes u8 ‖ last opened day u32`. No address, no key. */
export function encodeMailbox(mailbox: Mailbox): Uint8Array {
  return new ByteWriter().u8(META_VERSION).u8(mailbox.lanes).u32(mailbox.lastOpenedDay).finish();
}

/** Undefined for bytes of another version or length. */
export function decodeMailbox(name: string, bytes: Uint8Array): Mailbox | undefined {
  const fields = decodeBytes(bytes, (r) => accept({ version: r.u8(), lanes: r.u8(), day: r.u32() }));
  if (!fields.ok || fields.value.version !== META_VERSION) return undefined;
  return createMailbox(new Uint8Array(Buffer.from(name, "hex")), fields.value.lanes, fields.value.day);
}

export const mailboxKey = (name: string) => `m/${name}`;
/** `tokenHash` in lower-case hex. */
export const tokenKey = (name: string, tokenHash: string) => `t/${name}/${tokenHash}`;
export const envelopeKey = (name: string, seq: number) => `e/${name}/${seq.toString(16).padStart(14, "0")}`;

const STORED_HEADER_BYTES = 9;

/** Under `e/<name>/<seq>`: `stored at u64 ‖ lane u8 ‖ envelope`. */
export function encodeStored(envelope: Uint8Array, waiting: WaitingEnvelope): Uint8Array {
  const bytes = Buffer.allocUnsafe(STORED_HEADER_BYTES + envelope.length);
  bytes.writeUInt32BE(Math.floor(waiting.storedAt / 2 ** 32), 0);
  bytes.writeUInt32BE(waiting.storedAt % 2 ** 32, 4);
  bytes[8] = waiting.request ? 2 : 1;
  bytes.set(envelope, STORED_HEADER_BYTES);
  return bytes;
}

export interface StoredEnvelope extends WaitingEnvelope {
  readonly envelope: Uint8Array;
}

export function decodeStored(bytes: Uint8Array): StoredEnvelope | undefined {
  const fields = decodeBytes(bytes, (r) => accept({ storedAt: r.u64(), request: r.u8() === 2, envelope: r.rest() }));
  return fields.ok ? { ...fields.value, bytes: fields.value.envelope.length } : undefined;
}
