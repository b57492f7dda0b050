/**
 * Proof of work: what opening a mailbox and the request lane cost a stranger. docs/protocol/envelope.md section 4.
 *
 *   H( "earshot work 1" | purpose u8 | mailbox id 16 | hour u32 | work u64 ) starts with `bits` zero bits
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteReader, ByteWriter, concat, utf8 } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import type { RandomSource } from "../ports.ts";
import { MAILBOX_ID_BYTES } from "../records/contents.ts";

export const WORK_PURPOSE_MAILBOX = 1;
export const WORK_PURPOSE_REQUEST = 2;
/** No supernode may ask for more: about a minute of one core. */
export const WORK_MAX_BITS = 26;

const HOUR_MS = 3_600_000;
const WORK_OFFSET = utf8("earshot work 1").length + 1 + MAILBOX_ID_BYTES + 4;

/** The hour of a Unix time in milliseconds: floor(seconds / 3,600). */
export function hourOf(now: number): number {
  return Math.floor(now / HOUR_MS);
}

/** What the work is bound to, so that it cannot be kept, sold or used elsewhere. */
export interface WorkTarget {
  readonly purpose: typeof WORK_PURPOSE_MAILBOX | typeof WORK_PURPOSE_REQUEST;
  /** 16 bytes. */
  readonly mailboxId: Uint8Array;
  /** {@link hourOf} when the work is done. */
  readonly hour: number;
}

/** Solves in slices, so that the caller keeps its thread: `step` until it gives a number. */
export interface WorkSolver {
  /** Tries up to `maxHashes` values; the work, or undefined where none of them did. */
  step(maxHashes: number): number | undefined;
}

/**
 * A solver for `bits` leading zero bits: 2^bits hashes on average. It counts up from a random place, because a
 * supernode takes each work once and two strangers may ask for the same target. Throws RangeError above
 * {@link WORK_MAX_BITS}: a supernode that announces more is not served.
 */
export function createWorkSolver(random: RandomSource, target: WorkTarget, bits: number): WorkSolver {
  if (!Number.isInteger(bits) || bits < 0 || bits > WORK_MAX_BITS) throw new RangeError(`${bits} bits of work`);
  let next = new ByteReader(concat(Uint8Array.of(0, 0), random.bytes(6))).u64();
  const input = workInput(target, next);
  const view = new DataView(input.buffer);
  return {
    step(maxHashes) {
      for (let tried = 0; tried < maxHashes; tried++) {
        const work = next++;
        view.setUint32(WORK_OFFSET, Math.floor(work / 0x1_0000_0000));
        view.setUint32(WORK_OFFSET + 4, work >>> 0);
        if (leadingZeroBits(sha256(input)) >= bits) return work;
      }
      return undefined;
    },
  };
}

/** `now` in Unix ms. Refused: `stale` where the hour is neither the current one nor its neighbour, `work-insufficient`. */
export function checkWork(target: WorkTarget, work: number, bits: number, now: number): Result<void> {
  if (Math.abs(target.hour - hourOf(now)) > 1) return refuse("stale", "work hour");
  const enough = leadingZeroBits(sha256(workInput(target, work))) >= bits;
  return enough ? accept(undefined) : refuse("work-insufficient");
}

function workInput({ purpose, mailboxId, hour }: WorkTarget, work: number): Uint8Array {
  const writer = new ByteWriter().raw(utf8("earshot work 1")).u8(purpose).fixed(mailboxId, MAILBOX_ID_BYTES);
  return writer.u32(hour).u64(work).finish();
}

function leadingZeroBits(hash: Uint8Array): number {
  let bits = 0;
  for (const byte of hash) {
    if (byte !== 0) return bits + Math.clz32(byte) - 24;
    bits += 8;
  }
  return bits;
}
