import { expect, test } from "vitest";
import fc from "fast-check";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  ByteWriter,
  cborOfHome,
  concat,
  encodeCbor,
  type Home,
  makeContactRecord,
  makePublicRecord,
  nobleBackend,
  openContactRecord,
  openPublicRecord,
  publicKeyOf,
  toHex,
  unwrap,
  utf8,
  type MutableRecord,
  type DevicePlace,
  type Place,
  type PublicRecord,
  RECORD_BYTES,
  RECORD_COPIES,
} from "@earshot/core";
import { blindKeyPair, blindPublicKey, type RecordKind, signBlinded } from "./blinding.ts";
import { decodeContactContent, decodePublicContent, encodePublicContent } from "./contents.ts";
import { lookupDays, lookupPlan, PUBLIC_RECORD_AHEAD_DAYS } from "./day.ts";
import { nextUpdate, signPublicRecordsAhead } from "./records.ts";
import { checkReplaces, signRecord, verifyRecord } from "./mutable-record.ts";
import { openValue, RECORD_CONTENT_MAX_BYTES, sealValue } from "./value.ts";
import { verifyEd25519 } from "../identity/ed25519.ts";

const seed = new Uint8Array(32).fill(5);
const account = publicKeyOf(seed);
const day = 20_000;
const now = day * 86_400_000 + 1_000;
let counter = 0;
const random = { bytes: (length: number) => new Uint8Array(length).fill(++counter) };
const home = {
  url: "wss://node.example",
  supernodeKey: new Uint8Array(32).fill(1),
  hopKey: new Uint8Array(32).fill(2),
  dht: "",
};
const place: DevicePlace = { home, mailboxId: new Uint8Array(16).fill(3), device: 0 };
const contactPlace: Place = { home, mailboxId: place.mailboxId };
const content: PublicRecord = {
  listHead: { n: 2, hash: new Uint8Array(32).fill(4) },
  bundleHash: new Uint8Array(32).fill(6),
  places: [place],
};
const open = (record: MutableRecord, d = day, key = account, copy = 0) =>
  openPublicRecord(nobleBackend, key, d, copy, record);

test("a blinded key signs what everyone can verify, and whoever knows the master key finds the same blinded key", async () => {
  for (const kind of ["public", "contact"] as const) {
    const pair = blindKeyPair(kind, seed, day, 3);
    expect(blindPublicKey(kind, account, day, 3)).toEqual({ ok: true, value: pair.publicKey });
    const signature = signBlinded(pair, seed);
    expect(await verifyEd25519(nobleBackend, pair.publicKey, seed, signature)).toBe(true);
    expect(await verifyEd25519(nobleBackend, account, seed, signature)).toBe(false);
  }
});

test("kinds, days and copies have unrelated keys and nonces", () => {
  const pairs = [0, 1, 2, 3].flatMap((copy) => [
    blindKeyPair("public", seed, day, copy),
    blindKeyPair("public", seed, day + 1, copy),
    blindKeyPair("contact", seed, day, copy),
  ]);
  const nonces = pairs.map((pair) => toHex(signBlinded(pair, seed).subarray(0, 32)));
  expect(new Set(pairs.map((pair) => toHex(pair.publicKey))).size).toBe(12);
  expect(new Set(pairs.map((pair) => toHex(pair.prefix))).size).toBe(12);
  expect(new Set(nonces).size).toBe(12);
  expect(blindPublicKey("public", new Uint8Array(32), day, 0)).toMatchObject({ ok: false, code: "bad-key" });
  expect(() => blindKeyPair("public", seed, day, RECORD_COPIES)).toThrow(RangeError);
});

test("whoever knows any master key finds what its owner signs, for every kind, day and copy", () => {
  const any = [fc.constantFrom("public", "contact"), fc.uint8Array({ minLength: 32, maxLength: 32 })] as const;
  fc.assert(
    fc.property(...any, fc.integer({ min: 0, max: 0xffff_ffff }), fc.nat(3), (kind, anySeed, d, copy) => {
      const master = Uint8Array.from(anySeed);
      const pair = blindKeyPair(kind as RecordKind, master, d, copy);
      expect(unwrap(blindPublicKey(kind as RecordKind, publicKeyOf(master), d, copy))).toEqual(pair.publicKey);
    }),
    { numRuns: 20 },
  );
});

test("a public record is found and read with the id alone", async () => {
  const record = makePublicRecord(random, seed, day, 0, now, content);
  expect(record.value).toHaveLength(RECORD_BYTES);
  expect(await verifyRecord(nobleBackend, record)).toEqual({ ok: true, value: record });
  expect(await open(record)).toEqual({ ok: true, value: { ...content, updatedAt: now } });
  expect(lookupDays(now)).toContain(day);
});

test("each copy is a record of its own, and none passes for another", async () => {
  const copies = [0, 1, 2, 3].map((copy) => makePublicRecord(random, seed, day, copy, now, content));
  const [first, second] = copies as [MutableRecord, MutableRecord];
  for (const [copy, record] of copies.entries())
    expect(await open(record, day, account, copy)).toEqual({ ok: true, value: { ...content, updatedAt: now } });
  expect(await open(second)).toMatchObject({ code: "bad-record" });
  expect(await open({ ...second, publicKey: first.publicKey })).toMatchObject({ code: "bad-signature" });
  expect(new Set(copies.map(({ seq }) => seq)).size).toBe(4);
  expect(new Set(copies.map(({ value }) => toHex(value.subarray(13)))).size).toBe(4);
});

test("a look-up asks for one copy of each pair first, any of them, and then for all others once", () => {
  const firsts = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const { first, rest } = lookupPlan(now, { bytes: () => Uint8Array.of(0xf0 + i) });
    const [one, other] = first;
    expect([one.day, other.day, one.copy < 2, other.copy >= 2]).toEqual([day, day, true, true]);
    firsts.add(`${one.copy} ${other.copy}`);
    const all = [...first, ...rest].map((slot) => `${slot.day} ${slot.copy}`);
    expect(new Set(all).size).toBe(lookupDays(now).length * RECORD_COPIES);
    expect(all).toHaveLength(lookupDays(now).length * RECORD_COPIES);
  }
  expect(firsts.size).toBe(4);
});

test("a contact record is read with the locator key, and looks like a public one", async () => {
  const mine = {
    deviceKey: publicKeyOf(seed.with(0, 1)),
    bundleHash: content.bundleHash,
    places: [contactPlace, contactPlace, contactPlace, contactPlace],
  };
  const record = makeContactRecord(random, seed, day, 0, now, mine);
  expect(record.value).toHaveLength(RECORD_BYTES);
  expect(await openContactRecord(nobleBackend, account, day, 0, record)).toEqual({
    ok: true,
    value: { ...mine, updatedAt: now },
  });
  expect(await openContactRecord(nobleBackend, account, day + 1, 0, record)).toMatchObject({ code: "bad-record" });
  expect(await open(record)).toMatchObject({ code: "bad-record" });
});

test("the largest public record fits", () => {
  const longest = {
    ...place,
    home: { ...home, url: `wss://home.example/${"x".repeat(109)}`, dht: "192.0.2.1:49737" },
    device: 7,
  };
  const full = {
    ...content,
    listHead: { n: 0xffff_ffff, hash: content.bundleHash },
    places: [longest, longest, longest, longest],
  };
  expect(() => makePublicRecord(random, seed, day, 0, now, full)).not.toThrow();
  const volunteers = { ...place, home: { ...home, url: "", dht: "[2001:db8:1111:2222:3333:4444:5555:6666]:49737" } };
  expect(unwrap(decodePublicContent(encodePublicContent({ ...content, places: [volunteers, longest] })))).toEqual({
    ...content,
    places: [volunteers, { ...longest, home: { ...longest.home, dht: "" } }],
  });
  expect(() => makePublicRecord(random, seed, day, 0, now, { ...full, places: [] })).toThrow(RangeError);
});

test("a home in a record has a URL or a DHT address, not both, and a device there is one of the eight", () => {
  const withDht = { ...home, dht: "192.0.2.1:1" };
  const encoded = (item: Home, device: number) =>
    encodeCbor([1, [2, content.bundleHash], content.bundleHash, [[cborOfHome(item), place.mailboxId, device]]]);
  expect(decodePublicContent(encoded(home, 7))).toMatchObject({ ok: true });
  expect(decodePublicContent(encoded(withDht, 7))).toMatchObject({ code: "bad-record" });
  expect(decodePublicContent(encoded(home, 8))).toMatchObject({ code: "bad-record" });
  expect(decodeContactContent(encodePublicContent(content))).toMatchObject({ code: "bad-record" });
});

test("a record of another day, another person or altered anywhere is refused", async () => {
  const record = makePublicRecord(random, seed, day, 0, now, content);
  expect(await open(record, day + 1)).toMatchObject({ code: "bad-record" });
  expect(await open(record, day, publicKeyOf(seed.with(0, 9)))).toMatchObject({ code: "bad-record" });
  for (const at of [0, 5, 500, 999]) {
    const value = record.value.with(at, (record.value[at] as number) ^ 1);
    expect(await open({ ...record, value })).toMatchObject({ code: "bad-signature" });
  }
  expect(await open({ ...record, seq: record.seq + 1 })).toMatchObject({ code: "bad-signature" });
  expect(await verifyRecord(nobleBackend, { ...record, value: new Uint8Array(1_001) })).toMatchObject({
    code: "too-large",
  });
  expect(await verifyRecord(nobleBackend, { ...record, publicKey: new Uint8Array(32) })).toMatchObject({
    code: "bad-key",
  });
});

test("what the owner itself signed but sealed wrongly is refused under its code", async () => {
  const pair = blindKeyPair("public", seed, day, 0);
  const where = { kind: "public", masterKey: account, blindedKey: pair.publicKey, day } as const;
  const seq = makePublicRecord(random, seed, day, 0, now, content).seq;
  const signed = (value: Uint8Array) => open(signRecord(pair, seq, value));
  const sealed = sealValue(random, where, Uint8Array.of(1));
  expect(await signed(sealed)).toMatchObject({ code: "bad-record" }); // no such shape
  expect(await signed(sealed.subarray(1))).toMatchObject({ code: "bad-record" });
  expect(await signed(sealed.with(0, 2))).toMatchObject({ code: "unknown-version" });
  expect(await signed(sealed.with(50, (sealed[50] as number) ^ 1))).toMatchObject({ code: "open-failed" });
  expect(await open(signRecord(pair, 0, makePublicRecord(random, seed, day, 0, now, content).value))).toMatchObject({
    code: "bad-record",
  });
});

test("content up to the limit is padded and comes back; beyond it, it is the caller's mistake", () => {
  const where = { kind: "public", masterKey: account, blindedKey: account, day } as const;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: RECORD_CONTENT_MAX_BYTES }), (bytes) => {
      const value = sealValue(random, where, Uint8Array.from(bytes));
      expect(value).toHaveLength(RECORD_BYTES);
      expect(unwrap(openValue(where, value))).toEqual(Uint8Array.from(bytes));
    }),
  );
  expect(() => sealValue(random, where, new Uint8Array(RECORD_CONTENT_MAX_BYTES + 1))).toThrow(
    expect.objectContaining({ code: "too-large" }),
  );
});

test("padding that does not end as it should is refused", () => {
  const where = { kind: "public", masterKey: account, blindedKey: account, day } as const;
  const info = new ByteWriter().raw(utf8("earshot record 1")).u8(1).u32(day).finish();
  const aad = new ByteWriter().u8(1).raw(account).u32(day).finish();
  const nonce = new Uint8Array(12);
  const cipher = () => chacha20poly1305(hkdf(sha256, account, account, info, 32), nonce, aad);
  const seal = (padded: Uint8Array) => concat(Uint8Array.of(1), nonce, cipher().encrypt(padded));
  const padded = new Uint8Array(971).with(0, 5);
  expect(openValue(where, seal(padded.with(1, 0x80)))).toEqual({ ok: true, value: Uint8Array.of(5) });
  for (const wrong of [padded, new Uint8Array(971), padded.with(1, 0x80).with(970, 1)])
    expect(openValue(where, seal(wrong))).toMatchObject({ code: "bad-record" });
});

test("a holder keeps the newest and refuses to go back", () => {
  const pair = blindKeyPair("public", seed, day, 0);
  const held = signRecord(pair, 10, Uint8Array.of(1));
  expect(checkReplaces(undefined, held).ok).toBe(true);
  expect(checkReplaces(held, held).ok).toBe(true);
  expect(checkReplaces(held, signRecord(pair, 11, Uint8Array.of(2))).ok).toBe(true);
  expect(checkReplaces(held, signRecord(pair, 10, Uint8Array.of(2)))).toMatchObject({ code: "rolled-back" });
  expect(checkReplaces(held, signRecord(pair, 9, Uint8Array.of(1)))).toMatchObject({ code: "rolled-back" });
  expect(nextUpdate(undefined, now)).toBe(now);
  expect(nextUpdate(now + 5, now)).toBe(now + 6);
});

test("records signed ahead open on their days, and show their holders nothing in common", async () => {
  const ahead = [...signPublicRecordsAhead(random, seed, day, now, () => content)];
  expect(ahead.map((each) => each.day)).toEqual(Array.from({ length: PUBLIC_RECORD_AHEAD_DAYS }, (_, i) => day + i));
  for (const { day: d, copies } of [ahead[0], ahead[17], ahead[34]] as typeof ahead)
    for (const [copy, record] of copies.entries())
      expect(await open(record, d, account, copy)).toMatchObject({ ok: true, value: { updatedAt: now } });
  const seqs = ahead.flatMap(({ copies }) => copies.map(({ seq }) => seq)).sort((a, b) => a - b);
  expect(new Set(seqs).size).toBe(PUBLIC_RECORD_AHEAD_DAYS * RECORD_COPIES);
  expect((seqs.at(-1) as number) - (seqs[0] as number)).toBeGreaterThan(2 ** 35); // spread over 2^40, not clustered at now
});

test("random content is refused, never thrown at", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(decodePublicContent(Uint8Array.from(bytes)).ok).toBe(false);
      expect(decodeContactContent(Uint8Array.from(bytes)).ok).toBe(false);
    }),
  );
});

test("random values are refused, never thrown at", async () => {
  const where = { kind: "contact", masterKey: account, blindedKey: account, day } as const;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_100, size: "max" }), (bytes) => {
      expect(openValue(where, Uint8Array.from(bytes)).ok).toBe(false);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1_000, maxLength: 1_000 }), (bytes) => {
      expect(openValue(where, Uint8Array.from(bytes).with(0, 1)).ok).toBe(false);
    }),
  );
});
