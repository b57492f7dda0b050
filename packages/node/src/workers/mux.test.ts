import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeMux,
  MAX_MUX_BODY_BYTES,
  MUX_HEADER_BYTES,
  MUX_KINDS,
  MuxDecoder,
  type MuxFrame,
  type MuxKind,
} from "./mux.ts";

const kinds = fc.constantFrom(...(Object.keys(MUX_KINDS) as MuxKind[]));
const frames = fc.array(
  fc.record({
    connection: fc.integer({ min: 0, max: 0xffff_ffff }),
    kind: kinds,
    body: fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constant(new Uint8Array(MAX_MUX_BODY_BYTES).fill(7))),
  }),
  { maxLength: 8 },
);

/** The stream cut at arbitrary places. */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set([0, bytes.length, ...cuts.map((each) => each % (bytes.length + 1))])].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

test("what is sent comes out whole and in order, however the stream is cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 40 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(({ connection, kind, body }) => encodeMux(connection, kind, body)));
      const decoder = new MuxDecoder();
      const got: MuxFrame[] = [];
      for (const chunk of cut(bytes, cuts)) {
        expect(decoder.push(chunk, (frame) => got.push({ ...frame, body: Uint8Array.from(frame.body) })).ok).toBe(true);
        expect(decoder.keptBytes).toBeLessThan(MUX_HEADER_BYTES + MAX_MUX_BODY_BYTES);
      }
      expect(decoder.keptBytes).toBe(0);
      expect(got.map(({ connection, kind, body }) => [connection, kind, Buffer.from(body).toString("hex")])).toEqual(
        sent.map(({ connection, kind, body }) => [connection, kind, Buffer.from(body).toString("hex")]),
      );
    }),
  );
});

test("garbage is refused or kept within the bound, and never thrown on", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30_000 }), { maxLength: 10 }), (chunks) => {
      const decoder = new MuxDecoder();
      for (const chunk of chunks) {
        const taken = decoder.push(chunk, () => {});
        expect(["bad-frame", "too-large", "unknown-type", undefined]).toContain(taken.ok ? undefined : taken.code);
        expect(decoder.keptBytes).toBeLessThan(MUX_HEADER_BYTES + MAX_MUX_BODY_BYTES);
      }
    }),
  );
});

test("a length beyond the bound is refused before anything of it is kept, and so is all that follows", () => {
  const decoder = new MuxDecoder();
  const header = encodeMux(1, "message");
  header.writeUInt32BE(MAX_MUX_BODY_BYTES + 1, 5);
  expect(decoder.push(header, () => {})).toMatchObject({ ok: false, code: "too-large" });
  expect(decoder.push(encodeMux(1, "message"), () => {})).toMatchObject({ ok: false, code: "bad-frame" });
  expect(() => encodeMux(1, "message", new Uint8Array(MAX_MUX_BODY_BYTES + 1))).toThrow(RangeError);
});
