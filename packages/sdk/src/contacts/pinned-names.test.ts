import { encodeCard, encodeId, publicKeyOf, unwrap, decodeCard, newContact } from "@earshot/core";
import { deferred, settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { ClientEvents, Storage } from "../api.ts";
import { ContactError } from "../errors.ts";
import { memoryStorage } from "../memory-storage.ts";
import { ContactBook } from "./contact-book.ts";
import { NO_DEVICES } from "./known-devices.ts";
import { NAME_CALL_RECHECK_MS, NAME_CALL_WAIT_MS, NAME_RECHECK_MS, PinnedNames } from "./pinned-names.ts";

const key = (n: number) => publicKeyOf(new Uint8Array(32).fill(n));
const ADDRESS = "ann@example.org";
const [ann, thief, third] = [key(1), key(2), key(3)];

let clock: VirtualClock;
let storage: Storage;
let book: ContactBook;
let names: PinnedNames;
let asked: number;
let changes: ClientEvents["nameChanged"][];
let answer: () => Promise<string>;

beforeEach(async () => {
  clock = new VirtualClock();
  storage = memoryStorage();
  asked = 0;
  changes = [];
  answer = async () => encodeId(ann);
  await load();
});

async function load(): Promise<void> {
  book = await ContactBook.load(storage, key(9));
  names = new PinnedNames(
    {
      clock,
      book,
      resolve: () => {
        asked += 1;
        return answer();
      },
    },
    { onContacts: () => {}, onChanged: (change) => changes.push(change), onProblem: () => {} },
  );
}

/** As the client does it. */
async function add(text = ADDRESS) {
  const { card, address } = await names.lookUp(text);
  const { accountKey } = unwrap(decodeCard(card));
  const half = { half: new Uint8Array(32), since: 1 };
  const state = { ...newContact(accountKey), status: "added", own: half } as never;
  await book.put({ state, label: "", addedAt: clock.now(), ...NO_DEVICES });
  return names.pin(accountKey, address as string);
}

async function remove(accountKey: Uint8Array): Promise<void> {
  const entry = book.of(accountKey, 0);
  await book.put({ ...entry, state: newContact(accountKey) });
}

const gone = () => Promise.reject(new ContactError("name-unreachable", "gone"));

describe("a name", () => {
  it("is pinned to the key that it has when it is added, and found by, over restarts", async () => {
    expect(await add(" Ann@Example.org")).toMatchObject({ id: encodeId(ann), address: ADDRESS });
    await load();
    expect(names.known("ANN@example.org")).toEqual(ann);
    expect(names.known("bob@example.org")).toBeUndefined();
    expect(book.contact(ann)).toMatchObject({ address: ADDRESS });
    expect(book.contact(ann)?.nameChangedTo).toBeUndefined();
  });

  it("leaves cards and ids as they are, and suggests a name where the card does not", async () => {
    expect(await names.lookUp(encodeId(ann))).toEqual({ card: encodeId(ann) });
    expect(await names.lookUp(ADDRESS)).toMatchObject({ address: ADDRESS, suggested: "ann" });
    answer = async () => encodeCard({ accountKey: ann, name: "Anna", homes: [] });
    expect((await names.lookUp(ADDRESS)).suggested).toBeUndefined();
    await expect(names.lookUp("ann@local")).rejects.toMatchObject({ code: "name-malformed" });
    answer = async () => "nobody";
    await expect(names.lookUp(ADDRESS)).rejects.toMatchObject({ code: "name-refused" });
    answer = gone;
    await expect(names.lookUp(ADDRESS)).rejects.toMatchObject({ code: "name-unreachable" });
  });

  it("that names somebody else stops calls until the person has decided, and says so once", async () => {
    await add();
    answer = async () => encodeId(thief);
    await names.beforeCall(ann); // checked within the hour
    await clock.advance(NAME_CALL_RECHECK_MS);
    await expect(names.beforeCall(ann)).rejects.toMatchObject({ code: "name-changed" });
    await load();
    await expect(names.beforeCall(ann)).rejects.toMatchObject({ code: "name-changed" });
    expect(changes).toEqual([{ contactId: encodeId(ann), address: ADDRESS, newId: encodeId(thief) }]);
    expect(book.contact(ann)?.nameChangedTo).toBe(encodeId(thief));
    await names.keep(ann);
    await names.beforeCall(ann);
    await clock.advance(NAME_CALL_RECHECK_MS);
    await names.beforeCall(ann); // the same other key is no news
    expect(changes).toHaveLength(1);
    answer = async () => encodeId(third);
    await clock.advance(NAME_CALL_RECHECK_MS);
    await expect(names.beforeCall(ann)).rejects.toMatchObject({ code: "name-changed" });
    expect(changes).toHaveLength(2);
  });

  it("is all right again where the domain takes it back", async () => {
    await add();
    answer = async () => encodeId(thief);
    await clock.advance(NAME_CALL_RECHECK_MS);
    await expect(names.beforeCall(ann)).rejects.toMatchObject({ code: "name-changed" });
    answer = async () => encodeId(ann);
    await clock.advance(NAME_RECHECK_MS);
    names.start();
    await settle();
    await names.beforeCall(ann);
    names.stop();
    expect(clock.pending).toBe(0);
  });

  it("cannot be added for another key while a contact has it, only after that one is removed", async () => {
    await add();
    answer = async () => encodeId(thief);
    await expect(add()).rejects.toMatchObject({ code: "name-changed" });
    expect(book.contact(thief)).toBeUndefined();
    expect(changes).toHaveLength(1);
    await remove(ann);
    expect(await add()).toMatchObject({ id: encodeId(thief), address: ADDRESS });
    await expect(names.keep(ann)).rejects.toMatchObject({ code: "not-a-contact" });
  });
});

describe("a domain that cannot be asked", () => {
  it("stops no call, and is not asked at every one", async () => {
    await add();
    answer = gone;
    await clock.advance(10 * NAME_RECHECK_MS);
    const before = asked;
    for (let i = 0; i < 5; i++) await names.beforeCall(ann);
    expect(asked).toBe(before + 1);
    expect(book.contact(ann)?.nameChangedTo).toBeUndefined();
  });

  it("is waited for no longer than a moment, and its late word still counts", async () => {
    await add();
    const { promise, resolve } = deferred<string>();
    answer = () => promise;
    await clock.advance(NAME_CALL_RECHECK_MS);
    const calling = names.beforeCall(ann);
    await clock.advance(NAME_CALL_WAIT_MS);
    await calling;
    resolve(encodeId(thief));
    await settle();
    await expect(names.beforeCall(ann)).rejects.toMatchObject({ code: "name-changed" });
  });

  it("does not bring a removed contact back by a late word", async () => {
    await add();
    const { promise, resolve } = deferred<string>();
    answer = () => promise;
    await clock.advance(NAME_CALL_RECHECK_MS);
    const calling = names.beforeCall(ann);
    await remove(ann);
    resolve(encodeId(thief));
    await calling;
    expect([book.contact(ann), changes]).toEqual([undefined, []]);
  });
});

it("looks the names up every few hours, one after the other", async () => {
  await add();
  names.start();
  await settle();
  expect(asked).toBe(1);
  await clock.advance(2 * NAME_RECHECK_MS);
  await settle();
  expect(asked).toBeGreaterThanOrEqual(2);
  expect(asked).toBeLessThanOrEqual(3);
  answer = async () => encodeId(thief);
  await clock.advance(NAME_RECHECK_MS + 3_600_000);
  await settle();
  expect(changes).toHaveLength(1);
  names.stop();
});
