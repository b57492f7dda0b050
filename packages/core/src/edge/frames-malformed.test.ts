/** Frames that name supernodes, broken in each of their fields. docs/protocol/edge.md sections 2 and 3. */
import { expect, test } from "vitest";
import { ByteWriter, utf8 } from "../bytes.ts";
import { type EdgeFrame, decodeFrame, encodeFrame } from "./frames.ts";

const key = new Uint8Array(32).fill(7);
const ref = { supernodeKey: key, dht: "192.0.2.7:49737", url: "wss://a.example/edge" };
const descriptor = new Uint8Array(400).fill(1);

function frame(type: number, body: (w: ByteWriter) => ByteWriter): Uint8Array {
  return body(new ByteWriter().u8(type).u32(1)).finish();
}
const text = (w: ByteWriter, ...texts: string[]) => texts.reduce((each, one) => each.bytes8(utf8(one)), w);

test.each<[string, Uint8Array, string]>([
  [
    "deliver to a url of another scheme",
    frame(0x04, (w) => text(w.fixed(key, 32), "", "http://a.example").bytes16(key)),
    "bad-text",
  ],
  [
    "deliver to a name in the DHT",
    frame(0x04, (w) => text(w.fixed(key, 32), "a.example:1", "").bytes16(key)),
    "bad-text",
  ],
  [
    "deliver with a hop that is too large",
    frame(0x04, (w) => text(w.fixed(key, 32), "", "").bytes16(new Uint8Array(8_295))),
    "too-large",
  ],
  ["deliver without addresses", frame(0x04, (w) => w.fixed(key, 32)), "bad-frame"],
  ["put-bundle at neither here nor there", frame(0x08, (w) => w.u8(2).bytes16(key)), "bad-frame"],
  ["put-bundle at a bad url", frame(0x08, (w) => text(w.u8(1).fixed(key, 32), "", "x").bytes16(key)), "bad-text"],
  ["put-bundle of too much", frame(0x08, (w) => w.u8(0).bytes16(new Uint8Array(8_193))), "too-large"],
  ["get-bundle at neither", frame(0x09, (w) => w.fixed(key, 32).u8(255)), "bad-frame"],
  ["get-bundle at half a reference", frame(0x09, (w) => w.fixed(key, 32).u8(1).fixed(key, 32)), "bad-frame"],
  [
    "peer-hello with too large a descriptor",
    frame(0x0e, (w) => w.bytes16(new Uint8Array(401)).fixed(new Uint8Array(64), 64)),
    "too-large",
  ],
  ["peer-hello with half a signature", frame(0x0e, (w) => w.bytes16(descriptor).fixed(key, 32)), "bad-frame"],
  ["dial-back to a name", frame(0x0f, (w) => text(w, "localhost:22").fixed(key, 32)), "bad-text"],
  ["dial-back with a key too short", frame(0x0f, (w) => text(w, "").raw(new Uint8Array(31))), "bad-frame"],
  ["probe of too much", frame(0x10, (w) => w.bytes16(new Uint8Array(10_001))), "too-large"],
  ["get-descriptor with a body", frame(0x11, (w) => w.u8(0)), "bad-frame"],
  ["supernodes with a flag of 2", frame(0x87, (w) => w.u8(2).u8(0).u8(0)), "bad-frame"],
  ["supernodes that are oneself, but none", frame(0x87, (w) => w.u8(0).u8(1).u8(0)), "bad-frame"],
  ["21 supernodes", frame(0x87, (w) => w.u8(0).u8(0).u8(21).raw(new Uint8Array(42))), "too-many"],
  ["a supernode of 401 bytes", frame(0x87, (w) => w.u8(0).u8(0).u8(1).bytes16(new Uint8Array(401))), "too-large"],
  ["drain to six", frame(0x89, (w) => w.u32(0).u32(0).u8(6).raw(new Uint8Array(12))), "too-many"],
  ["dialled with a flag of 2", frame(0x8c, (w) => text(w.u8(2), "192.0.2.7")), "bad-frame"],
  ["dialled by a name", frame(0x8c, (w) => text(w.u8(1), "a.example")), "bad-text"],
  ["dialled by nobody", frame(0x8c, (w) => text(w.u8(1), "")), "bad-text"],
  ["a descriptor of 401 bytes", frame(0x8d, (w) => w.bytes16(new Uint8Array(401))), "too-large"],
])("%s is refused", (_name, bytes, code) => {
  expect(decodeFrame(bytes)).toMatchObject({ ok: false, code });
});

test.each<[string, EdgeFrame]>([
  [
    "a url of another scheme",
    { type: "deliver", requestId: 1, to: { ...ref, url: "https://a.example/" }, sealedHop: key },
  ],
  ["a name in the DHT", { type: "get-bundle", requestId: 1, hash: key, at: { ...ref, dht: "a.example:1" } }],
  ["too large a descriptor", { type: "descriptor", requestId: 1, descriptor: new Uint8Array(401) }],
  ["too much padding", { type: "probe", requestId: 1, padding: new Uint8Array(10_001) }],
  ["oneself without a descriptor", { type: "supernodes", requestId: 1, tunnels: false, self: true, descriptors: [] }],
  [
    "six to drain to",
    {
      type: "drain",
      requestId: 0,
      graceMs: 1,
      retryAfterMs: 1,
      descriptors: Array.from({ length: 6 }, () => descriptor),
    },
  ],
  ["an observed name", { type: "dialled", requestId: 1, reached: true, observedHost: "a.example" }],
])("writing %s is the caller's mistake", (_name, wrong) => {
  expect(() => encodeFrame(wrong)).toThrow(RangeError);
});

test("bytes of a delivery and of a list stand as the protocol page has them", () => {
  const deliver = encodeFrame({ type: "deliver", requestId: 1, to: ref, sealedHop: Uint8Array.of(9) });
  expect(deliver).toEqual(Uint8Array.of(4, 0, 0, 0, 1, ...key, 15, ...utf8(ref.dht), 20, ...utf8(ref.url), 0, 1, 9));
  expect(encodeFrame({ type: "get-bundle", requestId: 1, hash: key, at: null })).toEqual(
    Uint8Array.of(9, 0, 0, 0, 1, ...key, 0),
  );
  const list: EdgeFrame = { type: "supernodes", requestId: 1, tunnels: true, self: false, descriptors: [descriptor] };
  expect(encodeFrame(list).subarray(0, 10)).toEqual(Uint8Array.of(0x87, 0, 0, 0, 1, 1, 0, 1, 1, 0x90));
});

test("the longest list of supernodes fits a frame", () => {
  const descriptors = Array.from({ length: 20 }, () => descriptor);
  const list: EdgeFrame = { type: "supernodes", requestId: 1, tunnels: true, self: true, descriptors };
  expect(decodeFrame(encodeFrame(list))).toEqual({ ok: true, value: list });
});
