/** People with a device and a prekey each, for tests of sealing: keys from seeded randomness, X25519 by node:crypto for speed. */
import {
  EMPTY_LIST_HEAD,
  type EnvelopeMessage,
  type EnvelopeOpener,
  hpkeKeyPair,
  issueCertificate,
  nobleBackend,
  nobleX25519,
  nodeCryptoBackend,
  publicKeyOf,
  ReplayCache,
  type SignatureBackend,
  toHex,
  type X25519Function,
} from "@earshot/core";
import { SeededRandom } from "./seeded-random.ts";

/** Not imported, because browsers run tests of the testkit's users too. */
const nodeCrypto = globalThis.process?.getBuiltinModule?.("node:crypto");

/** As the daemon and the CLI hand it in; noble's where there is no Node. */
export const nodeX25519: X25519Function = (nodeCrypto && nodeCryptoBackend(nodeCrypto).x25519) ?? nobleX25519;

/** Noble, with X25519 by node:crypto. */
export const testSignatures: SignatureBackend = { ...nobleBackend, x25519: nodeX25519 };
/** When the people of {@link makePerson} live: their certificates span it. Unix milliseconds. */
export const TEST_NOW = 1_760_000_000_000;
const DAY_MS = 86_400_000;

/** A person with one device and one prekey. */
export async function makePerson(seedNumber: number) {
  const random = new SeededRandom(seedNumber);
  const [accountSeed, deviceSeed] = [random.bytes(32), random.bytes(32)];
  const [accountKey, deviceKey] = [publicKeyOf(accountSeed), publicKeyOf(deviceSeed)];
  const prekey = { id: random.bytes(8), pair: hpkeKeyPair(random.bytes(32), nodeX25519) };
  const certificate = await issueCertificate(
    testSignatures,
    accountSeed,
    deviceKey,
    TEST_NOW - DAY_MS,
    TEST_NOW + 30 * DAY_MS,
  );
  return {
    random,
    accountSeed,
    deviceSeed,
    accountKey,
    deviceKey,
    prekey,
    ports: { random, signatures: testSignatures },
    sender: { accountKey, deviceSeed, certificate, listHead: EMPTY_LIST_HEAD },
    receiver: { accountKey, deviceKey, prekey: { id: prekey.id, publicKey: prekey.pair.publicKey } },
    opener: (over: Partial<EnvelopeOpener> = {}): EnvelopeOpener => ({
      accountKey,
      deviceKey,
      findPrekey: (id) => (toHex(id) === toHex(prekey.id) ? prekey.pair : undefined),
      replays: new ReplayCache(),
      ...over,
    }),
  };
}
/** What {@link makePerson} gives. */
export type Person = Awaited<ReturnType<typeof makePerson>>;

/** A call message from one to the other, altered as the test wants. */
export function messageFrom(from: Person, to: Person, over: Partial<EnvelopeMessage> = {}): EnvelopeMessage {
  return {
    sender: from.sender,
    receiver: to.receiver,
    sentAt: TEST_NOW,
    messageId: from.random.bytes(16),
    kind: "call",
    body: Uint8Array.of(1, 2, 3),
    ...over,
  };
}
