/**
 * Which messages a device has had, so that none counts twice. docs/protocol/envelope.md section 1.
 *
 * Kept per prekey and deleted with it. Serialised: version u8 | horizon u64 | count u32 | ( sender tag 8 | message id 16 | sentAt u64 ) each
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, decodeBytes } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";
import { MAILBOX_RETENTION_MS, MESSAGE_ID_BYTES } from "./layout.ts";

/** Messages remembered per prekey: a day's prekey serves some hundreds of calls of a few dozen messages each. */
export const REPLAY_MAX_PER_PREKEY = 16_384;
/** Of which one account may take this many, whatever devices it certifies, so that no contact can fill the cache for the others. */
export const REPLAY_MAX_PER_SENDER = 4_096;
/** Prekeys whose messages are remembered; about 20 are alive at a time. */
export const REPLAY_MAX_PREKEYS = 64;

/** An envelope older than this is refused as stale, so its message id need not be remembered. */
export const ENVELOPE_MAX_AGE_MS = MAILBOX_RETENTION_MS + CLOCK_SKEW_MS;

const VERSION = 1;
const SENDER_TAG_BYTES = 8;

/** What identifies a message: ids are the sender's to choose, so they are counted apart for each. */
export interface SeenMessage {
  /** 8 bytes. */
  readonly prekeyId: Uint8Array;
  /** 32 bytes: of the account, which cannot be had as easily as another device. */
  readonly senderAccount: Uint8Array;
  /** 16 bytes. */
  readonly messageId: Uint8Array;
  /** Unix milliseconds. */
  readonly sentAt: number;
}

interface PrekeyMemory {
  /** sentAt by sender tag and message id, both as binary strings. */
  readonly seen: Map<string, number>;
  readonly perSender: Map<string, number>;
  /** What was sent before this is refused even if the clock goes back: its ids may be forgotten already. */
  horizon: number;
}

/** Remembers every message admitted under each prekey until its age alone refuses it. */
export class ReplayCache {
  readonly #prekeys = new Map<string, PrekeyMemory>();

  /**
   * Checks the time and remembers the message. Refused: `from-future`, `stale`, `replayed`, and `rate-limited` where the
   * memory is full of messages that are still young enough to be replayed. The caller persists {@link serialize} before acting on the message.
   */
  admit({ prekeyId, senderAccount, messageId, sentAt }: SeenMessage, now: number): Result<void> {
    if (sentAt > now + CLOCK_SKEW_MS) return refuse("from-future");
    const memory = this.#prekeys.get(binary(prekeyId)) ?? newMemory();
    if (sentAt < Math.max(now - ENVELOPE_MAX_AGE_MS, memory.horizon)) return refuse("stale");
    const sender = binary(sha256(senderAccount).subarray(0, SENDER_TAG_BYTES));
    const entry = sender + binary(messageId);
    if (memory.seen.has(entry)) return refuse("replayed");
    if (isFull(memory, sender)) prune(memory, now);
    if (isFull(memory, sender)) return refuse("rate-limited");
    if (!this.#prekeys.has(binary(prekeyId))) {
      if (this.#prekeys.size >= REPLAY_MAX_PREKEYS) return refuse("rate-limited", "too many prekeys");
      this.#prekeys.set(binary(prekeyId), memory);
    }
    remember(memory, entry, sentAt);
    return accept(undefined);
  }

  /** What is remembered for one prekey, less what `now` makes stale. At most 512 KiB. */
  serialize(prekeyId: Uint8Array, now: number): Uint8Array {
    const memory = this.#prekeys.get(binary(prekeyId)) ?? newMemory();
    prune(memory, now);
    const writer = new ByteWriter().u8(VERSION).u64(memory.horizon).u32(memory.seen.size);
    for (const [entry, sentAt] of memory.seen) writer.raw(bytesOf(entry)).u64(sentAt);
    return writer.finish();
  }

  /** Takes back what {@link serialize} gave for this prekey. Refused: `bad-frame`, `unknown-version`, `too-many`. */
  restore(prekeyId: Uint8Array, bytes: Uint8Array): Result<void> {
    const memory = decodeMemory(bytes);
    if (!memory.ok) return memory;
    if (this.#prekeys.size >= REPLAY_MAX_PREKEYS) return refuse("too-many");
    this.#prekeys.set(binary(prekeyId), memory.value);
    return accept(undefined);
  }

  /** To be called when the prekey's secret is deleted, and not before. */
  forget(prekeyId: Uint8Array): void {
    this.#prekeys.delete(binary(prekeyId));
  }
}

function newMemory(): PrekeyMemory {
  return { seen: new Map(), perSender: new Map(), horizon: 0 };
}

function isFull(memory: PrekeyMemory, sender: string): boolean {
  return memory.seen.size >= REPLAY_MAX_PER_PREKEY || (memory.perSender.get(sender) ?? 0) >= REPLAY_MAX_PER_SENDER;
}

function remember(memory: PrekeyMemory, entry: string, sentAt: number): void {
  const sender = entry.slice(0, SENDER_TAG_BYTES);
  memory.seen.set(entry, sentAt);
  memory.perSender.set(sender, (memory.perSender.get(sender) ?? 0) + 1);
}

/** Drops what staleness refuses from now on, and nothing else. */
function prune(memory: PrekeyMemory, now: number): void {
  memory.horizon = Math.max(memory.horizon, now - ENVELOPE_MAX_AGE_MS, 0);
  for (const [entry, sentAt] of memory.seen) {
    if (sentAt >= memory.horizon) continue;
    const sender = entry.slice(0, SENDER_TAG_BYTES);
    memory.seen.delete(entry);
    const left = (memory.perSender.get(sender) ?? 1) - 1;
    if (left === 0) memory.perSender.delete(sender);
    else memory.perSender.set(sender, left);
  }
}

function decodeMemory(bytes: Uint8Array): Result<PrekeyMemory> {
  return decodeBytes(bytes, (reader) => {
    if (reader.u8() !== VERSION) return refuse("unknown-version");
    const memory = newMemory();
    memory.horizon = reader.u64();
    const count = reader.u32();
    if (count > REPLAY_MAX_PER_PREKEY) return refuse("too-many");
    for (let i = 0; i < count; i++) {
      const entry = binary(reader.bytes(SENDER_TAG_BYTES + MESSAGE_ID_BYTES));
      if (memory.seen.has(entry)) return refuse("bad-frame", "the same message twice");
      remember(memory, entry, reader.u64());
    }
    return accept(memory);
  });
}

function binary(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(binaryText: string): Uint8Array {
  return Uint8Array.from(binaryText, (character) => character.charCodeAt(0));
}
