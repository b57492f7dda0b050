import {
  encodeContactMessage,
  newContact,
  nobleBackend,
  type OpenedEnvelope,
  publicKeyOf,
  type RefusalCode,
} from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import { Identity, type IdentityPorts } from "../identity/identity.ts";
import { memoryStorage } from "../memory-storage.ts";
import { Stored } from "../state/stored.ts";
import { ContactBook, MAX_CONTACTS } from "./contact-book.ts";
import { contactsCodec } from "./contact-codec.ts";
import { ContactsManager } from "./contacts-manager.ts";
import { NO_DEVICES } from "./known-devices.ts";
import { Locator } from "./locator.ts";
import { Outbox } from "./outbox.ts";

const random = new SeededRandom(4);

it("a bot that has no room left declines, and is not stuck with the request", async () => {
  const ports: IdentityPorts = {
    storage: memoryStorage(),
    clock: new VirtualClock(),
    random,
    signatures: nobleBackend,
  };
  const entries = Array.from({ length: MAX_CONTACTS }, () => ({
    state: { ...newContact(random.bytes(32)), status: "blocked" as const },
    label: "",
    addedAt: 0,
    ...NO_DEVICES,
  }));
  await new Stored(ports.storage, "contacts", contactsCodec).save(entries);
  const identity = await Identity.create(ports, "Bot");
  const book = await ContactBook.load(ports.storage, identity.accountKey);
  const refused: RefusalCode[] = [];
  const outbox = await Outbox.load({
    ...ports,
    sender: { toContact: () => Promise.reject(new Error()), toStranger: () => Promise.reject(new Error()) },
    isOnline: () => false,
    locatorsOf: () => undefined,
    onLost: async () => {},
    onProblem: () => {},
  });
  const manager = new ContactsManager(
    { ports, identity, book, outbox, locator: await Locator.load(ports), acceptAll: true },
    {
      onContacts: () => {},
      onRequests: () => {},
      onRefused: (code) => refused.push(code),
      onTokens: async () => {},
      onRotate: async () => {},
    },
  );
  const accountKey = publicKeyOf(random.bytes(32));
  const kind = "contact-request";
  const locatorKey = publicKeyOf(random.bytes(32));
  const body = encodeContactMessage({ kind, locatorKey, half: random.bytes(32), since: 1, name: "Ann" });
  const opened = { sender: { accountKey, deviceKey: publicKeyOf(random.bytes(32)) }, kind, body } as OpenedEnvelope;
  await manager.handleEnvelope(opened);
  expect(refused).toEqual(["too-many"]);
  expect(book.requests()).toEqual([]);
  expect(book.contacts().length).toBe(MAX_CONTACTS);
});
