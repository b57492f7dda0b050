import { rmSync } from "node:fs";
import { join } from "node:path";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { PrefixLimits, type PrefixUse } from "../prefix-limits.ts";
import { DurableStore } from "../store/durable-store.ts";
import { StoreBudget } from "../store/store-budget.ts";
import { accepted } from "../testing/test-client.ts";
import { temporaryHome } from "../testing/test-node.ts";
import { Shelf } from "./shelf.ts";

const body = new Uint8Array(10);

let home: string;
let clock: VirtualClock;
let store: DurableStore;
let prefixes: PrefixLimits;

beforeEach(async () => {
  home = temporaryHome();
  clock = new VirtualClock();
  store = await DurableStore.open(join(home, "store"));
  const handshakes = DEFAULT_LIMITS.handshakesPerPrefix;
  prefixes = new PrefixLimits({ handshakes, maxPrefixes: 100, limitPrivate: false });
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true });
});

const createShelf = (max: number, maxPerPrefix: number) =>
  new Shelf({ store, budget: new StoreBudget(1e9) }, "records", { max, maxPerPrefix, lifetimeMs: 48 * 3_600_000 });
const prefix = (n: number) => prefixes.of(`198.51.${n}.1`, clock.now()) as PrefixUse;
const put = (shelf: Shelf, name: string, from?: PrefixUse) => accepted(shelf.put(name, body, from, clock.now()));
const has = (shelf: Shelf, name: string) => shelf.get(name, clock.now()) !== undefined;

test("whoever fills all places from many prefixes pushes out their own, not the others'", () => {
  const shelf = createShelf(100, 20);
  for (let i = 0; i < 10; i++) put(shelf, `friend ${i}`, prefix(i));
  for (let attacker = 10; attacker < 30; attacker++)
    for (let i = 0; i < 20; i++) put(shelf, `attacker ${attacker} ${i}`, prefix(attacker));
  expect(shelf.size).toBe(100);
  for (let i = 0; i < 10; i++) expect(has(shelf, `friend ${i}`)).toBe(true);
  // Of the largest holder, the oldest goes.
  expect(has(shelf, "attacker 29 19")).toBe(true);
  expect(has(shelf, "attacker 10 0")).toBe(false);
});

test("after a restart an entry is safe again once its owner has put it again", async () => {
  const before = createShelf(100, 20);
  for (let i = 0; i < 50; i++) put(before, `old ${String(i).padStart(2, "0")}`, prefix(i % 5));
  await store.committed();
  const shelf = createShelf(60, 20);
  await shelf.load();
  const owner = prefix(90);
  put(shelf, "old 00", owner);
  expect(owner.counts.records).toBe(1);
  for (let i = 0; i < 20; i++) put(shelf, `new ${i}`, prefix(91));
  expect(shelf.size).toBe(60);
  expect([has(shelf, "old 00"), has(shelf, "old 01"), has(shelf, "old 49")]).toEqual([true, false, true]);
});
