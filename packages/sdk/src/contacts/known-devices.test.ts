import { appendEntry, newContact, nobleBackend, publicKeyOf, unwrap, verifyDeviceList } from "@earshot/core";
import { expect, it } from "vitest";
import { backupOf, entryOf } from "./backup-contacts.ts";
import { memoryStorage } from "../memory-storage.ts";
import { ContactBook } from "./contact-book.ts";
import type { ContactEntry } from "./contact-codec.ts";
import { NO_DEVICES } from "./known-devices.ts";

const seedOf = (n: number) => new Uint8Array(32).fill(n);
const keyOf = (n: number) => publicKeyOf(seedOf(n));
const accountKey = keyOf(1);

/** The account's list after these steps: a positive device is added, a negative one revoked. */
async function listOf(...steps: number[]) {
  const entries: Uint8Array[] = [];
  for (const n of steps)
    entries.push(await appendEntry(nobleBackend, seedOf(1), entries, n > 0 ? "add" : "revoke", keyOf(Math.abs(n)), 1));
  return entries;
}

const half = { half: new Uint8Array(32), since: 1 };
const contact: ContactEntry = {
  state: {
    ...newContact(accountKey),
    status: "contact",
    own: half,
    peer: half,
    name: "Ann",
    locators: [{ deviceKey: keyOf(2), locatorKey: keyOf(9), since: 1 }],
  },
  label: "",
  addedAt: 0,
  ...NO_DEVICES,
};

async function bookWith(entry: ContactEntry): Promise<ContactBook> {
  const book = await ContactBook.load(memoryStorage(), keyOf(100));
  await book.put(entry);
  return book;
}
const look = async (book: ContactBook, entries: readonly Uint8Array[]) => {
  const known = book.get(accountKey)?.listHead ?? undefined;
  const list = unwrap(await verifyDeviceList(nobleBackend, accountKey, entries, known));
  const told = book.newDevices(accountKey, list);
  await book.learnList(accountKey, list);
  return told;
};

it("tells of what a list adds, not of the first list, and not twice", async () => {
  const book = await bookWith({ ...contact, devices: [keyOf(2)] });
  expect(await look(book, await listOf(2, 3))).toEqual([]);
  expect(await look(book, await listOf(2, 3, 4))).toEqual([keyOf(4)]);
  expect(book.newDevices(accountKey, keyOf(4))).toEqual([]);
  expect(book.newDevices(accountKey, keyOf(5))).toEqual([keyOf(5)]);
  await book.learnDevice(accountKey, keyOf(5));
  expect(await look(book, await listOf(2, 3, 4, 5))).toEqual([]);
  expect([book.wasNew(keyOf(4)), book.wasNew(keyOf(3))]).toEqual([true, false]);
});

it("knows again after a restore which devices are revoked, though the list is no longer than before", async () => {
  const entries = await listOf(2, 3, -3);
  const before = await bookWith(contact);
  await look(before, entries);
  expect(before.isRevoked(accountKey, keyOf(3))).toBe(true);
  const saved = backupOf(before.get(accountKey) as ContactEntry);
  const restored = await bookWith(unwrap(entryOf(saved as NonNullable<typeof saved>)));
  expect(restored.newDevices(accountKey, keyOf(2))).toEqual([]);
  await look(restored, entries);
  expect(restored.isRevoked(accountKey, keyOf(3))).toBe(true);
});

it("forgets the devices of somebody removed, so that they can be added with a list that was started anew", async () => {
  const book = await bookWith(contact);
  await look(book, await listOf(2, 3));
  await book.put({ ...(book.get(accountKey) as ContactEntry), state: newContact(accountKey) });
  expect(book.get(accountKey)).toMatchObject({ listHead: null, devices: [], revoked: [] });
});
