import { createDecipheriv } from "node:crypto";
import {
  type AeadBackend,
  createHopSession,
  decodeHopDelivery,
  type HopDelivery,
  encodeHopDelivery,
  ENVELOPE_SIZES,
  HOP_MAX_BYTES,
  HopOpener,
  hpkeKeyPair,
  nobleX25519,
} from "@earshot/core";
import { nodeX25519, SeededRandom } from "@earshot/testkit";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

const random = new SeededRandom(2);
const hopKey = hpkeKeyPair(random.bytes(32));
const delivery = (size = 512): HopDelivery => ({
  mailboxId: random.bytes(16),
  lane: { kind: "contact", token: random.bytes(16) },
  envelope: random.bytes(size),
});
const opener = (maxCachedKeys = 8) => new HopOpener({ hopKeys: [hopKey], maxCachedKeys });

const deliveries = fc.oneof(
  fc.record({
    mailboxId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    lane: fc.record({ kind: fc.constant("contact" as const), token: fc.uint8Array({ minLength: 16, maxLength: 16 }) }),
    envelope: fc.constantFrom(...ENVELOPE_SIZES).map((size) => random.bytes(size)),
  }),
  fc.record({
    mailboxId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    lane: fc.record({ kind: fc.constant("request" as const), hour: fc.nat(2 ** 32 - 1), work: fc.maxSafeNat() }),
    envelope: fc.constant(random.bytes(512)),
  }),
);

describe("the sealed next hop", () => {
  test("whatever is delivered comes out as it went in, and the largest still fits", async () => {
    const session = await createHopSession(random, hopKey.publicKey);
    const opening = opener();
    await fc.assert(
      fc.asyncProperty(deliveries, async (given) => {
        expect(decodeHopDelivery(encodeHopDelivery(given))).toEqual({ ok: true, value: given });
        const sealed = session.seal(given);
        expect(sealed.length).toBeLessThanOrEqual(HOP_MAX_BYTES);
        expect(await opening.open(sealed)).toEqual({ ok: true, value: given });
      }),
    );
  });

  test("random bytes are refused, never thrown at", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 700 }), async (bytes) => {
        decodeHopDelivery(bytes);
        expect((await opener().open(bytes)).ok).toBe(false);
      }),
    );
  });

  test("every altered byte is refused, whether or not the key is cached", async () => {
    const session = await createHopSession(random, hopKey.publicKey);
    const sealed = session.seal(delivery());
    const warm = opener();
    await warm.open(sealed);
    for (const at of [0, 1, 8, 9, 40, 41, 52, 53, 300, sealed.length - 1]) {
      const altered = sealed.slice();
      altered[at] = (altered[at] as number) ^ 1;
      expect((await warm.open(altered)).ok, `byte ${at}`).toBe(false);
      expect((await opener().open(altered)).ok, `byte ${at}`).toBe(false);
    }
  });

  test("refused under the code that says why", async () => {
    const session = await createHopSession(random, hopKey.publicKey);
    const sealed = session.seal(delivery());
    const withByte = (at: number, value: number) => Uint8Array.from(sealed, (byte, i) => (i === at ? value : byte));
    const code = async (bytes: Uint8Array) => ((await opener().open(bytes)) as { code?: string }).code;
    expect(await code(new Uint8Array(HOP_MAX_BYTES + 1))).toBe("too-large");
    expect(await code(sealed.subarray(0, 60))).toBe("bad-frame");
    expect(await code(withByte(0, 2))).toBe("unknown-version");
    expect(await code(withByte(1, 1 ^ (sealed[1] as number)))).toBe("unknown-hop-key");
    const smallOrder = sealed.slice();
    smallOrder.fill(0, 9, 41);
    expect(await code(smallOrder)).toBe("bad-key");
    expect(await code(withByte(80, 1 ^ (sealed[80] as number)))).toBe("open-failed");
  });

  test("an older hop key still opens, an unknown one does not", async () => {
    const [older, stranger] = [hpkeKeyPair(random.bytes(32)), hpkeKeyPair(random.bytes(32))];
    const both = new HopOpener({ hopKeys: [hopKey, older] });
    const [toOlder, toStranger] = [older, stranger].map((pair) => createHopSession(random, pair.publicKey));
    expect((await both.open((await toOlder)?.seal(delivery()) as Uint8Array)).ok).toBe(true);
    expect(await both.open((await toStranger)?.seal(delivery()) as Uint8Array)).toMatchObject({
      code: "unknown-hop-key",
    });
  });

  test("an envelope of another size is the sender's mistake, and is refused by the opener", () => {
    expect(() => encodeHopDelivery(delivery(513))).toThrow(RangeError);
    const request: HopDelivery = { ...delivery(2_048), lane: { kind: "request", hour: 1, work: 1 } };
    expect(() => encodeHopDelivery(request)).toThrow(RangeError);
  });
});

describe("the opener's cache", () => {
  test("is bounded, forgets the least recently used and goes on opening without it", async () => {
    const opening = opener(2);
    const sessions = await Promise.all([0, 1, 2].map(() => createHopSession(random, hopKey.publicKey)));
    const [a, b, c] = sessions.map((session) => session.seal(delivery())) as [Uint8Array, Uint8Array, Uint8Array];
    for (const sealed of [a, b, a, c]) expect((await opening.open(sealed)).ok).toBe(true);
    expect(opening.cachedKeys).toBe(2);
    expect(opening.open(a)).not.toBeInstanceOf(Promise);
    expect(opening.open(b)).toBeInstanceOf(Promise);
    expect((await opening.open(b)).ok).toBe(true);
  });

  test("keeps nothing for bytes that did not open", async () => {
    const opening = opener();
    const sealed = (await createHopSession(random, hopKey.publicKey)).seal(delivery());
    sealed[60] = (sealed[60] as number) ^ 1;
    await opening.open(sealed);
    expect(opening.cachedKeys).toBe(0);
  });
});

test("what a sender's first envelopes have in common is derived once", async () => {
  let multiplications = 0;
  const counting: typeof nobleX25519 = (secret, publicKey) => {
    multiplications++;
    return nobleX25519(secret, publicKey);
  };
  const counted = new HopOpener({ hopKeys: [hopKey], x25519: counting });
  const session = await createHopSession(random, hopKey.publicKey);
  const sealed = Array.from({ length: 16 }, () => session.seal(delivery()));
  const opened = await Promise.all(sealed.map(async (each) => counted.open(each)));
  expect(opened.every(({ ok }) => ok)).toBe(true);
  expect([multiplications, counted.cachedKeys]).toEqual([1, 1]);
});

test("node:crypto's primitives open what noble sealed", async () => {
  const aead: AeadBackend = {
    open(key, nonce, aad, ciphertext) {
      const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
      decipher.setAAD(aad, { plaintextLength: ciphertext.length - 16 });
      decipher.setAuthTag(ciphertext.subarray(-16));
      try {
        return Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
  const given = delivery(2_048);
  const native = new HopOpener({ hopKeys: [hpkeKeyPair(hopKey.secret, nodeX25519)], x25519: nodeX25519, aead });
  const sealed = (await createHopSession(random, hopKey.publicKey, nobleX25519)).seal(given);
  expect(await native.open(sealed)).toMatchObject({ ok: true });
  sealed[100] = (sealed[100] as number) ^ 1;
  expect(native.open(sealed)).toMatchObject({ code: "open-failed" });
});
