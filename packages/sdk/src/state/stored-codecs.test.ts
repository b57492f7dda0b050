import { type CborValue, encodeCbor, newContact, readCbor, toHex } from "@earshot/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aheadCodec } from "../account/signed-ahead.ts";
import { callSettingsCodec } from "../calls/call-settings.ts";
import { lastGoodCodec } from "../directory/last-good.ts";
import { type ContactEntry, contactsCodec } from "../contacts/contact-codec.ts";
import { locatorCodec } from "../contacts/locator.ts";
import { outboxCodec } from "../contacts/outbox-codec.ts";
import { publishedCodec } from "../directory/publisher.ts";
import { placesCodec } from "../edge/places-codec.ts";
import { trustedCodec } from "../edge/trusted-supernodes.ts";
import { identityCodec } from "../identity/identity-codec.ts";
import { prekeysCodec } from "../identity/prekeys.ts";
import { memoryStorage } from "../memory-storage.ts";
import { Stored, type StoredCodec } from "./stored.ts";

const fixed = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Uint8Array.from(bytes));
const time = fc.nat();
const word = fc.stringMatching(/^[a-z]{0,20}$/);
const head = fc.option(fc.record({ n: fc.nat(), hash: fixed(32) }));

const entry: fc.Arbitrary<ContactEntry> = fc.record({
  state: fixed(32).map((key) => newContact(key)),
  label: word,
  addedAt: time,
  listHead: head,
  revoked: fc.array(fixed(32), { maxLength: 3 }),
  devices: fc.array(fixed(32), { maxLength: 3 }),
});
const letter = fc.record({
  kind: fc.constantFrom("contact-request", "contact-accept", "contact-update", "contact-end"),
  accountKey: fixed(32),
  body: fixed(40),
  tokenSecret: fc.option(fixed(32)),
  locators: fc.array(fc.record({ deviceKey: fixed(32), locatorKey: fixed(32), since: time }), { maxLength: 3 }),
  writtenAt: time,
});

const codecs: readonly (readonly [string, StoredCodec<never>, fc.Arbitrary<unknown>])[] = [
  ["contacts", contactsCodec as StoredCodec<never>, fc.array(entry, { maxLength: 4 })],
  ["outbox", outboxCodec as StoredCodec<never>, fc.array(letter, { maxLength: 4 })],
  ["locator", locatorCodec as StoredCodec<never>, fc.record({ seed: fixed(32), since: time, owed: fc.boolean() })],
  ["published", publishedCodec as StoredCodec<never>, time],
  ["prekeys", prekeysCodec as StoredCodec<never>, fc.constant([])],
  [
    "identity",
    identityCodec as StoredCodec<never>,
    fc.record({
      accountSeed: fixed(32),
      deviceSeed: fixed(32),
      name: word,
      certificate: fixed(145),
      entries: fc.array(fixed(142), { maxLength: 3 }),
    }),
  ],
  [
    "last good",
    lastGoodCodec as StoredCodec<never>,
    fc.record({
      updatedAt: time,
      slot: fc.record({ day: fc.nat(), copy: fc.nat(3) }),
      signed: fc.record({ publicKey: fixed(32), seq: time, signature: fixed(64), value: fixed(1_000) }),
      places: fc.array(
        fc.record({
          home: fc.record({
            url: fc.constantFrom("", "wss://node.example/edge"),
            supernodeKey: fixed(32),
            hopKey: fixed(32),
            dht: fc.constantFrom("", "192.0.2.1:49737"),
          }),
          mailboxId: fixed(16),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  ],
  [
    "signed ahead",
    aheadCodec as StoredCodec<never>,
    fc.record({
      bundle: fc.record({
        entries: fc.array(fixed(142), { maxLength: 3 }),
        devices: fc.array(
          fc.record({ certificate: fixed(145), prekeys: fc.array(fixed(120), { minLength: 1, maxLength: 6 }) }),
          { minLength: 1, maxLength: 2 },
        ),
      }),
      records: fc.array(
        fc.record({
          day: time,
          copies: fc.array(fc.record({ publicKey: fixed(32), seq: time, signature: fixed(64), value: fixed(1_000) }), {
            minLength: 4,
            maxLength: 4,
          }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  ],
  [
    "identity whose account key is away",
    identityCodec as StoredCodec<never>,
    fc.record({
      accountKey: fixed(32),
      deviceSeed: fixed(32),
      name: word,
      certificate: fixed(145),
      entries: fc.array(fixed(142), { maxLength: 3 }),
    }),
  ],
  ["trusted supernodes", trustedCodec as StoredCodec<never>, fc.uniqueArray(fixed(32).map(toHex), { maxLength: 64 })],
  [
    "call settings",
    callSettingsCodec as StoredCodec<never>,
    fc.record({
      relayConsent: fc.constantFrom("never", "trusted", "any"),
      hideAddress: fc.constantFrom("never", "strangers", "everyone"),
      lowData: fc.boolean(),
      met: fc.uniqueArray(fixed(32).map(toHex), { maxLength: 10 }),
    }),
  ],
  [
    "places",
    placesCodec as StoredCodec<never>,
    fc.record({
      home: fc.record({
        url: fc.constantFrom("", "wss://a.example/edge"),
        supernodeKey: fixed(32),
        hopKey: fixed(32),
        dht: fc.constantFrom("", "192.0.2.7:9"),
      }),
      own: fc.boolean(),
      leaving: fc.boolean(),
      contactSeed: fixed(32),
      requestSeed: fixed(32),
      retiredSeeds: fc.array(fixed(32), { maxLength: 4 }),
    }),
  ],
];

describe.each(codecs)("stored %s", (_, codec, arbitrary) => {
  const read = (bytes: Uint8Array) => readCbor(bytes, (value) => codec.decode(value));

  it("come back as they were", () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(read(encodeCbor(codec.encode(value as never)))).toEqual({ ok: true, value });
      }),
      { numRuns: 30 },
    );
  });

  it("are refused, never thrown at, when damaged", () => {
    const anyCbor = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.nat(),
        fixed(32),
        word,
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 6 }),
      ) as fc.Arbitrary<CborValue>,
    })).value;
    fc.assert(fc.property(anyCbor, (value) => void read(encodeCbor([1, value]))));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void read(Uint8Array.from(bytes))));
  });
});

it("says which stored value is damaged, and what to do", async () => {
  const storage = memoryStorage();
  await storage.set("places", Uint8Array.of(1, 2, 3));
  await expect(new Stored(storage, "places", placesCodec).load()).rejects.toMatchObject({
    code: "storage-damaged",
    message: expect.stringMatching(/places.*recovery phrase/),
  });
});
