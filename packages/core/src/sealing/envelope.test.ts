import {
  createHpkeReceiver,
  createHpkeSender,
  ENVELOPE_KINDS,
  ENVELOPE_MAX_BODY_BYTES,
  ENVELOPE_SIZES,
  type EnvelopeKind,
  type EnvelopeOpener,
  issueCertificate,
  openEnvelope,
  REPLAY_MAX_PER_SENDER,
  REQUEST_MAX_BODY_BYTES,
  sealEnvelope,
  utf8,
} from "@earshot/core";
import { makePerson, messageFrom, type Person, TEST_NOW as now, testSignatures as signatures } from "@earshot/testkit";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

const DAY_MS = 86_400_000;

let alice: Person;
let bob: Person;
let mallory: Person;
beforeAll(async () => {
  [alice, bob, mallory] = await Promise.all([makePerson(1), makePerson(2), makePerson(3)]);
});

const seal = (over = {}) => sealEnvelope(alice.ports, messageFrom(alice, bob, over));
const open = (bytes: Uint8Array, receiver: EnvelopeOpener = bob.opener(), at = now) =>
  openEnvelope(signatures, bytes, receiver, at);
const refusal = async (...given: Parameters<typeof open>) => {
  const result = await open(...given);
  return result.ok ? "accepted" : result.code;
};
/** Alice's envelope with its plaintext changed before it is encrypted: what only a sender could make. */
async function sealAltered(alter: (plaintext: Uint8Array) => void, over = {}): Promise<Uint8Array> {
  const honest = await sealEnvelope(
    { ...alice.ports, random: { bytes: () => new Uint8Array(32).fill(9) } },
    messageFrom(alice, bob, over),
  );
  const header = honest.subarray(0, 42);
  const hpke = await createHpkeSender(
    { bytes: () => new Uint8Array(32).fill(9) },
    bob.prekey.pair.publicKey,
    utf8("earshot envelope 1"),
  );
  const receiving = await createHpkeReceiver(bob.prekey.pair, honest.slice(10, 42), utf8("earshot envelope 1"));
  const opened = receiving.ok ? await receiving.value.open(honest.subarray(42), header) : receiving;
  if (!opened.ok) throw new Error("the honest envelope did not open");
  const altered = opened.value.slice();
  alter(altered);
  return Uint8Array.from([...header, ...(await hpke.seal(altered, header))]);
}

describe("an envelope", () => {
  test("comes out as it went in, in one of three sizes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(ENVELOPE_KINDS) as EnvelopeKind[])),
        fc.oneof(fc.nat(REQUEST_MAX_BODY_BYTES), fc.nat(ENVELOPE_MAX_BODY_BYTES)),
        async (kind, length) => {
          const message = messageFrom(alice, bob, { kind, body: alice.random.bytes(length) });
          const bytes = await sealEnvelope(alice.ports, message);
          expect(ENVELOPE_SIZES).toContain(bytes.length);
          expect(await open(bytes)).toEqual({
            ok: true,
            value: {
              sender: {
                accountKey: alice.accountKey,
                deviceKey: alice.deviceKey,
                certificate: alice.sender.certificate,
                listHead: alice.sender.listHead,
              },
              prekeyId: bob.prekey.id,
              sentAt: now,
              messageId: message.messageId,
              kind,
              body: message.body,
            },
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  test("takes each size's longest body, and no longer one", async () => {
    expect((await seal({ body: new Uint8Array(REQUEST_MAX_BODY_BYTES) })).length).toBe(512);
    expect((await seal({ body: new Uint8Array(REQUEST_MAX_BODY_BYTES + 1) })).length).toBe(2_048);
    expect((await seal({ body: new Uint8Array(ENVELOPE_MAX_BODY_BYTES) })).length).toBe(8_192);
    await expect(seal({ body: new Uint8Array(ENVELOPE_MAX_BODY_BYTES + 1) })).rejects.toMatchObject({
      code: "too-large",
    });
  });

  test("shows an onlooker nothing of who sent it or when", async () => {
    const bytes = Buffer.from(await seal());
    for (const secret of [alice.accountKey, alice.deviceKey, bob.accountKey, bob.deviceKey])
      expect(bytes.indexOf(Buffer.from(secret))).toBe(-1);
  });

  test("is refused whichever single bit of it is flipped", async () => {
    const bytes = await seal();
    const receiver = bob.opener();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = bytes.slice();
      altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
      const result = await open(altered, receiver);
      expect(result.ok, `bit ${bit}`).toBe(false);
    }
    expect((await open(bytes, receiver)).ok).toBe(true);
  }, 60_000);

  test("random bytes are refused, never thrown at", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.boolean(), async (bytes, asEnvelope) => {
        const input = asEnvelope
          ? Uint8Array.from({ length: 512 }, (_, i) => [1, 1, ...bob.prekey.id][i] ?? bytes[i] ?? 7)
          : bytes;
        expect((await open(input)).ok).toBe(false);
      }),
    );
  });
});

describe("refused by form", () => {
  test("oversize, another size, unknown version, suite and prekey, small-order enc", async () => {
    const bytes = await seal();
    const withByte = (at: number, value: number) => Uint8Array.from(bytes, (byte, i) => (i === at ? value : byte));
    expect(await refusal(new Uint8Array(8_193))).toBe("too-large");
    expect(await refusal(bytes.subarray(0, 511))).toBe("bad-frame");
    expect(await refusal(withByte(0, 2))).toBe("unknown-version");
    expect(await refusal(withByte(1, 2))).toBe("unknown-suite");
    expect(await refusal(withByte(2, 1 ^ (bytes[2] as number)))).toBe("unknown-prekey");
    expect(await refusal(bytes.slice().fill(0, 10, 42))).toBe("bad-key");
    expect(await refusal(withByte(500, 1 ^ (bytes[500] as number)))).toBe("open-failed");
  });

  test("padding that is not zero, a content too short or too long for its envelope", async () => {
    const set = (at: number, value: number) => sealAltered((plaintext) => plaintext.fill(value, at, at + 1));
    const last = 512 - 42 - 16 - 1;
    expect(await refusal(await set(last, 0))).toBe("accepted");
    expect(await refusal(await set(last, 1))).toBe("bad-frame");
    expect(await refusal(await set(0, 0))).toBe("bad-frame");
    expect(await refusal(await set(0, 255))).toBe("bad-frame");
  });

  test("a kind that version 1 does not know", async () => {
    const unknown = 9 as unknown as EnvelopeKind;
    const kinds = ENVELOPE_KINDS as Record<string, number>;
    kinds[unknown] = 9;
    const bytes = await seal({ kind: unknown });
    delete kinds[unknown];
    expect(await refusal(bytes)).toBe("unknown-type");
  });
});

describe("refused by who sent it", () => {
  const certify = async (over: { seed?: Uint8Array; from?: number; until?: number; account?: Uint8Array } = {}) => {
    const { seed = alice.accountSeed, from = now - DAY_MS, until = now + DAY_MS } = over;
    const certificate = await issueCertificate(signatures, seed, alice.deviceKey, from, until);
    return { sender: { ...alice.sender, certificate, accountKey: over.account ?? certificate.accountKey } };
  };

  test("a certificate signed by another account, expired, not yet valid or too long", async () => {
    const forged = await certify({ seed: mallory.accountSeed, account: alice.accountKey });
    expect(await refusal(await seal(forged))).toBe("bad-signature");
    const expired = await certify({ from: now - 40 * DAY_MS, until: now - DAY_MS });
    expect(await refusal(await seal(expired))).toBe("expired");
    const early = await certify({ from: now + DAY_MS, until: now + 2 * DAY_MS });
    expect(await refusal(await seal(early))).toBe("not-yet-valid");
    const { certificate } = alice.sender;
    const long = { ...certificate, notAfter: certificate.notBefore + 61 * DAY_MS };
    expect(await refusal(await seal({ sender: { ...alice.sender, certificate: long } }))).toBe("bad-certificate");
  });

  test("sender keys that are no prime-order points", async () => {
    const identity = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
    expect(await refusal(await seal({ sender: { ...alice.sender, accountKey: identity } }))).toBe("bad-key");
  });

  test("a revoked device", async () => {
    const revoked: [Uint8Array, Uint8Array][] = [];
    const receiver = bob.opener({
      isRevoked: (account, device) => {
        revoked.push([account, device]);
        return true;
      },
    });
    expect(await refusal(await seal(), receiver)).toBe("revoked-device");
    expect(revoked).toEqual([[alice.accountKey, alice.deviceKey]]);
  });

  test("a device that signs with another key than the certified one", async () => {
    const bytes = await seal({ sender: { ...alice.sender, deviceSeed: mallory.deviceSeed } });
    expect(await refusal(bytes)).toBe("bad-signature");
  });
});

describe("refused by whom it is for", () => {
  test("a prekey of somebody else who is held here too", async () => {
    const isForeignPrekey = () => true;
    expect(await refusal(await seal(), bob.opener({ isForeignPrekey }))).toBe("wrong-receiver");
  });

  test("an honest content that a contact seals on to somebody else (RFC 8844's forwarder)", async () => {
    // Alice writes to Mallory's account but with Bob's prekey: what Mallory could make by sealing the content anew.
    const { accountKey, deviceKey } = mallory;
    expect(await refusal(await seal({ receiver: { ...bob.receiver, accountKey } }))).toBe("bad-signature");
    expect(await refusal(await seal({ receiver: { ...bob.receiver, deviceKey } }))).toBe("bad-signature");
  });
});

describe("refused by when", () => {
  test("from the future, or older than any mailbox keeps it", async () => {
    const bytes = await seal();
    expect(await refusal(bytes, bob.opener(), now - 300_000)).toBe("accepted");
    expect(await refusal(bytes, bob.opener(), now - 300_001)).toBe("from-future");
    expect(await refusal(bytes, bob.opener(), now + 7 * DAY_MS + 300_000)).toBe("accepted");
    expect(await refusal(bytes, bob.opener(), now + 7 * DAY_MS + 300_001)).toBe("stale");
  });

  test("the second time, also after a restart", async () => {
    const [bytes, receiver] = [await seal(), bob.opener()];
    expect(await refusal(bytes, receiver)).toBe("accepted");
    expect(await refusal(bytes, receiver)).toBe("replayed");
    const restarted = bob.opener();
    restarted.replays.restore(bob.prekey.id, receiver.replays.serialize(bob.prekey.id, now));
    expect(await refusal(bytes, restarted)).toBe("replayed");
  });

  test("an envelope that was refused is not remembered: it cannot be spoiled in advance", async () => {
    const [bytes, receiver] = [await seal(), bob.opener()];
    expect(await refusal(bytes, { ...receiver, isRevoked: () => true })).toBe("revoked-device");
    expect(await refusal(bytes, receiver)).toBe("accepted");
  });

  test("beyond what one account may have remembered, whichever of its devices sends", async () => {
    const receiver = bob.opener();
    const { accountKey, deviceKey } = alice;
    const fill = (n: number) => {
      const messageId = Uint8Array.from({ length: 16 }, (_, i) => (i < 2 ? (n >> (8 * i)) & 255 : 0));
      receiver.replays.admit({ prekeyId: bob.prekey.id, senderAccount: accountKey, messageId, sentAt: now }, now);
    };
    for (let n = 0; n < REPLAY_MAX_PER_SENDER; n++) fill(n);
    expect(deviceKey).not.toEqual(accountKey);
    expect(await refusal(await seal(), receiver)).toBe("rate-limited");
    const fromMallory = await sealEnvelope(mallory.ports, messageFrom(mallory, bob));
    expect(await refusal(fromMallory, receiver)).toBe("accepted");
  });
});
