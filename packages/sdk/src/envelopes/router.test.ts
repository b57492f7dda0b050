import {
  type ContactState,
  decodePrekey,
  type EnvelopeKind,
  newContact,
  nobleBackend,
  type OpenedEnvelope,
  sealEnvelope,
  unwrap,
} from "@earshot/core";
import { SeededRandom, settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import type { Storage } from "../api.ts";
import { ContactBook } from "../contacts/contact-book.ts";
import { Identity, type IdentityPorts } from "../identity/identity.ts";
import { Prekeys } from "../identity/prekeys.ts";
import { memoryStorage } from "../memory-storage.ts";
import { type KnownDevices, NO_DEVICES } from "../contacts/known-devices.ts";
import { EnvelopeRouter } from "./router.ts";

const clock = new VirtualClock();
let seedNumber = 0;
const portsOver = (storage: Storage): IdentityPorts => ({
  storage,
  clock,
  random: new SeededRandom(++seedNumber),
  signatures: nobleBackend,
});

let alice: Identity;
let bob: Identity;
let bobStorage: Storage;
let prekeys: Prekeys;
let book: ContactBook;
let log: string[];
let router: EnvelopeRouter;

async function load(): Promise<void> {
  const ports = portsOver(bobStorage);
  prekeys = await Prekeys.load(ports, bob);
  book = await ContactBook.load(bobStorage, bob.accountKey);
  router = new EnvelopeRouter(
    { ports, identity: bob, prekeys, book },
    {
      onCall: ({ kind }) => log.push(kind),
      onContactMessage: async ({ kind }: OpenedEnvelope) => void log.push(kind),
      onNewDevice: (_, device, restarted) => log.push(`new ${device[0]}${restarted ? ", list restarted" : ""}`),
      onListAhead: () => {},
      onRefused: (code) => log.push(code),
    },
  );
}

beforeEach(async () => {
  log = [];
  alice = await Identity.create(portsOver(memoryStorage()), "Alice");
  bobStorage = memoryStorage();
  bob = await Identity.create(portsOver(bobStorage), "Bob");
  await load();
});

/** Makes Alice somebody to Bob. */
function know(status: "contact" | "added" | "blocked", over: Partial<KnownDevices> = {}): Promise<void> {
  const half = { half: new Uint8Array(32), since: 1 };
  const states: Record<typeof status, ContactState> = {
    contact: { ...newContact(alice.accountKey), status: "contact", own: half, peer: half, name: "Alice", locators: [] },
    added: { ...newContact(alice.accountKey), status: "added", own: half, locators: [] },
    blocked: { ...newContact(alice.accountKey), status: "blocked" },
  };
  return book.put({ state: states[status], label: "", addedAt: 0, ...NO_DEVICES, ...over });
}

function envelope(kind: EnvelopeKind, from = alice): Promise<Uint8Array> {
  const prekey = unwrap(decodePrekey(prekeys.signed("contact")[0] as Uint8Array));
  const { accountKey, deviceSeed, certificate, listHead } = from;
  const random = new SeededRandom(++seedNumber);
  return sealEnvelope(
    { random, signatures: nobleBackend },
    {
      sender: { accountKey, deviceSeed, certificate, listHead },
      receiver: { accountKey: bob.accountKey, deviceKey: bob.deviceKey, prekey },
      sentAt: clock.now(),
      messageId: random.bytes(16),
      kind,
      body: Uint8Array.of(1),
    },
  );
}

it("rings for contacts, by the contact lane", async () => {
  await know("contact");
  await router.handle(await envelope("call"), "contact");
  expect(log).toEqual(["call"]);
});

it("never rings by the lane that strangers have, not even for a contact", async () => {
  await know("contact");
  await router.handle(await envelope("call"), "request");
  expect(log).toEqual(["not-allowed"]);
});

it("never rings for anyone else", async () => {
  await router.handle(await envelope("call"), "contact");
  for (const status of ["added", "blocked"] as const) {
    await know(status);
    await router.handle(await envelope("call"), "contact");
  }
  expect(log).toEqual(["unknown-sender", "unknown-sender", "unknown-sender"]);
});

it("takes requests by the strangers' lane, and nothing else", async () => {
  for (const kind of ["contact-request", "contact-accept", "contact-update", "contact-end"] as const) {
    await router.handle(await envelope(kind), "request");
  }
  expect(log).toEqual(["contact-request", "not-allowed", "not-allowed", "not-allowed"]);
});

it("refuses what it has had, over a restart too", async () => {
  await know("contact");
  const [call, request] = [await envelope("call"), await envelope("contact-request")];
  await router.handle(call, "contact");
  await router.handle(request, "request");
  await router.handle(call, "contact");
  await load();
  await router.handle(call, "contact");
  await router.handle(request, "request");
  expect(log).toEqual(["call", "contact-request", "replayed", "replayed", "replayed"]);
});

it("has the memory of a call on disk before it rings", async () => {
  await know("contact");
  const ports = portsOver(bobStorage);
  let onDisk = 0;
  const careful = new EnvelopeRouter(
    { ports, identity: bob, prekeys, book },
    {
      onCall: () => {
        bobStorage.keys("replay/").then((keys) => {
          onDisk = keys.length;
        }, log.push);
      },
      onContactMessage: async () => {},
      onNewDevice: () => {},
      onListAhead: () => {},
      onRefused: () => {},
    },
  );
  await careful.handle(await envelope("call"), "contact");
  await settle();
  expect(onDisk).toBe(1);
});

it("refuses an altered byte anywhere", async () => {
  await know("contact");
  const sealed = await envelope("call");
  for (const at of [0, 1, 5, 20, 60, sealed.length - 1]) {
    await router.handle(sealed.with(at, (sealed[at] as number) ^ 1), "contact");
  }
  expect(log).toEqual([
    "unknown-version",
    "unknown-suite",
    "unknown-prekey",
    "open-failed",
    "open-failed",
    "open-failed",
  ]);
});

/** Another device of Alice's, under this list of hers. */
async function secondDevice(entries: readonly Uint8Array[]): Promise<Identity> {
  const second = await Identity.create(portsOver(memoryStorage()), "Alice", alice.accountSeed);
  await second.adoptList(entries);
  return second;
}

it("tells of a device never seen before it rings, once, and not of those it knows", async () => {
  await know("contact", { devices: [alice.deviceKey], listHead: alice.listHead });
  const second = await secondDevice(alice.entries);
  await router.handle(await envelope("call"), "contact");
  await router.handle(await envelope("call", second), "contact");
  await router.handle(await envelope("call", second), "contact");
  expect(log).toEqual(["call", `new ${second.deviceKey[0]}`, "call", "call"]);
  await load();
  await router.handle(await envelope("call", second), "contact");
  expect(log.at(-1)).toBe("call");
  expect(log.length).toBe(5);
});

it("tells of it before remembering it, so that a crash between loses no notice", async () => {
  await know("contact", { devices: [alice.deviceKey] });
  const second = await secondDevice(alice.entries);
  const { set } = bobStorage;
  bobStorage.set = (key, value) => {
    if (key === "contacts") throw new Error("no room on the disk");
    return set.call(bobStorage, key, value);
  };
  await expect(router.handle(await envelope("call", second), "contact")).rejects.toThrow("no room");
  expect(log).toEqual([`new ${second.deviceKey[0]}`]);
});

it("tells nothing of the device by which somebody becomes a contact", async () => {
  await know("added");
  await router.handle(await envelope("contact-accept"), "contact");
  const { devices } = book.get(alice.accountKey) as KnownDevices;
  expect(devices).toEqual([alice.deviceKey]);
  await know("contact", { devices });
  await router.handle(await envelope("call"), "contact");
  expect(log).toEqual(["contact-accept", "call"]);
});

it("says where the list was started anew, and refuses what contradicts the known one", async () => {
  const longer = await secondDevice(alice.entries);
  await know("contact", { devices: [alice.deviceKey, longer.deviceKey], listHead: longer.listHead });
  const restarted = await secondDevice([]);
  await router.handle(await envelope("call", restarted), "contact");
  expect(log).toEqual([`new ${restarted.deviceKey[0]}, list restarted`, "call"]);

  await know("contact", { devices: [alice.deviceKey], listHead: alice.listHead });
  log = [];
  await router.handle(await envelope("call", restarted), "contact");
  await router.handle(await envelope("call", restarted), "contact");
  expect(log).toEqual([`new ${restarted.deviceKey[0]}, list restarted`, "rolled-back", "rolled-back"]);
});

it("takes so many devices of one account, and no more", async () => {
  const devices = Array.from({ length: 64 }, (_, i) => new Uint8Array(32).fill(i));
  await know("contact", { devices, listHead: alice.listHead });
  await router.handle(await envelope("call", await secondDevice(alice.entries)), "contact");
  expect(log.at(-1)).toBe("too-many");
});
