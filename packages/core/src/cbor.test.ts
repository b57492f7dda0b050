import { expect, test } from "vitest";
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { cleanText, checkText, decodeCbor, encodeCbor, fromHex, toHex, unwrap, type CborValue } from "@earshot/core";
import { asArray, asBool, asBytes, asNullable, asText, asUint, asVersioned, readCbor } from "./cbor.ts";
import { accept } from "./errors.ts";

const hex = (text: string) => unwrap(fromHex(text));
const safeText = fc.string({ unit: "grapheme" }).map((text) => cleanText(text, 1_000));
const { value: anyValue } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 7, depthSize: "medium" },
    fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
    safeText,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 5 }),
  ),
}));

test("what was encoded comes back, and its encoding is the only one", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeCbor(value);
      expect(decodeCbor(bytes)).toEqual({ ok: true, value });
      expect(decodeCbor(Uint8Array.of(...bytes, 0))).toMatchObject({ ok: false, code: "bad-cbor" });
    }),
  );
});

test("random bytes are refused or decode to what encodes to the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const result = decodeCbor(bytes);
      if (result.ok) expect(toHex(encodeCbor(result.value))).toBe(toHex(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test("what is encoded is what a general library encodes, and reads", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeCbor(value);
      expect(toHex(bytes)).toBe(toHex(encode(value, rfc8949EncodeOptions)));
      expect(decode(bytes)).toEqual(value);
    }),
  );
  for (const length of [0, 23, 24, 255, 256, 65_535, 65_536])
    expect(decode(encodeCbor(new Uint8Array(length)))).toEqual(new Uint8Array(length));
  for (const edge of [23, 24, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER])
    for (const n of [edge, -edge, -edge - 1].filter(Number.isSafeInteger)) {
      expect(toHex(encodeCbor(n))).toBe(toHex(encode(n)));
      expect(decodeCbor(encodeCbor(n))).toEqual(accept(n));
    }
});

test("what is altered by a bit or two is read as a strict general library reads it, or refused", () => {
  fc.assert(
    fc.property(anyValue, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }), (value, changes) => {
      const bytes = encodeCbor(value);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      const read = decodeCbor(bytes);
      if (read.ok) expect(read.value).toEqual(decode(bytes, { strict: true }));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["empty input", ""],
  ["a number in more bytes than it needs", "1801"],
  ["a length in more bytes than it needs", "580100"],
  ["an array length in more bytes than it needs", "980100"],
  ["a negative number in more bytes than it needs", "3800"],
  ["an integer above 2^53", "1b0020000000000000"],
  ["a negative integer below -2^53", "3b0020000000000000"],
  ["indefinite bytes", "5f4100ff"],
  ["indefinite text", "7f6161ff"],
  ["an indefinite array", "9f00ff"],
  ["a lone break", "ff"],
  ["a map", "a0"],
  ["a map with entries", "a10001"],
  ["a tag", "c000"],
  ["half, single and double floats", "f90000"],
  ["a single float", "fa00000000"],
  ["a double float", "fb0000000000000000"],
  ["undefined", "f7"],
  ["an unassigned simple value", "e0"],
  ["a reserved additional information", "1c"],
  ["nine arrays deep", "81".repeat(8) + "80"],
  ["a million arrays deep", "81".repeat(100_000)],
  ["an array that promises more than is there", "9affffffff00"],
  ["bytes that promise more than is there", "5affffffff00"],
  ["bytes after the item", "0000"],
])("refuses %s", (_name, text) => {
  expect(decodeCbor(hex(text))).toMatchObject({ ok: false, code: "bad-cbor" });
});

test("eight arrays deep is the most", () => {
  expect(decodeCbor(hex(`${"81".repeat(7)}80`)).ok).toBe(true);
});

test.each([
  ["invalid UTF-8", "61ff"],
  ["an overlong sequence", "62c080"],
  ["an encoded surrogate", "63eda080"],
  ["a line feed", "610a"],
  ["a null", "6100"],
  ["a C1 control", "62c285"],
  ["a line separator", "63e280a8"],
  ["a right-to-left override", "63e280ae"],
  ["a byte-order mark", "64efbbbf61"],
  ["an isolate", "63e281a6"],
  ["decomposed letters (not NFC)", "6365cc81"],
  ["a long invalid text", `7828${"61".repeat(39)}ff`],
])("refuses text with %s", (_name, text) => {
  expect(decodeCbor(hex(text))).toMatchObject({ ok: false, code: "bad-text" });
});

test("people's names in any script and emoji are text like any other", () => {
  for (const name of ["Zoë", "שלום", "李", "🧑🏽‍🚀"]) expect(decodeCbor(encodeCbor(name))).toEqual(accept(name));
});

test("typed text is cleaned into text that decodes", () => {
  expect(cleanText("  Ann\u202e\n Smith\u0000 ", 64)).toBe("Ann Smith");
  expect(cleanText("e\u0301", 64)).toBe("é");
  expect(cleanText("ééé", 5)).toBe("éé");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const cleaned = cleanText(text, 48);
      expect(checkText(cleaned)).toEqual(accept(cleaned));
    }),
  );
});

test("encoding what the protocol does not allow is the caller's mistake", () => {
  for (const value of [1.5, Number.NaN, 2 ** 53, undefined, { a: 1 }, 1n] as unknown as CborValue[])
    expect(() => encodeCbor(value)).toThrow(expect.objectContaining({ code: "bad-cbor" }));
  expect(() => encodeCbor("a\nb")).toThrow(expect.objectContaining({ code: "bad-text" }));
  expect(() => encodeCbor("\ud800")).toThrow(expect.objectContaining({ code: "bad-text" }));
});

test("shapes are demanded exactly", () => {
  const read = (value: CborValue) =>
    readCbor(encodeCbor(value), (v) => {
      const [, n, key, name, flag, rest] = asVersioned(v, 6);
      return accept([
        asUint(n, 9),
        asBytes(key, 2),
        asText(name, 3),
        asBool(flag),
        asNullable(rest, (r) => asArray(r, [1, 2])),
      ]);
    });
  const good: CborValue[] = [1, 9, Uint8Array.of(1, 2), "abc", true, null];
  expect(read(good)).toEqual(accept([9, Uint8Array.of(1, 2), "abc", true, null]));
  const bad: [number, CborValue][] = [
    [1, 10],
    [1, -1],
    [1, "9"],
    [2, Uint8Array.of(1)],
    [3, "abcd"],
    [3, "éé"],
    [4, 1],
    [5, []],
    [5, [1, 2, 3]],
  ];
  for (const [place, value] of bad)
    expect(read(good.with(place, value))).toMatchObject({ ok: false, code: "bad-cbor" });
  expect(read([1, 9])).toMatchObject({ ok: false, code: "bad-cbor" });
  expect(read([2, "whatever"])).toMatchObject({ ok: false, code: "unknown-version" });
  expect(() =>
    readCbor(encodeCbor(1), () => {
      throw new TypeError("a bug is not a refusal");
    }),
  ).toThrow(TypeError);
});
