import { encodeCbor, readCbor, toHex, unwrap } from "@earshot/core";
import { MemoryTransport, SeededRandom, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import type { Client, Storage } from "../api.ts";
import { createClient } from "../create-client.ts";
import { NodeError } from "../errors.ts";
import { placesCodec } from "../edge/places-codec.ts";
import { memoryStorage } from "../memory-storage.ts";
import { locatorCodec } from "./locator.ts";

const clock = new VirtualClock();
let seed = 0;
let storage: Storage;
let bobCard: string;
beforeEach(async () => {
  bobCard = (await clientOver(memoryStorage(), "Bob")).card();
  storage = memoryStorage();
});

function clientOver(over: Storage, name: string): Promise<Client> {
  const nobody = () => new NodeError("node-unreachable", "nobody there");
  return createClient({
    storage: over,
    clock,
    random: new SeededRandom(++seed),
    name,
    node: { url: "http://127.0.0.1:1" },
    transport: new MemoryTransport(() => {}, nobody),
    peerConnection: () => {
      throw new Error("no calls here");
    },
  });
}

/** What finds this device: its locator key, and its contact mailboxes. */
async function placeOf(): Promise<string[]> {
  const read = async (key: string) => (await storage.get(key)) as Uint8Array;
  const locator = readCbor(await read("locator"), (value) => locatorCodec.decode(value));
  const names = await storage.keys("places/");
  const mailboxes = await Promise.all(
    names.map(async (name) => readCbor(await read(name), (value) => placesCodec.decode(value))),
  );
  if (!locator.ok) throw new Error("does not decode");
  return [toHex(locator.value.seed), ...mailboxes.map((places) => toHex(unwrap(places).contactSeed))];
}

/** Two homes that this device has had mailboxes at. */
async function settleAtTwoHomes(): Promise<void> {
  const random = new SeededRandom(++seed);
  for (let i = 0; i < 2; i++) {
    const home = { url: "", dht: "", supernodeKey: random.bytes(32), hopKey: random.bytes(32) };
    const seeds = { contactSeed: random.bytes(32), requestSeed: random.bytes(32), retiredSeeds: [] };
    const places = placesCodec.encode({ home, own: false, leaving: false, ...seeds });
    await storage.set(`places/${toHex(home.supernodeKey.subarray(0, 16))}`, encodeCbor(places));
  }
}

/** Writes that still succeed before the machine dies. */
function dyingAfter(writes: number): Storage {
  let left = writes;
  return {
    ...storage,
    async set(key, value) {
      if (left-- <= 0) throw new Error("power failure");
      await storage.set(key, value);
    },
  };
}

it("never leaves somebody removed who still knows where this device is, whenever the machine dies", async () => {
  for (let writes = 0; ; writes++) {
    storage = memoryStorage();
    await settleAtTwoHomes();
    const alice = await clientOver(storage, "Alice");
    const { id } = await alice.addContact(bobCard);
    const before = await placeOf();
    const dying = await clientOver(dyingAfter(writes), "Alice");
    const died = await dying.removeContact(id).then(
      () => false,
      () => true,
    );
    const again = await clientOver(storage, "Alice");
    const removed = again.contacts().length === 0;
    const kept = (await placeOf()).filter((place) => before.includes(place));
    if (removed) expect([writes, kept]).toEqual([writes, []]);
    if (!died) {
      expect([removed, writes > 3]).toEqual([true, true]);
      return;
    }
  }
});
