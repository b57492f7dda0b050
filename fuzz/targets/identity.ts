/** Ids, cards, phrases, certificates, device lists, backups, records and bundles: all that identity and records decode. */
import {
  appendEntry,
  cardLink,
  decodeBackupContent,
  bundleHash,
  decodeBundle,
  decodeCard,
  decodeCertificate,
  decodeContactContent,
  decodeEntry,
  decodeId,
  decodePrekey,
  decodePublicContent,
  decodePublicKey,
  decodeX25519Key,
  encodeBackupContent,
  encodeBundle,
  encodeCard,
  encodeCertificate,
  encodeContactContent,
  encodeId,
  encodePublicContent,
  issueCertificate,
  makeContactRecord,
  makePublicRecord,
  nobleBackend,
  openBackup,
  openBundle,
  openContactRecord,
  openValue,
  phraseOf,
  publicKeyOf,
  type Result,
  sealBackup,
  sealBundle,
  sealValue,
  seedOfPhrase,
  signPrekey,
  utf8,
  verifyDeviceList,
  verifyEd25519,
  x25519PublicKey,
} from "@earshot/core";
import type { FuzzTarget } from "../target.ts";

const seed = new Uint8Array(32).fill(1);
const accountKey = publicKeyOf(seed);
const deviceSeed = new Uint8Array(32).fill(2);
const deviceKey = publicKeyOf(deviceSeed);
const now = 1_700_000_000_000;
const day = 20_000;
const random = { bytes: (length: number) => new Uint8Array(length).fill(9) };
const text = (input: Uint8Array) => new TextDecoder().decode(input);

const home = {
  url: "wss://node.example",
  supernodeKey: accountKey,
  hopKey: x25519PublicKey(seed),
  dht: "192.0.2.7:49737",
};
const place = { home, mailboxId: new Uint8Array(16) };
const card = encodeCard({ accountKey, name: "Zoë", homes: [home] });
const certificate = await issueCertificate(nobleBackend, seed, deviceKey, now, now + 86_400_000);
const entry = await appendEntry(nobleBackend, seed, [], "add", deviceKey, now);
const prekey = await signPrekey(nobleBackend, accountKey, deviceSeed, deviceKey, {
  id: new Uint8Array(8),
  publicKey: x25519PublicKey(deviceSeed),
  from: now,
  until: now + 1,
});
const openedBundle = {
  entries: [entry],
  devices: [{ certificate: encodeCertificate(certificate), prekeys: [prekey] }],
};
const bundle = encodeBundle(openedBundle);
const contact = {
  accountKey,
  name: "Ann",
  state: "contact",
  addedAt: now,
  relation: seed,
  listHead: { n: 1, hash: seed },
} as const;
const backupContent = { name: "Zoë", deviceList: [entry], contacts: [contact] };
const list = { listHead: { n: 1, hash: seed }, bundleHash: seed, places: [{ ...place, device: 0 }] };
const publicRecord = makePublicRecord(random, seed, day, 0, now, list);
const device = { deviceKey, bundleHash: seed, places: [place] };
const contactRecord = makeContactRecord(random, seed, day, 0, now, device);
const where = { kind: "public", masterKey: accountKey, blindedKey: publicRecord.publicKey, day } as const;

/** `decode` as a target: what it accepts must encode to something that decodes to the same again. */
function codec<T>(
  name: string,
  decode: (input: Uint8Array) => Result<T>,
  encode: (value: T) => Uint8Array,
  seeds: readonly Uint8Array[],
  exact: boolean,
): FuzzTarget {
  return {
    name: `identity/${name}`,
    seeds,
    run(input) {
      const decoded = decode(input);
      if (!decoded.ok) return decoded.code;
      const encoded = encode(decoded.value);
      if (exact && Buffer.compare(encoded, input) !== 0) throw new Error("accepted a second encoding");
      const again = decode(encoded);
      if (!again.ok || Buffer.compare(encode(again.value), encoded) !== 0) throw new Error("lost in the round trip");
    },
  };
}

export const targets: readonly FuzzTarget[] = [
  codec(
    "id",
    (input) => decodeId(text(input)),
    (key) => utf8(encodeId(key)),
    [utf8(encodeId(accountKey))],
    false,
  ),
  codec(
    "card",
    (input) => decodeCard(text(input)),
    (value) => utf8(encodeCard(value)),
    [utf8(card), utf8(cardLink("https://node.example/", card)), utf8(encodeId(accountKey))],
    false,
  ),
  codec(
    "phrase",
    (input) => seedOfPhrase(text(input)),
    (value) => utf8(phraseOf(value)),
    [utf8(phraseOf(seed))],
    false,
  ),
  codec("public-key", decodePublicKey, (key) => key, [accountKey, new Uint8Array(32)], true),
  codec("x25519-key", decodeX25519Key, (key) => key, [x25519PublicKey(seed), new Uint8Array(32)], true),
  codec("certificate", decodeCertificate, encodeCertificate, [encodeCertificate(certificate)], true),
  codec("bundle", decodeBundle, encodeBundle, [bundle], true),
  {
    name: "identity/sealed-bundle",
    seeds: [sealBundle("public", accountKey, day, openedBundle)],
    run(input) {
      const opened = openBundle("public", accountKey, day, input, bundleHash(input));
      return opened.ok ? undefined : opened.code;
    },
  },
  codec("backup-content", decodeBackupContent, encodeBackupContent, [encodeBackupContent(backupContent)], true),
  {
    name: "identity/backup",
    seeds: [sealBackup(random, seed, backupContent)],
    run(input) {
      const opened = openBackup(seed, input);
      return opened.ok ? undefined : opened.code;
    },
  },
  {
    name: "identity/device-list",
    seeds: [entry],
    async run(input) {
      const decoded = decodeEntry(input);
      const listed = await verifyDeviceList(nobleBackend, accountKey, [input]);
      if (listed.ok && !decoded.ok) throw new Error("verified an entry that does not decode");
      if (listed.ok && Buffer.compare(input, entry) !== 0) throw new Error("verified an entry that was not signed");
      return listed.ok ? undefined : listed.code;
    },
  },
  {
    name: "identity/signature",
    seeds: [Uint8Array.of(...accountKey, ...certificate.signature, ...utf8("message"))],
    async run(input) {
      const [key, signature] = [input.subarray(0, 32), input.subarray(32, 96)];
      if (await verifyEd25519(nobleBackend, key, input.subarray(96), signature)) throw new Error("a forged signature");
    },
  },
  {
    name: "records/prekey",
    seeds: [prekey],
    run(input) {
      const decoded = decodePrekey(input);
      return decoded.ok ? undefined : decoded.code;
    },
  },
  codec("public-content", decodePublicContent, encodePublicContent, [contentOf(publicRecord.value)], true),
  codec("contact-content", decodeContactContent, encodeContactContent, [encodeContactContent(device)], true),
  {
    name: "records/value",
    seeds: [publicRecord.value],
    run(input) {
      const opened = openValue(where, input);
      if (opened.ok && Buffer.compare(input, publicRecord.value) !== 0) throw new Error("opened what was not sealed");
      const sealed = openValue(where, sealValue(random, where, input.subarray(0, 970)));
      if (!sealed.ok || Buffer.compare(sealed.value, input.subarray(0, 970)) !== 0)
        throw new Error("lost in the round trip");
      return opened.ok ? undefined : opened.code;
    },
  },
  {
    name: "records/contact",
    seeds: [contactRecord.value],
    async run(input) {
      const record = { ...contactRecord, value: input };
      const opened = await openContactRecord(nobleBackend, accountKey, day, 0, record);
      if (opened.ok && Buffer.compare(input, contactRecord.value) !== 0) throw new Error("opened what was not signed");
      return opened.ok ? undefined : opened.code;
    },
  },
];

function contentOf(value: Uint8Array): Uint8Array {
  const content = openValue(where, value);
  if (!content.ok) throw new Error(`the seed does not open: ${content.code}`);
  return content.value;
}
