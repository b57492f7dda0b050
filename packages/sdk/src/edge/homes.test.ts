import { nobleBackend, toHex } from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { Stored } from "../state/stored.ts";
import { Homes, LEAVE_MS } from "./homes.ts";
import { placesCodec } from "./places-codec.ts";

const home = {
  url: "wss://far.example/edge",
  dht: "",
  supernodeKey: new Uint8Array(32).fill(1),
  hopKey: new Uint8Array(32),
};

it("stays at a home that the person moves back to while it is being left, over restarts too", async () => {
  const clock = new VirtualClock();
  const storage = memoryStorage();
  const seeds = { contactSeed: new Uint8Array(32).fill(2), requestSeed: new Uint8Array(32).fill(3), retiredSeeds: [] };
  const name = `places/${toHex(home.supernodeKey.subarray(0, 16))}`;
  await new Stored(storage, name, placesCodec).save({ home, own: false, leaving: false, ...seeds });
  const ports = {
    ...{ clock, storage, random: new SeededRandom(1), signatures: nobleBackend },
    transport: { connect: () => new Promise<never>(() => {}) },
    node: { url: "wss://near.example" },
    mailboxHandlers: () => ({
      onEnvelope: async () => {},
      tokensFor: () => [],
      onMoved: () => {},
      onProblem: () => {},
    }),
  };
  let changes = 0;
  const handlers = {
    onUp: () => {},
    onDown: () => {},
    onDeliveries: () => {},
    onPush: () => {},
    onProblem: () => {},
    onChange: () => changes++,
  };
  const homes = await Homes.load(ports, handlers);
  homes.start();
  const [slot] = homes.current;
  if (!slot) throw new Error("it was not loaded");
  // It said that it goes; what it said before is not to move it away again.
  slot.drainingAt = clock.now();
  await homes.leave(slot);
  expect([homes.current.length, homes.slots.length, changes]).toEqual([0, 1, 1]);

  expect(await homes.add(home, false)).toBe(slot);
  expect([homes.current, changes]).toEqual([[slot], 2]);
  expect(slot.drainingAt).toBeUndefined();
  await clock.advance(2 * LEAVE_MS);
  expect(homes.current).toEqual([slot]);
  homes.stop();
  expect((await Homes.load(ports, handlers)).current.map(({ key }) => key)).toEqual([slot.key]);
});
