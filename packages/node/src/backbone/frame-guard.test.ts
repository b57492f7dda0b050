import fc from "fast-check";
import { expect, test } from "vitest";
import { LengthReader } from "./frame-guard.ts";

const frame = (size: number): Uint8Array => {
  const bytes = new Uint8Array(3 + size).fill(0xff);
  bytes.set([size & 0xff, (size >> 8) & 0xff, size >> 16]);
  return bytes;
};

test("frames within the bound pass, however they are cut; the first above it does not", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 20 }),
      (sizes, cuts) => {
        const bytes = Uint8Array.from(sizes.flatMap((size) => [...frame(size)]));
        const reader = new LengthReader(256);
        let passed = true;
        for (let at = 0, i = 0; at < bytes.length && passed; i++) {
          const cut = cuts[i % cuts.length] as number;
          passed = reader.read(bytes.subarray(at, at + cut));
          at += cut;
        }
        expect(passed).toBe(sizes.every((size) => size <= 256));
      },
    ),
  );
});

test("the largest length there is", () => {
  expect(new LengthReader(256).read(Uint8Array.of(0xff, 0xff, 0xff))).toBe(false);
  expect(new LengthReader(256).read(Uint8Array.of(0xff, 0xff))).toBe(true);
});
