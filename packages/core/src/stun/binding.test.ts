import fc from "fast-check";
import { expect, test } from "vitest";
import { unwrap } from "../errors.ts";
import { answerBinding, mappedAddressOf } from "./binding.ts";
import { decodeStun, encodeStun, STUN_BINDING_REQUEST } from "./message.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const address = fc.oneof(bytes(4), bytes(16));
const source = fc.record({ address, port: fc.nat(0xffff) });
const message = fc.record({
  type: fc.nat(0x3fff),
  transactionId: bytes(12),
  attributes: fc.array(
    fc.record({ type: fc.nat(0xffff).filter((type) => type !== 0x8028), value: fc.uint8Array({ maxLength: 40 }) }),
    { maxLength: 20 },
  ),
  hasFingerprint: fc.boolean(),
});

test("messages come back as they were written", () => {
  fc.assert(
    fc.property(message, (m) => {
      expect(decodeStun(encodeStun(m))).toEqual({ ok: true, value: m });
    }),
  );
});

test("no datagram makes it throw, and no answer is more than 24 bytes longer than its cause", () => {
  const cookie = [0x21, 0x12, 0xa4, 0x42];
  const headed = fc.uint8Array({ maxLength: 300 }).map((tail) => {
    const body = tail.subarray(0, tail.length - (tail.length % 4));
    return Uint8Array.of(0, 1, body.length >> 8, body.length & 255, ...cookie, ...new Uint8Array(12), ...body);
  });
  const wellFormed = message.map((m) => encodeStun({ ...m, type: STUN_BINDING_REQUEST }));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 1_400 }), headed, wellFormed), source, (datagram, from) => {
      const answer = answerBinding(datagram, from);
      if (answer.ok) expect(answer.value.length).toBeLessThanOrEqual(datagram.length + 24);
    }),
    { numRuns: 2_000 },
  );
});

test("whoever asks is told where it comes from", () => {
  fc.assert(
    fc.property(source, bytes(12), fc.boolean(), (from, transactionId, hasFingerprint) => {
      const request = encodeStun({ type: STUN_BINDING_REQUEST, transactionId, attributes: [], hasFingerprint });
      const answer = unwrap(decodeStun(unwrap(answerBinding(request, from))));
      expect(answer).toMatchObject({ type: 0x0101, transactionId, hasFingerprint });
      expect(mappedAddressOf(answer)).toEqual({ ok: true, value: from });
    }),
  );
});

test("an unknown attribute that must be understood gets 420 and its name; an optional one is passed over", () => {
  const ask = (type: number) => {
    const attributes = [{ type, value: Uint8Array.of(1, 2, 3, 4) }];
    const request = {
      type: STUN_BINDING_REQUEST,
      transactionId: new Uint8Array(12),
      attributes,
      hasFingerprint: false,
    };
    return unwrap(decodeStun(unwrap(answerBinding(encodeStun(request), { address: new Uint8Array(4), port: 1 }))));
  };
  expect(ask(0x7abc)).toMatchObject({
    type: 0x0111,
    attributes: [
      { type: 0x0009, value: Uint8Array.of(0, 0, 4, 20) },
      { type: 0x000a, value: Uint8Array.of(0x7a, 0xbc) },
    ],
  });
  expect(ask(0xfabc)).toMatchObject({ type: 0x0101 });
});

test("answers, indications and other methods are met with silence", () => {
  for (const type of [0x0101, 0x0111, 0x0011, 0x0003, 0x0002]) {
    const datagram = encodeStun({ type, transactionId: new Uint8Array(12), attributes: [], hasFingerprint: false });
    expect(answerBinding(datagram, { address: new Uint8Array(4), port: 1 })).toMatchObject({ code: "unknown-type" });
  }
});
