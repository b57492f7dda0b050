/**
 * CBOR (RFC 8949) as the protocol restricts it. docs/protocol/README.md, "Notation". What is left of it is so little that a
 * general library's options to turn the rest off are more to get wrong; the tests hold it against one.
 */
import { bytesToUtf8 } from "@noble/ciphers/utils.js";
import { type ByteReader, ByteWriter, decodeBytes, equalBytes, utf8 } from "./bytes.ts";
import { EarshotError, RefusedError, accept, refuse, type RefusalCode, type Result } from "./errors.ts";

/** Integers are safe integers (at most 2^53 - 1 away from zero). */
export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[];

/** Arrays within arrays, counting the outermost. No structure of the protocol needs more than five. */
export const CBOR_MAX_DEPTH = 8;

/** Major types, RFC 8949 section 3.1. */
const UINT = 0;
const NEGINT = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
/** Additional information: the argument is in the 1, 2, 4 or 8 bytes that follow. Below it, it is the argument itself. */
const IN_1_BYTE = 24;
const IN_2_BYTES = 25;
const IN_4_BYTES = 26;
const IN_8_BYTES = 27;
/** Whole first bytes, major type 7. */
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

/** Controls, lone surrogates, line separators, explicit directional formatting (UAX 9) and the byte-order mark, which decoders swallow. */
const UNSAFE_TEXT = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** Raised by the shape readers and turned into a refusal by {@link readCbor}; never escapes it. */
class ShapeMismatch extends Error {
  readonly code: RefusalCode;
  constructor(code: RefusalCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Accepts NFC text without controls, line separators, bidirectional embeddings, overrides or isolates; else `bad-text`. */
export function checkText(text: string): Result<string> {
  if (UNSAFE_TEXT.test(text)) return refuse("bad-text", "control or direction-override character");
  return text.normalize("NFC") === text ? accept(text) : refuse("bad-text", "not in Unicode normal form C");
}

/** What a person typed, as text that {@link checkText} accepts: NFC, unsafe characters removed, cut to `maxBytes` of UTF-8 at a character. */
export function cleanText(text: string, maxBytes: number): string {
  let cleaned = "";
  let length = 0;
  for (const character of text.normalize("NFC").replace(new RegExp(UNSAFE_TEXT, "gu"), "").trim()) {
    length += utf8(character).length;
    if (length > maxBytes) break;
    cleaned += character;
  }
  return cleaned.trim().normalize("NFC");
}

/** Deterministic encoding. A value the protocol does not allow is the caller's mistake: RefusedError `bad-text`, or EarshotError `bad-cbor`. */
export function encodeCbor(value: CborValue): Uint8Array {
  assertEncodable(value, 0);
  const writer = new ByteWriter();
  writeItem(writer, value);
  return writer.finish();
}

function writeItem(writer: ByteWriter, value: CborValue): void {
  if (value === null) writer.u8(NULL);
  else if (typeof value === "boolean") writer.u8(value ? TRUE : FALSE);
  else if (typeof value === "number") writeHead(writer, value < 0 ? NEGINT : UINT, value < 0 ? -1 - value : value);
  else if (typeof value === "string") {
    const bytes = utf8(value);
    writeHead(writer, TEXT, bytes.length).raw(bytes);
  } else if (value instanceof Uint8Array) writeHead(writer, BYTES, value.length).raw(value);
  else {
    writeHead(writer, ARRAY, value.length);
    for (const item of value) writeItem(writer, item);
  }
}

/** The argument in as few bytes as it fits. */
function writeHead(writer: ByteWriter, major: number, argument: number): ByteWriter {
  const first = major << 5;
  if (argument < IN_1_BYTE) return writer.u8(first | argument);
  if (argument < 2 ** 8) return writer.u8(first | IN_1_BYTE).u8(argument);
  if (argument < 2 ** 16) return writer.u8(first | IN_2_BYTES).u16(argument);
  if (argument < 2 ** 32) return writer.u8(first | IN_4_BYTES).u32(argument);
  return writer.u8(first | IN_8_BYTES).u64(argument);
}

function assertEncodable(value: CborValue, depth: number): void {
  if (typeof value === "string") {
    const checked = checkText(value);
    if (!checked.ok) throw new RefusedError(checked.code, checked.detail ?? checked.code);
  } else if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new EarshotError("bad-cbor", `${value} is not a safe integer`);
  } else if (Array.isArray(value)) {
    if (depth >= CBOR_MAX_DEPTH) throw new EarshotError("bad-cbor", `deeper than ${CBOR_MAX_DEPTH} arrays`);
    for (const item of value) assertEncodable(item, depth + 1);
  } else if (value !== null && typeof value !== "boolean" && !(value instanceof Uint8Array)) {
    throw new EarshotError("bad-cbor", `cannot encode a value of type ${typeof value}`);
  }
}

/** One item and nothing after it. Refused: `bad-cbor`, `bad-text`. Byte strings are copies. */
export function decodeCbor(bytes: Uint8Array): Result<CborValue> {
  return readCbor(bytes, accept);
}

/** Decodes and hands the value to `read`, in which the shape readers below may be used: their mismatch refuses the whole. */
export function readCbor<T>(bytes: Uint8Array, read: (value: CborValue) => Result<T>): Result<T> {
  const item = readOne(bytes);
  if (!item.ok) return item;
  try {
    return read(item.value);
  } catch (error) {
    if (error instanceof ShapeMismatch) return refuse(error.code, error.message);
    throw error;
  }
}

function readOne(bytes: Uint8Array): Result<CborValue> {
  try {
    const read = decodeBytes(bytes, (reader) => accept(readItem(reader, 0)));
    return read.ok ? read : refuse("bad-cbor", read.detail);
  } catch (error) {
    if (error instanceof ShapeMismatch) return refuse(error.code, error.message);
    throw error;
  }
}

function readItem(reader: ByteReader, depth: number): CborValue {
  const first = reader.u8();
  if (first === FALSE || first === TRUE) return first === TRUE;
  if (first === NULL) return null;
  const argument = readArgument(reader, first & 0x1f);
  switch (first >> 5) {
    case UINT:
      return argument;
    case NEGINT:
      return argument < Number.MAX_SAFE_INTEGER ? -1 - argument : malformed("integer out of range");
    case BYTES:
      return new Uint8Array(reader.bytes(argument));
    case TEXT:
      return textOf(reader.bytes(argument));
    case ARRAY: {
      if (depth >= CBOR_MAX_DEPTH) return malformed("too deep");
      const items: CborValue[] = [];
      for (let i = 0; i < argument; i++) items.push(readItem(reader, depth + 1));
      return items;
    }
    default:
      return malformed("a type that is not allowed");
  }
}

/** A safe integer. An argument in more bytes than it needs would give an item a second encoding. */
function readArgument(reader: ByteReader, information: number): number {
  if (information < IN_1_BYTE) return information;
  let argument: number;
  let least: number;
  if (information === IN_1_BYTE) [argument, least] = [reader.u8(), IN_1_BYTE];
  else if (information === IN_2_BYTES) [argument, least] = [reader.u16(), 2 ** 8];
  else if (information === IN_4_BYTES) [argument, least] = [reader.u32(), 2 ** 16];
  else if (information === IN_8_BYTES) [argument, least] = [reader.u64(), 2 ** 32];
  else return malformed("reserved or indefinite length");
  return argument < least ? malformed("a number in more bytes than it needs") : argument;
}

function textOf(bytes: Uint8Array): string {
  const text = bytesToUtf8(bytes);
  // Decoded leniently: whatever was replaced or swallowed differs on the way back.
  if (!equalBytes(utf8(text), bytes)) throw new ShapeMismatch("bad-text", "not UTF-8");
  const checked = checkText(text);
  if (!checked.ok) throw new ShapeMismatch(checked.code, checked.detail ?? checked.code);
  return text;
}

function malformed(what: string): never {
  throw new ShapeMismatch("bad-cbor", what);
}

function mismatch(expected: string): never {
  throw new ShapeMismatch("bad-cbor", `expected ${expected}`);
}

/** An array of exactly `places`, or of `[least, most]` places. Only inside {@link readCbor}, as all shape readers. */
export function asArray(
  value: CborValue | undefined,
  places: number | readonly [number, number],
): readonly CborValue[] {
  const [least, most] = typeof places === "number" ? [places, places] : places;
  if (!Array.isArray(value) || value.length < least || value.length > most)
    return mismatch(least === most ? `${most} places` : `${least} to ${most} places`);
  return value as readonly CborValue[];
}

/** A structure of exactly `places`, the first of which is version 1; another version is `unknown-version` whatever follows it. */
export function asVersioned(value: CborValue | undefined, places: number): readonly CborValue[] {
  if (!Array.isArray(value)) return mismatch("an array");
  const version = asUint(value[0] as CborValue | undefined, Number.MAX_SAFE_INTEGER);
  if (version !== 1) throw new ShapeMismatch("unknown-version", "unknown version");
  return asArray(value, places);
}

/** Exactly `length` bytes, or `[least, most]` bytes. */
export function asBytes(value: CborValue | undefined, length: number | readonly [number, number]): Uint8Array {
  const [least, most] = typeof length === "number" ? [length, length] : length;
  if (!(value instanceof Uint8Array) || value.length < least || value.length > most)
    return mismatch(least === most ? `${most} bytes` : `${least} to ${most} bytes`);
  return value;
}

/** Text of at most `maxBytes` of UTF-8. */
export function asText(value: CborValue | undefined, maxBytes: number): string {
  if (typeof value !== "string" || utf8(value).length > maxBytes) return mismatch(`text of at most ${maxBytes} bytes`);
  return value;
}

/** Text as {@link asText}, of which `isOne` holds; `bad-text` otherwise. */
export function asTextOf(value: CborValue | undefined, maxBytes: number, isOne: (text: string) => boolean): string {
  const text = asText(value, maxBytes);
  if (!isOne(text)) throw new ShapeMismatch("bad-text", "not of its form");
  return text;
}

/** An integer from 0 to `max` inclusive. */
export function asUint(value: CborValue | undefined, max: number): number {
  if (typeof value !== "number" || value < 0 || value > max) return mismatch(`an integer up to ${max}`);
  return value;
}

export function asBool(value: CborValue | undefined): boolean {
  return typeof value === "boolean" ? value : mismatch("a boolean");
}

/** `null`, or what `read` makes of the value. */
export function asNullable<T>(value: CborValue | undefined, read: (value: CborValue) => T): T | null {
  if (value === undefined) return mismatch("a value or null");
  return value === null ? null : read(value);
}
