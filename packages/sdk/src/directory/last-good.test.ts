import { publicKeyOf, toHex } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { LastGoodRecords, MAX_LAST_GOOD } from "./last-good.ts";

const clock = new VirtualClock();
const seedOf = (n: number) => new Uint8Array(32).fill(n);
const homeOf = (n: number) => ({
  url: `wss://home-${n}.example/`,
  supernodeKey: publicKeyOf(seedOf(n)),
  hopKey: seedOf(n),
  dht: "",
});

it("remembers the newest of a bounded number of keys", async () => {
  const storage = memoryStorage();
  const lastGood = await LastGoodRecords.load(storage, clock, () => {});
  const places = [{ home: homeOf(1), mailboxId: new Uint8Array(16) }];
  const slot = { day: 1, copy: 0 };
  const signed = { publicKey: seedOf(1), seq: 1, signature: new Uint8Array(64), value: new Uint8Array(1_000) };
  const rest = { places, slot, signed };
  const keyOf = (n: number) => new Uint8Array(32).fill(n % 256).fill(n >> 8, 16);
  for (let n = 0; n < MAX_LAST_GOOD + 5; n++) await lastGood.note(keyOf(n), { updatedAt: 5, ...rest });
  expect((await storage.keys("last-good/")).length).toBe(MAX_LAST_GOOD);
  expect(await lastGood.of(keyOf(0))).toBeUndefined();
  await lastGood.note(keyOf(9), { updatedAt: 4, ...rest });
  expect((await lastGood.of(keyOf(9)))?.updatedAt).toBe(5);
  await lastGood.note(keyOf(9), { updatedAt: Number.MAX_SAFE_INTEGER, ...rest }); // a clock gone wild
  expect((await lastGood.of(keyOf(9)))?.updatedAt).toBeLessThan(clock.now() + 3 * 86_400_000);
  const [name] = await storage.keys("last-good/");
  await storage.set(name as string, Uint8Array.of(1));
  expect((await storage.keys("last-good/")).every((key) => !key.includes(toHex(keyOf(9))))).toBe(true);
});
