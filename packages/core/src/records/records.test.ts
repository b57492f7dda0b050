import { expect, test } from "vitest";
import fc from "fast-check";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  ByteWriter,
  concat,
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
  type Place,
  type PublicRecord,
} from "@earshot/core";
import { blindKeyPair, blindPublicKey, signBlinded } from "./blinding.ts";
import { decodeContactContent, decodePublicContent } from "./contents.ts";
import { lookupDays, PUBLIC_RECORD_AHEAD_DAYS } from "./day.ts";
import { nextUpdate, signPublicRecordsAhead } from "./records.ts";
import { checkReplaces, RECORD_BYTES, signRecord, verifyRecord } from "./mutable-record.ts";
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
};
const place: Place = { home, mailboxId: new Uint8Array(16).fill(3) };
const content: PublicRecord = {
  listHead: { n: 2, hash: new Uint8Array(32).fill(4) },
  bundleHash: new Uint8Array(32).fill(6),
  places: [place],
};
const open = (record: MutableRecord, d = day, key = account) => openPublicRecord(nobleBackend, key, d, record);

test("a blinded key signs what everyone can verify, and whoever knows the master key finds the same blinded key", async () => {
  for (const kind of ["public", "contact"] as const) {
    const pair = blindKeyPair(kind, seed, day);
    expect(blindPublicKey(kind, account, day)).toEqual({ ok: true, value: pair.publicKey });
    const signature = signBlinded(pair, seed);
    expect(await verifyEd25519(nobleBackend, pair.publicKey, seed, signature)).toBe(true);
    expect(await verifyEd25519(nobleBackend, account, seed, signature)).toBe(false);
  }
});

test("kinds and days have unrelated keys and nonces", () => {
  const pairs = [
    blindKeyPair("public", seed, day),
    blindKeyPair("public", seed, day + 1),
    blindKeyPair("contact", seed, day),
  ];
  const nonces = pairs.map((pair) => toHex(signBlinded(pair, seed).subarray(0, 32)));
  expect(new Set(pairs.map((pair) => toHex(pair.publicKey))).size).toBe(3);
  expect(new Set(pairs.map((pair) => toHex(pair.prefix))).size).toBe(3);
  expect(new Set(nonces).size).toBe(3);
  expect(blindPublicKey("public", new Uint8Array(32), day)).toMatchObject({ ok: false, code: "bad-key" });
});

test("a public record is found and read with the id alone", async () => {
  const record = makePublicRecord(random, seed, day, now, content);
  expect(record.value).toHaveLength(RECORD_BYTES);
  expect(await verifyRecord(nobleBackend, record)).toEqual({ ok: true, value: record });
  expect(await open(record)).toEqual({ ok: true, value: { ...content, updatedAt: now } });
  expect(lookupDays(now)).toContain(day);
});

test("a contact record is read with the locator key, and looks like a public one", async () => {
  const mine = {
    deviceKey: publicKeyOf(seed.with(0, 1)),
    bundleHash: content.bundleHash,
    places: [place, place, place, place],
  };
  const record = makeContactRecord(random, seed, day, now, mine);
  expect(record.value).toHaveLength(RECORD_BYTES);
  expect(await openContactRecord(nobleBackend, account, day, record)).toEqual({
    ok: true,
    value: { ...mine, updatedAt: now },
  });
  expect(await openContactRecord(nobleBackend, account, day + 1, record)).toMatchObject({ code: "bad-record" });
  expect(await open(record)).toMatchObject({ code: "bad-record" });
});

test("the largest public record fits", () => {
  const longest = { home: { ...home, url: "x".repeat(128) }, mailboxId: place.mailboxId };
  const full = {
    ...content,
    listHead: { n: 0xffff_ffff, hash: content.bundleHash },
    places: [longest, longest, longest, longest],
  };
  expect(() => makePublicRecord(random, seed, day, now, full)).not.toThrow();
  expect(() => makePublicRecord(random, seed, day, now, { ...full, places: [] })).toThrow(RangeError);
});

test("a record of another day, another person or altered anywhere is refused", async () => {
  const record = makePublicRecord(random, seed, day, now, content);
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
  const pair = blindKeyPair("public", seed, day);
  const where = { kind: "public", masterKey: account, blindedKey: pair.publicKey, day } as const;
  const seq = makePublicRecord(random, seed, day, now, content).seq;
  const signed = (value: Uint8Array) => open(signRecord(pair, seq, value));
  const sealed = sealValue(random, where, Uint8Array.of(1));
  expect(await signed(sealed)).toMatchObject({ code: "bad-record" }); // no such shape
  expect(await signed(sealed.subarray(1))).toMatchObject({ code: "bad-record" });
  expect(await signed(sealed.with(0, 2))).toMatchObject({ code: "unknown-version" });
  expect(await signed(sealed.with(50, (sealed[50] as number) ^ 1))).toMatchObject({ code: "open-failed" });
  expect(await open(signRecord(pair, 0, makePublicRecord(random, seed, day, now, content).value))).toMatchObject({
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
  const pair = blindKeyPair("public", seed, day);
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
  const ahead = signPublicRecordsAhead(random, seed, day, now, () => content);
  expect(ahead).toHaveLength(PUBLIC_RECORD_AHEAD_DAYS);
  for (const { day: d, record } of [ahead[0], ahead[17], ahead[34]] as typeof ahead)
    expect(await open(record, d)).toMatchObject({ ok: true, value: { updatedAt: now } });
  expect(new Set(ahead.map(({ record }) => record.seq)).size).toBe(PUBLIC_RECORD_AHEAD_DAYS);
  const gaps = ahead.map(({ record }) => record.seq).sort((a, b) => a - b);
  expect((gaps[34] as number) - (gaps[0] as number)).toBeGreaterThan(2 ** 35); // spread over 2^40, not clustered at now
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
