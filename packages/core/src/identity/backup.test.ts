import { expect, test } from "vitest";
import fc from "fast-check";
import { cleanText, openBackup, sealBackup, type BackupContact, type BackupContent } from "@earshot/core";
import { BACKUP_BLOCK_BYTES, BACKUP_MAX_BYTES } from "./backup.ts";
import { BACKUP_MAX_CONTACTS, decodeBackupContent, encodeBackupContent } from "./backup-content.ts";

const seed = new Uint8Array(32).fill(1);
let counter = 0;
const random = { bytes: (length: number) => new Uint8Array(length).fill(++counter) };
const fixed = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Uint8Array.from(bytes));
const name = fc.string({ unit: "grapheme" }).map((text) => cleanText(text, 64));
const anyContact: fc.Arbitrary<BackupContact> = fc.record({
  accountKey: fixed(32),
  name,
  state: fc.constantFrom("added", "contact", "blocked"),
  addedAt: fc.maxSafeNat(),
  relation: fc.uint8Array({ minLength: 1, maxLength: 900 }).map((bytes) => Uint8Array.from(bytes)),
  listHead: fc.option(fc.record({ n: fc.nat(), hash: fixed(32) })),
});
const anyContent: fc.Arbitrary<BackupContent> = fc.record({
  name,
  deviceList: fc.array(fixed(142), { maxLength: 3 }),
  contacts: fc.array(anyContact, { maxLength: 12 }),
});

test("a backup opens with its phrase's seed, and its size tells only blocks", () => {
  fc.assert(
    fc.property(anyContent, (content) => {
      const bytes = sealBackup(random, seed, content);
      expect(openBackup(seed, bytes)).toEqual({ ok: true, value: content });
      expect((bytes.length - 45) % BACKUP_BLOCK_BYTES).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test("another seed, an altered byte, a cut or an unknown version is refused", () => {
  const bytes = sealBackup(random, seed, { name: "Ann", deviceList: [], contacts: [] });
  expect(openBackup(seed.with(0, 2), bytes)).toMatchObject({ code: "backup-wrong-key" });
  for (const at of [1, 16, 17, 28, 29, 4_000, bytes.length - 1])
    expect(openBackup(seed, bytes.with(at, (bytes[at] as number) ^ 1))).toMatchObject({ code: "backup-wrong-key" });
  expect(openBackup(seed, bytes.with(0, 2))).toMatchObject({ code: "unknown-version" });
  for (const cut of [
    new Uint8Array(),
    bytes.subarray(1),
    bytes.subarray(0, 45),
    new Uint8Array(BACKUP_MAX_BYTES + 4_096),
  ])
    expect(openBackup(seed, cut)).toMatchObject({ code: "backup-malformed" });
});

test("more contacts than fit are the caller's mistake", () => {
  const contact: BackupContact = {
    accountKey: seed,
    name: "",
    state: "contact",
    addedAt: 0,
    relation: new Uint8Array(900),
    listHead: null,
  };
  const content = (count: number) => ({
    name: "",
    deviceList: [],
    contacts: Array.from({ length: count }, () => contact),
  });
  expect(sealBackup(random, seed, content(BACKUP_MAX_CONTACTS)).length).toBeLessThan(BACKUP_MAX_BYTES);
  expect(() => sealBackup(random, seed, content(BACKUP_MAX_CONTACTS + 1))).toThrow(RangeError);
  const long = { ...contact, relation: new Uint8Array(1_500) };
  expect(() =>
    sealBackup(random, seed, { name: "", deviceList: [], contacts: Array.from({ length: 1_000 }, () => long) }),
  ).toThrow(expect.objectContaining({ code: "too-large" }));
});

test("random bytes are refused as backups and as their content, never thrown at", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(decodeBackupContent(Uint8Array.from(bytes)).ok).toBe(false);
      const sized = new Uint8Array(45 + BACKUP_BLOCK_BYTES);
      sized.set(bytes);
      expect(openBackup(seed, sized).ok).toBe(false);
      expect(openBackup(seed, Uint8Array.from(bytes)).ok).toBe(false);
    }),
  );
  expect(decodeBackupContent(encodeBackupContent({ name: "x", deviceList: [], contacts: [] })).ok).toBe(true);
});
