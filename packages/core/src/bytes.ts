/** Reading and writing the protocol's fixed layouts. docs/protocol/README.md, "Notation". */
import { accept, refuse, type Result } from "./errors.ts";

/** Raised inside a decoder by {@link ByteReader} and turned into `bad-frame` by {@link decodeBytes}; never escapes. */
class ShortInput extends Error {}

/** Reads big-endian fields; running past the end, or leaving bytes, makes {@link decodeBytes} refuse the whole. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }
  #advance(length: number): number {
    if (length > this.remaining) throw new ShortInput();
    const from = this.#at;
    this.#at += length;
    return from;
  }
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }
  /** A u64 that must fit a safe integer (2^53 - 1): times, sequence numbers and work. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ShortInput();
    return Number(value);
  }
  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const from = this.#advance(length);
    return this.#bytes.subarray(from, from + length);
  }
  bytes8(): Uint8Array {
    return this.bytes(this.u8());
  }
  bytes16(): Uint8Array {
    return this.bytes(this.u16());
  }
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }
}

/** Runs `read` over all of `bytes`: short or left-over input is refused as `bad-frame`. */
export function decodeBytes<T>(bytes: Uint8Array, read: (reader: ByteReader) => Result<T>): Result<T> {
  const reader = new ByteReader(bytes);
  try {
    const result = read(reader);
    return result.ok && reader.remaining > 0 ? refuse("bad-frame", "bytes after the end") : result;
  } catch (error) {
    if (error instanceof ShortInput) return refuse("bad-frame", "too short");
    throw error;
  }
}

/** Collects fields and joins them once. Numbers out of range are the caller's mistake (RangeError). */
export class ByteWriter {
  /** Numbers stay numbers until the end: supernodes write millions, and each small array of its own costs more than it holds. */
  readonly #parts: (Uint8Array | number)[] = [];
  readonly #lengths: number[] = [];
  #total = 0;
  #add(part: Uint8Array | number, length: number): this {
    this.#parts.push(part);
    this.#lengths.push(length);
    this.#total += length;
    return this;
  }
  #number(length: 1 | 2 | 4 | 8, value: number): this {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * length))
      throw new RangeError(`${value} does not fit ${length} bytes`);
    return this.#add(value, length);
  }
  u8(value: number): this {
    return this.#number(1, value);
  }
  u16(value: number): this {
    return this.#number(2, value);
  }
  u32(value: number): this {
    return this.#number(4, value);
  }
  u64(value: number): this {
    return this.#number(8, value);
  }
  /** Exactly `length` bytes, or a RangeError. */
  fixed(value: Uint8Array, length: number): this {
    if (value.length !== length) throw new RangeError(`expected ${length} bytes, got ${value.length}`);
    return this.#add(value, length);
  }
  raw(value: Uint8Array): this {
    return this.#add(value, value.length);
  }
  bytes8(value: Uint8Array): this {
    return this.u8(value.length).raw(value);
  }
  bytes16(value: Uint8Array): this {
    return this.u16(value.length).raw(value);
  }
  finish(): Uint8Array {
    const joined = new Uint8Array(this.#total);
    let at = 0;
    this.#parts.forEach((part, i) => {
      const length = this.#lengths[i] as number;
      if (typeof part === "number") writeNumber(joined, at, length, part);
      else joined.set(part, at);
      at += length;
    });
    return joined;
  }
}

/** Big-endian. No bit operators: they would cut a u64 to 32 bits. */
function writeNumber(into: Uint8Array, from: number, length: number, value: number): void {
  let rest = value;
  for (let at = from + length - 1; at >= from; at--) {
    into[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Equality without early exit, for secrets as well as ids. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

export { utf8ToBytes as utf8 } from "@noble/hashes/utils.js";

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Strict lower- or upper-case hex; refused as `bad-text` otherwise. */
export function fromHex(text: string): Result<Uint8Array> {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return refuse("bad-text", "not hex");
  return accept(
    Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)),
  );
}
