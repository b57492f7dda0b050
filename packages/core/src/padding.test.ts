import fc from "fast-check";
import { expect, test } from "vitest";
import { pad, unpad } from "./padding.ts";

test("content comes back whatever it ends in, from any size that is larger", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 1, max: 50 }), (content, more) => {
      const padded = pad(content, content.length + more);
      expect(padded).toHaveLength(content.length + more);
      expect(unpad(padded)).toEqual(content);
    }),
  );
});

test("what has no mark, or something else before the zeros, is not padded", () => {
  expect(unpad(new Uint8Array(8))).toBeUndefined();
  expect(unpad(new Uint8Array())).toBeUndefined();
  expect(unpad(Uint8Array.of(0x80, 1, 0))).toBeUndefined();
});

test("there is no room for the mark where the content fills the size", () => {
  expect(() => pad(new Uint8Array(4), 4)).toThrow(RangeError);
});
