/** Cuts a stream into STUN messages and ChannelData (RFC 8656 sections 2.1 and 12.5). */
import { CHANNEL_HEADER_BYTES, isChannelData, STUN_HEADER_BYTES, TURN_MAX_BYTES } from "@earshot/core";

const NOTHING = Buffer.alloc(0);

export class TurnFrames {
  #rest: Buffer = NOTHING;

  /** The whole frames so far. `"bad"`: this is no TURN, and nothing behind it can be understood. */
  push(chunk: Buffer): Buffer[] | "bad" {
    let input = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (input.length >= CHANNEL_HEADER_BYTES) {
      const length = frameBytes(input);
      if (length > TURN_MAX_BYTES) return "bad";
      if (input.length < length) break;
      frames.push(input.subarray(0, length));
      input = input.subarray(length);
    }
    // A copy: what is left must not keep a large chunk alive.
    this.#rest = input.length === 0 ? NOTHING : Buffer.from(input);
    return frames;
  }
}

/** With the padding; infinite where it is neither of the two. */
function frameBytes(input: Buffer): number {
  const first = input[0] as number;
  const length = input.readUInt16BE(2);
  if (isChannelData(first)) return (CHANNEL_HEADER_BYTES + length + 3) & ~3;
  return first < 0x40 ? STUN_HEADER_BYTES + length : Number.POSITIVE_INFINITY;
}
