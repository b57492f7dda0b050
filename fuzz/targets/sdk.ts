/** What the SDK reads back from storage: damaged values must be refused, never hang or crash. */
import {
  appendEntry,
  encodeCbor,
  encodeCertificate,
  issueCertificate,
  newContact,
  nobleBackend,
  publicKeyOf,
  readCbor,
  RECORD_BYTES,
  RECORD_COPIES,
} from "@earshot/core";
import { aheadCodec } from "../../packages/sdk/src/account/signed-ahead.ts";
import { contactsCodec } from "../../packages/sdk/src/contacts/contact-codec.ts";
import { locatorCodec } from "../../packages/sdk/src/contacts/locator.ts";
import { outboxCodec } from "../../packages/sdk/src/contacts/outbox-codec.ts";
import { placesCodec } from "../../packages/sdk/src/edge/places-codec.ts";
import { identityCodec } from "../../packages/sdk/src/identity/identity-codec.ts";
import { prekeysCodec } from "../../packages/sdk/src/identity/prekeys.ts";
import { parseNodeAddress } from "../../packages/sdk/src/node-address.ts";
import type { StoredCodec } from "../../packages/sdk/src/state/stored.ts";
import type { FuzzTarget } from "../target.ts";

const key = new Uint8Array(32).fill(3);
const home = { url: "ws://127.0.0.1:7400/edge", supernodeKey: key, hopKey: key, dht: "" };
const seed = new Uint8Array(32).fill(1);
const deviceKey = publicKeyOf(new Uint8Array(32).fill(2));
const bundle = {
  entries: [await appendEntry(nobleBackend, seed, [], "add", deviceKey, 1_000)],
  devices: [
    {
      certificate: encodeCertificate(await issueCertificate(nobleBackend, seed, deviceKey, 1_000, 9_000)),
      prekeys: [],
    },
  ],
};
const record = { publicKey: key, seq: 5, signature: new Uint8Array(64), value: new Uint8Array(RECORD_BYTES) };
const copies = Array.from({ length: RECORD_COPIES }, () => record);

const locator = { deviceKey: key, locatorKey: key, since: 5 };
const letter = {
  kind: "contact-accept",
  accountKey: key,
  body: key,
  tokenSecret: key,
  locators: [locator],
  writtenAt: 7,
} as const;

function stored<T>(name: string, codec: StoredCodec<T>, value: T): FuzzTarget {
  const decode = (bytes: Uint8Array) => readCbor(bytes, (cbor) => codec.decode(cbor));
  return {
    name: `sdk-${name}`,
    seeds: [encodeCbor(codec.encode(value))],
    run: (input) => {
      const first = decode(input);
      if (!first.ok) return first.code;
      const again = encodeCbor(codec.encode(first.value));
      if (!decode(again).ok) throw new Error("what was read does not read again");
      return "ok";
    },
  };
}

export const targets: readonly FuzzTarget[] = [
  stored("contacts", contactsCodec, [
    { state: newContact(key), label: "Ann", addedAt: 1, listHead: { n: 1, hash: key }, revoked: [key], devices: [key] },
  ]),
  stored("locator", locatorCodec, { seed: key, since: 1, owed: true }),
  stored("outbox", outboxCodec, [letter]),
  stored("places", placesCodec, {
    home,
    own: true,
    leaving: false,
    contactSeed: key,
    requestSeed: key,
    retiredSeeds: [key],
  }),
  stored("identity", identityCodec, {
    accountSeed: key,
    deviceSeed: key,
    name: "Ann",
    certificate: new Uint8Array(145),
    entries: [new Uint8Array(142)],
  }),
  stored("signed-ahead", aheadCodec, {
    bundle,
    records: [
      { day: 20_000, copies },
      { day: 20_001, copies },
    ],
  }),
  stored("prekeys", prekeysCodec, []),
  {
    name: "sdk-node-address",
    seeds: [new TextEncoder().encode("http://127.0.0.1:7400/#token=abc")],
    run: (input) => {
      try {
        return parseNodeAddress({ url: new TextDecoder().decode(input) }).token ? "token" : "plain";
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "bad-node-url") return "bad-node-url";
        throw error;
      }
    },
  },
];
