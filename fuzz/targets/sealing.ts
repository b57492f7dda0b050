/** Envelopes, the sealed next hop, contact messages and what is kept of them: all that sealing and contacts decode. */
import {
  createHpkeSender,
  createHopSession,
  type ContactMessage,
  decodeContactMessage,
  decodeContactState,
  decodeHopDelivery,
  encodeContactMessage,
  encodeContactState,
  encodeHopDelivery,
  type EnvelopeKind,
  HopOpener,
  hpkeKeyPair,
  openEnvelope,
  ReplayCache,
  sealEnvelope,
  stepContact,
  newContact,
  utf8,
} from "@earshot/core";
import { makePerson, messageFrom, SeededRandom, TEST_NOW, testSignatures } from "@earshot/testkit";
import type { FuzzTarget } from "../target.ts";

const random = new SeededRandom(11);
const [alice, bob] = await Promise.all([makePerson(1), makePerson(2)]);
const envelope = await sealEnvelope(alice.ports, messageFrom(alice, bob));

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const openAtBob = async (bytes: Uint8Array) => {
  const result = await openEnvelope(testSignatures, bytes, bob.opener(), TEST_NOW);
  return result.ok ? result.value.kind : result.code;
};

/** What is inside an envelope that Alice might send: content length, content, padding. */
function plaintextSeed(): Uint8Array {
  const content = new Uint8Array(269 + 3);
  content.set(alice.accountKey);
  content.set(alice.deviceKey, 32);
  return Uint8Array.of(content.length >> 8, content.length & 0xff, ...content);
}

const envelopes: FuzzTarget[] = [
  {
    name: "sealing/envelope",
    seeds: [envelope],
    run: async (input) => {
      const outcome = await openAtBob(input);
      if (outcome === "call" && !same(input, envelope)) throw new Error("an altered envelope was accepted");
      return outcome;
    },
  },
  {
    // The input is what a malicious sender encrypted, so that mutation reaches the checks behind the tag.
    name: "sealing/envelope-content",
    seeds: [plaintextSeed()],
    run: async (input) => {
      const plaintext = new Uint8Array(512 - 42 - 16);
      plaintext.set(input.subarray(0, plaintext.length));
      const hpke = await createHpkeSender(
        random,
        bob.prekey.pair.publicKey,
        utf8("earshot envelope 1"),
        testSignatures.x25519,
      );
      const header = Uint8Array.of(1, 1, ...bob.prekey.id, ...hpke.enc);
      const outcome = await openAtBob(Uint8Array.of(...header, ...(await hpke.seal(plaintext, header))));
      if (outcome === "call") throw new Error("accepted without a signature");
      return outcome;
    },
  },
  {
    name: "sealing/replay-memory",
    seeds: [replayMemory()],
    run: (input) => {
      const restored = new ReplayCache();
      const result = restored.restore(bob.prekey.id, input);
      if (!result.ok) return result.code;
      const again = new ReplayCache();
      if (!again.restore(bob.prekey.id, restored.serialize(bob.prekey.id, 0)).ok) throw new Error("not read back");
      return "restored";
    },
  },
];

function replayMemory(): Uint8Array {
  const cache = new ReplayCache();
  for (let i = 0; i < 3; i++)
    cache.admit(
      { prekeyId: bob.prekey.id, senderAccount: alice.accountKey, messageId: random.bytes(16), sentAt: TEST_NOW },
      TEST_NOW,
    );
  return cache.serialize(bob.prekey.id, TEST_NOW);
}

const hopKey = hpkeKeyPair(random.bytes(32), testSignatures.x25519);
const contactLane = {
  mailboxId: random.bytes(16),
  lane: { kind: "contact", token: random.bytes(16) },
  envelope,
} as const;
const requestLane = { mailboxId: random.bytes(16), lane: { kind: "request", hour: 1, work: 2 }, envelope } as const;
const sealedHop = (await createHopSession(random, hopKey.publicKey)).seal(contactLane);
const opener = new HopOpener({
  hopKeys: [hopKey],
  maxCachedKeys: 4,
  ...(testSignatures.x25519 && { x25519: testSignatures.x25519 }),
});

const hops: FuzzTarget[] = [
  {
    name: "sealing/hop",
    seeds: [sealedHop],
    run: async (input) => {
      const opened = await opener.open(input);
      if (opened.ok && !same(input, sealedHop)) throw new Error("an altered hop was accepted");
      return opened.ok ? opened.value.lane.kind : opened.code;
    },
  },
  {
    name: "sealing/hop-delivery",
    seeds: [encodeHopDelivery(contactLane), encodeHopDelivery(requestLane)],
    run: (input) => {
      const decoded = decodeHopDelivery(input);
      if (!decoded.ok) return decoded.code;
      if (!same(encodeHopDelivery(decoded.value), input)) throw new Error("another encoding of the same delivery");
      return decoded.value.lane.kind;
    },
  },
];

const offer = { locatorKey: alice.deviceKey, half: random.bytes(32), since: TEST_NOW, name: "Ada 🎧" };
const contactSeeds: ContactMessage[] = [
  { kind: "contact-request", ...offer },
  { kind: "contact-accept", ...offer },
  { kind: "contact-update", deviceKey: alice.deviceKey, locatorKey: alice.accountKey, since: 1 },
  { kind: "contact-end", since: 1 },
];
const added = stepContact(bob.accountKey, newContact(alice.accountKey), {
  type: "add",
  half: random.bytes(32),
  now: TEST_NOW,
}).state;

const contacts: FuzzTarget[] = [
  ...contactSeeds.map(
    (seed): FuzzTarget => ({
      name: `contact/${seed.kind}`,
      seeds: [encodeContactMessage(seed)],
      run: (input) => {
        const decoded = decodeContactMessage(seed.kind as EnvelopeKind, input, testSignatures.x25519);
        if (!decoded.ok) return decoded.code;
        if (!same(encodeContactMessage(decoded.value), input)) throw new Error("another encoding of the same message");
        const message = decoded.value;
        const event = { type: "message", message, senderDevice: alice.deviceKey, sentAt: TEST_NOW } as const;
        const { state } = stepContact(bob.accountKey, added, event);
        if (!decodeContactState(encodeContactState(state)).ok) throw new Error("a state that cannot be kept");
        return state.status;
      },
    }),
  ),
  {
    name: "contact/state",
    seeds: [encodeContactState(added), encodeContactState(newContact(alice.accountKey))],
    run: (input) => {
      const decoded = decodeContactState(input);
      return decoded.ok ? decoded.value.status : decoded.code;
    },
  },
];

export const targets: readonly FuzzTarget[] = [...envelopes, ...hops, ...contacts];
