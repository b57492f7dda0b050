/** CBOR (RFC 8949) as the protocol restricts it. docs/protocol/README.md, "Notation". */
import { encode, rfc8949EncodeOptions, type Token, Tokenizer } from "cborg";
import { equalBytes, utf8 } from "./bytes.ts";
import { EarshotError, RefusedError, accept, refuse, type RefusalCode, type Result } from "./errors.ts";

/** Integers are safe integers (at most 2^53 - 1 away from zero). */
export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[];

/** Arrays within arrays, counting the outermost. No structure of the protocol needs more than five. */
export const CBOR_MAX_DEPTH = 8;

const STRICT = { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false } as const;

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
  return plain(encode(value, rfc8949EncodeOptions));
}

/** Never Node's Buffer, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
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
  let value: CborValue;
  try {
    const tokens = new Tokenizer(plain(bytes), { ...STRICT, retainStringBytes: true });
    value = readItem(tokens, 0);
    if (!tokens.done()) return refuse("bad-cbor", "bytes after the item");
  } catch (error) {
    // cborg throws plain Errors for malformed input, and nothing else runs in the block above.
    return error instanceof ShapeMismatch ? refuse(error.code, error.message) : refuse("bad-cbor", "malformed");
  }
  try {
    return read(value);
  } catch (error) {
    if (error instanceof ShapeMismatch) return refuse(error.code, error.message);
    throw error;
  }
}

function readItem(tokens: Tokenizer, depth: number): CborValue {
  const token = tokens.next();
  switch (token.type.name) {
    case "uint":
    case "negint":
      return integerOf(token);
    case "bytes":
      return token.value as Uint8Array;
    case "string":
      return textOf(token);
    case "array": {
      if (depth >= CBOR_MAX_DEPTH) throw new ShapeMismatch("bad-cbor", "too deep");
      const items: CborValue[] = [];
      for (let i = 0; i < (token.value as number); i++) items.push(readItem(tokens, depth + 1));
      return items;
    }
    case "false":
      return false;
    case "true":
      return true;
    case "null":
      return null;
    default:
      throw new ShapeMismatch("bad-cbor", `a ${token.type.name} is not allowed`);
  }
}

function integerOf(token: Token): number {
  if (!Number.isSafeInteger(token.value)) throw new ShapeMismatch("bad-cbor", "integer out of range");
  return token.value as number;
}

function textOf(token: Token): string {
  const text = token.value as string;
  // cborg decodes UTF-8 leniently; whatever it replaced or swallowed differs on the way back.
  if (!equalBytes(utf8(text), token.byteValue ?? new Uint8Array())) throw new ShapeMismatch("bad-text", "not UTF-8");
  const checked = checkText(text);
  if (!checked.ok) throw new ShapeMismatch(checked.code, checked.detail ?? checked.code);
  return text;
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
