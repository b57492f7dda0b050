import { ENVELOPE_HEADER_BYTES, toHex } from "@earshot/core";

/** Envelopes remembered: those of the last minutes, many calls' worth. */
const MAX_REMEMBERED = 1_024;
/** Which homes brought an envelope: senders give each to all of them. */
export class EnvelopeCopies {
  readonly #sources = new Map<string, Set<string>>();

  /** Notes it. True where another home brought it before, and this one did not. */
  isCopy(envelope: Uint8Array, source: string): boolean {
    // It holds the sender's fresh key: no two envelopes share it.
    const name = toHex(envelope.subarray(0, ENVELOPE_HEADER_BYTES));
    const known = this.#sources.get(name);
    if (known) {
      const first = !known.has(source);
      known.add(source);
      return first;
    }
    this.#sources.set(name, new Set([source]));
    if (this.#sources.size > MAX_REMEMBERED) this.#sources.delete(this.#sources.keys().next().value as string);
    return false;
  }
}
