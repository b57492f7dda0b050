/**
 * Bounds the messages of a secret-stream. It frames messages by a length of three bytes, little-endian, and sets aside as
 * much memory as the length says, up to 16 MiB a stream, before a byte of the message is there. This reads the lengths
 * ahead of it and ends the stream at the first that is too large.
 */
import { MAX_FRAME_BYTES } from "@earshot/core";
import type { SecretStream } from "./hyperdht.ts";

const LENGTH_BYTES = 3;
/** libsodium's secretstream adds a tag byte and 16 of MAC. */
const SEALING_BYTES = 17;

/** Before the stream opens. `onTooLarge` is called once, and nothing more is read. */
export function guardFrames(stream: SecretStream, onTooLarge: () => void): void {
  const read = stream._onrawdata;
  const lengths = new LengthReader(MAX_FRAME_BYTES + SEALING_BYTES);
  let over = false;
  stream._onrawdata = (data) => {
    if (over) return;
    over = !lengths.read(data);
    if (over) onTooLarge();
    else read.call(stream, data);
  };
}

/** Follows the frames of a byte stream without keeping any of it. */
export class LengthReader {
  readonly #max: number;
  /** Bytes of a length so far. */
  #digits = 0;
  #length = 0;
  /** Bytes of a message still to come. */
  #left = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** False once a length is above the bound. */
  read(data: Uint8Array): boolean {
    let at = 0;
    while (at < data.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, data.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      this.#length += (data[at++] as number) << (8 * this.#digits);
      if (++this.#digits < LENGTH_BYTES) continue;
      if (this.#length > this.#max) return false;
      this.#left = this.#length;
      this.#digits = this.#length = 0;
    }
    return true;
  }
}
