import fc from "fast-check";
import { expect, test } from "vitest";
import { EDGE_ERROR_NUMBERS, type EdgeErrorCode, edgeErrorCode, edgeErrorNumber } from "./error-codes.ts";
import {
  decodeClientFrame,
  decodeFrame,
  decodeServerFrame,
  type EdgeFrame,
  type EdgeReply,
  type EdgeRequest,
  encodeFrame,
  encodeReply,
  MAX_FRAME_BYTES,
} from "./frames.ts";
import { encodeWelcome } from "./reply-codec.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.maxSafeNat();
const url = fc.stringMatching(/^wss:\/\/[a-z]{1,20}\/edge$/);

const record = fc.record({
  publicKey: bytes(32),
  seq: u64,
  signature: bytes(64),
  value: fc.uint8Array({ maxLength: 1_000 }),
});
const dht = fc.oneof(
  fc.constant(""),
  fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([ip, port]) => `${ip}:${port}`),
  fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 65_535 })).map(([ip, port]) => `[${ip}]:${port}`),
);
const ref = fc.record({ supernodeKey: bytes(32), dht, url: fc.oneof(fc.constant(""), url) });
const at = fc.option(ref);
const descriptor = fc.uint8Array({ maxLength: 400 });
const descriptors = (most: number) => fc.array(descriptor, { maxLength: most });
const tokens = fc.array(fc.record({ day: u32, tokenHash: bytes(16) }), { maxLength: 256 });

const request: fc.Arbitrary<EdgeRequest> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    versions: fc.array(u8, { minLength: 1, maxLength: 8 }),
    clientNonce: bytes(32),
  }),
  fc.record({
    type: fc.constant("open-mailbox" as const),
    mailboxKey: bytes(32),
    lanes: fc.integer({ min: 1, max: 3 }),
    hour: u32,
    work: u64,
    signature: bytes(64),
  }),
  fc.record({ type: fc.constant("close-mailbox" as const), mailboxId: bytes(16), forget: fc.boolean() }),
  fc.record({
    type: fc.constant("deliver" as const),
    to: ref,
    sealedHop: fc.uint8Array({ maxLength: 8_294 }),
  }),
  fc.record({ type: fc.constant("ack" as const), mailboxId: bytes(16), seq: u64 }),
  fc.record({ type: fc.constant("put-record" as const), record }),
  fc.record({ type: fc.constant("get-record" as const), publicKey: bytes(32) }),
  fc.record({ type: fc.constant("get-relay" as const), mailboxId: bytes(16) }),
  fc.record({ type: fc.constant("put-bundle" as const), at, bundle: fc.uint8Array({ maxLength: 8_192 }) }),
  fc.record({ type: fc.constant("get-bundle" as const), hash: bytes(32), at }),
  fc.record({
    type: fc.constant("set-tokens" as const),
    mailboxId: bytes(16),
    operation: fc.constantFrom("add" as const, "remove" as const, "clear" as const),
    tokens,
  }),
  fc.record({ type: fc.constant("peer-hello" as const), descriptor, signature: bytes(64) }),
  fc.record({ type: fc.constant("dial-back" as const), dht, supernodeKey: bytes(32) }),
  fc.record({ type: fc.constant("probe" as const), padding: fc.uint8Array({ maxLength: 10_000 }) }),
  fc.constantFrom(
    { type: "list-supernodes" as const },
    { type: "get-ice" as const },
    { type: "ping" as const },
    { type: "get-descriptor" as const },
  ),
);

const welcome = fc
  .record({
    version: u8,
    supernodeKey: bytes(32),
    hopKey: bytes(32),
    challenge: bytes(32),
    time: u64,
    maxFrameBytes: u32,
    mailboxWorkBits: u8,
    requestWorkBits: u8,
    retentionSeconds: u32,
  })
  .chain((fields) =>
    bytes(64).map((signature) => ({
      type: "welcome" as const,
      welcome: fields,
      signedPart: encodeWelcome(fields),
      signature,
    })),
  );

const reply: fc.Arbitrary<EdgeReply> = fc.oneof(
  welcome,
  fc.record({ type: fc.constant("opened" as const), mailboxId: bytes(16), stored: u16 }),
  fc.record({
    type: fc.constant("envelope" as const),
    mailboxId: bytes(16),
    seq: u64,
    envelope: fc.uint8Array({ maxLength: 8_192 }),
  }),
  fc.record({ type: fc.constant("record" as const), record: fc.option(record) }),
  fc.record({ type: fc.constant("bundle" as const), bundle: fc.option(fc.uint8Array({ maxLength: 8_192 })) }),
  fc
    .record({
      type: fc.constant("supernodes" as const),
      tunnels: fc.boolean(),
      self: fc.boolean(),
      descriptors: descriptors(20),
    })
    .filter(({ self, descriptors: each }) => !self || each.length > 0),
  fc.record({ type: fc.constant("ice" as const), urls: fc.array(url, { maxLength: 8 }) }),
  fc.record({
    type: fc.constant("relay" as const),
    urls: fc.array(url, { minLength: 1, maxLength: 4 }),
    username: url,
    password: url,
    expiresAt: fc.nat(),
  }),
  fc.record({ type: fc.constant("drain" as const), graceMs: u32, retryAfterMs: u32, descriptors: descriptors(5) }),
  fc.record({
    type: fc.constant("dialled" as const),
    reached: fc.boolean(),
    observedHost: fc.oneof(fc.ipV4(), fc.ipV6()),
  }),
  fc.record({ type: fc.constant("descriptor" as const), descriptor }),
  fc.record({ type: fc.constant("moved" as const), mailboxId: bytes(16) }),
  fc.record({
    type: fc.constant("error" as const),
    code: fc.constantFrom(...(Object.keys(EDGE_ERROR_NUMBERS) as EdgeErrorCode[])),
    retryAfterMs: u32,
  }),
  fc.constantFrom({ type: "ok" as const }, { type: "pong" as const }),
);

const arbitraryFrame: fc.Arbitrary<EdgeFrame> = fc.oneof(
  fc.tuple(request, fc.integer({ min: 1, max: 0xffff_ffff })).map(([body, requestId]) => ({ ...body, requestId })),
  fc.tuple(reply, u32).map(([body, requestId]) => ({ ...body, requestId })),
);

test("every frame comes back as it was written", () => {
  fc.assert(
    fc.property(arbitraryFrame, (frame) => {
      const bytes = encodeFrame(frame);
      expect(bytes.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
      expect(decodeFrame(bytes)).toEqual({ ok: true, value: frame });
    }),
    { numRuns: 1_000 },
  );
});

test("no bytes make the decoder throw, and what it accepts has one encoding", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      fc.constantFrom(0x01, 0x02, 0x0a, 0x0e, 0x0f, 0x81, 0x87, 0x89, 0x8c, 0x8d, 0xff),
      (tail, type) => {
        for (const bytes of [tail, Uint8Array.of(type, 0, 0, 0, 1, ...tail)]) {
          const frame = decodeFrame(bytes);
          if (frame.ok && frame.value.type !== "error") expect(encodeFrame(frame.value)).toEqual(bytes);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a cut or lengthened frame is refused", () => {
  fc.assert(
    fc.property(arbitraryFrame, fc.nat(), (frame, at) => {
      const bytes = encodeFrame(frame);
      expect(decodeFrame(bytes.subarray(0, at % bytes.length)).ok).toBe(false);
      expect(decodeFrame(Uint8Array.of(...bytes, 0)).ok).toBe(false);
    }),
  );
});

test("the largest frame passes, one byte more is too large", () => {
  expect(decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1))).toMatchObject({ ok: false, code: "too-large" });
  expect(decodeFrame(new Uint8Array(MAX_FRAME_BYTES))).toMatchObject({ ok: false, code: "unknown-type" });
});

test("neither side can speak for the other, and a client names its requests", () => {
  const ping = encodeFrame({ type: "ping", requestId: 7 });
  const pong = encodeFrame({ type: "pong", requestId: 7 });
  expect(decodeClientFrame(ping)).toMatchObject({ ok: true });
  expect(decodeServerFrame(pong)).toMatchObject({ ok: true });
  expect(decodeServerFrame(ping)).toMatchObject({ code: "unknown-type" });
  expect(decodeClientFrame(pong)).toMatchObject({ code: "unknown-type" });
  expect(decodeFrame(Uint8Array.of(0x0d, 0, 0, 0, 0))).toMatchObject({ code: "bad-frame" });
  expect(() => encodeFrame({ type: "ping", requestId: 0 })).toThrow(RangeError);
});

test("bytes of hello and welcome stand as the protocol page has them", () => {
  const hello: EdgeFrame = { type: "hello", requestId: 1, versions: [1], clientNonce: new Uint8Array(32).fill(9) };
  expect(encodeFrame(hello)).toEqual(Uint8Array.of(0x01, 0, 0, 0, 1, 1, 1, ...new Uint8Array(32).fill(9)));
  const signedPart = encodeWelcome({
    version: 1,
    supernodeKey: new Uint8Array(32).fill(1),
    hopKey: new Uint8Array(32).fill(2),
    challenge: new Uint8Array(32).fill(3),
    time: 5,
    maxFrameBytes: MAX_FRAME_BYTES,
    mailboxWorkBits: 16,
    requestWorkBits: 18,
    retentionSeconds: 172_800,
  });
  expect(signedPart.length).toBe(115);
  expect(signedPart.subarray(97)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0x28, 0, 16, 18, 0, 2, 0xa3, 0));
});

test("error numbers are one to one, and an unknown one reads as not-allowed", () => {
  const numbers = Object.values(EDGE_ERROR_NUMBERS);
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const [code, number] of Object.entries(EDGE_ERROR_NUMBERS)) expect(edgeErrorCode(number)).toBe(code);
  expect(edgeErrorCode(60_000)).toBe("not-allowed");
  expect(edgeErrorNumber("bad-sdp")).toBe(EDGE_ERROR_NUMBERS["not-allowed"]);
});

test("an envelope's and an empty answer's bytes are those of the page, wherever they are written to", () => {
  const mailboxId = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
  const seq = 2 ** 52 + 0x1_0000_0203; // more than 32 bits of it
  const envelope = Uint8Array.of(0xaa, 0xbb, 0xcc);
  const dirty = (length: number) => new Uint8Array(length).fill(0xff);
  const hex = (frame: Uint8Array) => Buffer.from(frame).toString("hex");
  expect(hex(encodeReply({ type: "envelope", mailboxId, seq, envelope }, 0, dirty))).toBe(
    `83${"00000000"}0102030405060708090a0b0c0d0e0f10${"0010000100000203"}${"0003"}aabbcc`,
  );
  expect(hex(encodeReply({ type: "ok" }, 0xfedc_ba98, dirty))).toBe("84fedcba98");
  expect(hex(encodeReply({ type: "pong" }, 1, dirty))).toBe("8a00000001");
  for (const wrong of [{ seq: 2 ** 53 }, { seq: -1 }, { seq: 0.5 }, { mailboxId: new Uint8Array(15) }])
    expect(() => encodeReply({ type: "envelope", mailboxId, seq, envelope, ...wrong }, 0)).toThrow(RangeError);
  expect(() => encodeReply({ type: "ok" }, 2 ** 32)).toThrow(RangeError);
  expect(() => encodeReply({ type: "envelope", mailboxId, seq, envelope: new Uint8Array(MAX_FRAME_BYTES) }, 0)).toThrow(
    RangeError,
  );
});
