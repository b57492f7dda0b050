import {
  cleanText,
  CONTACT_NAME_MAX_BYTES,
  type ContactMessage,
  decodeContactMessage,
  encodeCbor,
  encodeContactMessage,
  type EnvelopeKind,
  pairwiseSecret,
  publicKeyOf,
  REQUEST_MAX_BODY_BYTES,
  replySecret,
  sealEnvelope,
  utf8,
} from "@earshot/core";
import { makePerson, messageFrom, SeededRandom } from "@earshot/testkit";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

const random = new SeededRandom(5);
const keys = Array.from({ length: 6 }, () => publicKeyOf(random.bytes(32)));
const key = fc.constantFrom(...keys);
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
/** As they may travel: graphemes are also such as turn the direction of what follows. */
const name = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => cleanText(text, CONTACT_NAME_MAX_BYTES));
const messages: fc.Arbitrary<ContactMessage> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("contact-request" as const, "contact-accept" as const),
    locatorKey: key,
    half: bytes32,
    since: fc.maxSafeNat(),
    name,
  }),
  fc.record({ kind: fc.constant("contact-update" as const), deviceKey: key, locatorKey: key, since: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant("contact-end" as const), since: fc.maxSafeNat() }),
);
const kinds: EnvelopeKind[] = ["contact-request", "contact-accept", "contact-update", "contact-end", "call"];

describe("contact messages", () => {
  test("come out as they went in", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeContactMessage(message.kind, encodeContactMessage(message))).toEqual({ ok: true, value: message });
      }),
    );
  });

  test("a request with the longest name and time still fits the request lane", async () => {
    const [alice, bob] = await Promise.all([makePerson(1), makePerson(2)]);
    const longest = { half: new Uint8Array(32), since: Number.MAX_SAFE_INTEGER, locatorKey: keys[0] as Uint8Array };
    for (const letter of ["x", "é", "音", "🎧"]) {
      const text = letter.repeat(CONTACT_NAME_MAX_BYTES / utf8(letter).length);
      const body = encodeContactMessage({ kind: "contact-request", ...longest, name: text });
      expect(body.length).toBeLessThanOrEqual(REQUEST_MAX_BODY_BYTES);
      const envelope = await sealEnvelope(alice.ports, messageFrom(alice, bob, { kind: "contact-request", body }));
      expect(envelope.length).toBe(512);
    }
  });

  test("random bytes are refused or decoded, never thrown at", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 200 }), (kind, bytes) => {
        decodeContactMessage(kind, bytes);
      }),
    );
  });

  test("refused: another kind's body, another version, a long name, a key that is no point", () => {
    const request = encodeContactMessage({
      kind: "contact-request",
      locatorKey: keys[0] as Uint8Array,
      half: new Uint8Array(32),
      since: 1,
      name: "A",
    });
    expect(decodeContactMessage("contact-end", request)).toMatchObject({ code: "bad-cbor" });
    expect(decodeContactMessage("call", request)).toMatchObject({ code: "unknown-type" });
    expect(decodeContactMessage("contact-end", encodeCbor([2, 1]))).toMatchObject({ code: "unknown-version" });
    const places = (key: Uint8Array, text: string) => encodeCbor([1, key, new Uint8Array(32), 1, text]);
    expect(decodeContactMessage("contact-request", places(keys[0] as Uint8Array, "n".repeat(49)))).toMatchObject({
      code: "bad-cbor",
    });
    expect(decodeContactMessage("contact-request", places(new Uint8Array(32), "n"))).toMatchObject({ code: "bad-key" });
  });
});

describe("the pairwise secret", () => {
  test("is the same from both ends, and another one for any other half or account", () => {
    fc.assert(
      fc.property(bytes32, bytes32, bytes32, bytes32, bytes32, (a, b, halfA, halfB, other) => {
        fc.pre(Buffer.compare(a, b) !== 0 && Buffer.compare(other, halfA) !== 0 && Buffer.compare(other, a) !== 0);
        const [one, two] = [
          { accountKey: a, half: halfA },
          { accountKey: b, half: halfB },
        ];
        const secret = pairwiseSecret(one, two);
        expect(pairwiseSecret(two, one)).toEqual(secret);
        expect(pairwiseSecret({ ...one, half: other }, two)).not.toEqual(secret);
        expect(pairwiseSecret({ ...one, accountKey: other }, two)).not.toEqual(secret);
        expect(replySecret(one, b)).not.toEqual(
          replySecret(
            one,
            other.map((byte) => byte ^ 1),
          ),
        );
      }),
    );
  });
});
