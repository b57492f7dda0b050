import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryHome } from "../testing/test-node.ts";
import { DurableStore } from "./durable-store.ts";

let home: string;
let store: DurableStore;
beforeEach(async () => {
  home = temporaryHome();
  store = await DurableStore.open(join(home, "store"));
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true });
});

const bytes = (n: number) => Uint8Array.of(n);
async function committedEntries(prefix = ""): Promise<[string, number | undefined][]> {
  const found: [string, number | undefined][] = [];
  for await (const [key, value] of store.entries(prefix)) found.push([key, value[0]]);
  return found;
}

test("what was put is read back at once, and is on disk once committed", async () => {
  store.put("a", bytes(1));
  expect(store.get("a")).toEqual(bytes(1));
  expect(await committedEntries()).toEqual([]);
  await store.committed();
  expect(await committedEntries()).toEqual([["a", 1]]);
});

test("committed covers what was put while an earlier batch was being written", async () => {
  for (let round = 0; round < 50; round++) {
    store.put(`key ${round}`, bytes(round));
    const first = store.committed();
    await Promise.race([first, Promise.resolve()]);
    store.put(`other ${round}`, bytes(round));
    await store.committed();
    expect((await committedEntries(`other ${round}`)).length).toBe(1);
    await first;
  }
});

test("a fresh entry that is deleted at once never reaches the disk; a known one is deleted there", async () => {
  store.put("old", bytes(1));
  await store.committed();
  store.put("new", bytes(2), true);
  store.delete("new");
  store.delete("old");
  expect([store.get("new"), store.get("old")]).toEqual([undefined, undefined]);
  await store.committed();
  expect(await committedEntries()).toEqual([]);
});

test("entries come by prefix, in order", async () => {
  for (const key of ["e/2/1", "e/10/1", "e/2/0", "f/1"]) store.put(key, bytes(1));
  await store.committed();
  expect((await committedEntries("e/2/")).map(([key]) => key)).toEqual(["e/2/0", "e/2/1"]);
});
