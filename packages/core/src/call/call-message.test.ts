import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCbor, encodeCbor, type CborValue } from "../cbor.ts";
import { unwrap } from "../errors.ts";
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";
import { decodeCallPacket, encodeCallPacket } from "./call-message.ts";
import type { CallMessage } from "./call-types.ts";
import { CALL_MESSAGE_MAX_BYTES, CANDIDATES_PER_MESSAGE_MAX } from "./limits.ts";
import { encodeSetup } from "./setup.ts";
import { arbitraryPacket } from "./testing/message-cases.ts";
import { testBytes, testCandidate, testSetup } from "./testing/fixture-cases.ts";

const callId = testBytes("call", 16);
const invite: CallMessage = {
  type: "invite",
  commitment: testBytes("commitment", 32),
  setup: encodeSetup(testSetup("caller", "a")),
  wantsVideo: false,
  clockCorrectionMs: 0,
};

/** The packet with one place of its message replaced. */
function altered(message: CallMessage, place: number, value: CborValue): Uint8Array {
  const decoded = unwrap(decodeCbor(encodeCallPacket({ callId, number: 1, message }))) as CborValue[];
  const places = [...(decoded[3] as CborValue[])];
  places[place] = value;
  return encodeCbor([decoded[0] as CborValue, decoded[1] as CborValue, decoded[2] as CborValue, places]);
}

const codeOf = (bytes: Uint8Array) => {
  const decoded = decodeCallPacket(bytes);
  return decoded.ok ? "ok" : decoded.code;
};

test("every message comes back as it was sent", () => {
  fc.assert(
    fc.property(arbitraryPacket, (packet) => {
      expect(unwrap(decodeCallPacket(encodeCallPacket(packet)))).toEqual(packet);
    }),
  );
});

test("random bytes, and altered messages, never throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeCallPacket(bytes)));
  fc.assert(
    fc.property(arbitraryPacket, fc.nat(), fc.nat(255), (packet, at, value) => {
      const bytes = encodeCallPacket(packet);
      bytes[at % bytes.length] = value;
      decodeCallPacket(bytes);
    }),
  );
});

test("the largest message of candidates fits an envelope", () => {
  const candidate = testCandidate(65_535, {
    foundation: "f".repeat(32),
    priority: 0xffffffff,
    address: "00000000-0000-0000-0000-000000000000.local",
    relatedAddress: "1111:2222:3333:4444:5555:6666:255.255.255.255",
    relatedPort: 65_535,
    type: "relay",
  });
  const candidates = Array<typeof candidate>(CANDIDATES_PER_MESSAGE_MAX).fill(candidate);
  const bytes = encodeCallPacket({
    callId,
    number: 0xffffffff,
    message: { type: "candidates", generation: 255, firstIndex: 49, candidates, end: true },
  });
  expect(bytes.length).toBeLessThan(CALL_MESSAGE_MAX_BYTES);
});

test("what is not exactly a message is refused", () => {
  const { setup } = invite as Extract<CallMessage, { type: "invite" }>;
  expect(codeOf(new Uint8Array(CALL_MESSAGE_MAX_BYTES + 1))).toBe("too-large");
  expect(codeOf(encodeCbor([2, callId, 1, [6]]))).toBe("unknown-version");
  expect(codeOf(encodeCbor([1, callId, 0, [6]]))).toBe("bad-cbor");
  expect(codeOf(encodeCbor([1, callId.slice(1), 1, [6]]))).toBe("bad-cbor");
  expect(codeOf(encodeCbor([1, callId, 1, [19]]))).toBe("unknown-type");
  expect(codeOf(encodeCbor([1, callId, 1, [6, 0]]))).toBe("bad-cbor");
  expect(codeOf(altered(invite, 1, testBytes("short", 31)))).toBe("bad-cbor");
  expect(codeOf(altered(invite, 2, setup.bytes.slice(0, -1)))).toBe("bad-cbor");
  expect(codeOf(altered(invite, 4, 2 * CLOCK_SKEW_MS))).toBe("ok");
  expect(codeOf(altered(invite, 4, 2 * CLOCK_SKEW_MS + 1))).toBe("bad-cbor");
  expect(codeOf(altered(invite, 2, encodeSetup(testSetup("callee", "b")).bytes))).toBe("bad-setup");
  expect(codeOf(altered({ type: "ringing", setup: null }, 1, setup.bytes))).toBe("bad-setup");
  expect(codeOf(altered({ type: "cancel", reason: "hung-up" }, 1, 4))).toBe("bad-cbor");
  expect(codeOf(altered({ type: "wish", leanVoice: true, picture: "none" }, 2, 3))).toBe("bad-cbor");
  const credentials = { ufrag: "abcd", pwd: "0".repeat(22) };
  const restart = { type: "restart", generation: 1, ...credentials, isAnswer: false, relays: null } as const;
  expect(codeOf(altered(restart, 2, "a\u00e9cd"))).toBe("bad-setup");
  const named = [testBytes("relay", 32), "Ann", 3];
  expect(codeOf(altered(restart, 5, []))).toBe("ok");
  expect(codeOf(altered(restart, 5, [named]))).toBe("ok");
  expect(codeOf(altered(restart, 5, [named, named]))).toBe("bad-setup");
  expect(codeOf(altered(restart, 5, [named, named, named]))).toBe("bad-cbor");
  expect(codeOf(altered(restart, 5, [[...named.slice(0, 2), 26]]))).toBe("bad-cbor");
  const refusal = { type: "refuse-relays", keys: [testBytes("relay", 32)] } as const;
  expect(codeOf(altered(refusal, 1, []))).toBe("bad-cbor");
  expect(codeOf(altered(refusal, 1, Array(3).fill(refusal.keys[0])))).toBe("bad-cbor");
  expect(codeOf(altered(refusal, 1, [testBytes("short", 31)]))).toBe("bad-cbor");
  const candidates = { type: "candidates", generation: 0, firstIndex: 60, candidates: [], end: true } as const;
  const places = unwrap(
    decodeCbor(encodeCallPacket({ callId, number: 1, message: { ...candidates, candidates: [testCandidate(1)] } })),
  ) as CborValue[];
  const [candidate] = (places[3] as CborValue[])[3] as CborValue[];
  expect(codeOf(altered(candidates, 3, Array<CborValue>(6).fill(candidate as CborValue)))).toBe("too-many");
  const withRelay = (type: number, relay: CborValue) => [
    ...(candidate as CborValue[]).slice(0, 5),
    type,
    ...(candidate as CborValue[]).slice(6, 9),
    relay,
  ];
  expect(codeOf(altered(candidates, 3, [withRelay(3, 1)]))).toBe("ok");
  expect(codeOf(altered(candidates, 3, [withRelay(3, 2)]))).toBe("bad-cbor");
  expect(codeOf(altered(candidates, 3, [withRelay(0, 1)]))).toBe("bad-candidate");
  expect(codeOf(altered(candidates, 3, Array<CborValue>(17).fill(candidate as CborValue)))).toBe("bad-cbor");
});
