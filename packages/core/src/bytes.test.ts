import { expect, test } from "vitest";
import { ByteWriter, decodeBytes } from "@earshot/core";
import { accept } from "./errors.ts";

test("fields come back as they were written, and left-over or missing bytes are refused", () => {
  const bytes = new ByteWriter().u8(1).u16(2).u32(3).u64(4).bytes16(Uint8Array.of(5, 6)).finish();
  const read = (input: Uint8Array) =>
    decodeBytes(input, (r) => accept([r.u8(), r.u16(), r.u32(), r.u64(), [...r.bytes16()]]));
  expect(read(bytes)).toEqual({ ok: true, value: [1, 2, 3, 4, [5, 6]] });
  expect(read(bytes.subarray(0, -1))).toMatchObject({ ok: false, code: "bad-frame" });
  expect(read(Uint8Array.of(...bytes, 0))).toMatchObject({ ok: false, code: "bad-frame" });
});
