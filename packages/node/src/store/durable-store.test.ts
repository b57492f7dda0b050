import { rmSync } from "node:fs";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
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

test("what a turn longer than the window has gathered can still be deleted by what came in meanwhile", async () => {
  const batch = vi.spyOn(ClassicLevel.prototype, "batch");
  const { port1, port2 } = new MessageChannel();
  const acknowledged = new Promise<void>((resolve) => {
    port1.once("message", () => resolve(store.delete("new")));
  });
  store.put("kept", bytes(1), true);
  store.put("new", bytes(2), true);
  const committed = store.committed();
  port2.postMessage("acknowledged");
  for (const from = performance.now(); performance.now() - from < 10; );
  await Promise.all([committed, acknowledged]);
  port1.close();
  const written = batch.mock.calls.flat(2) as unknown as { key: string }[];
  batch.mockRestore();
  expect(written.map(({ key }) => key)).toEqual(["kept"]);
});

test("entries come by prefix, in order", async () => {
  for (const key of ["e/2/1", "e/10/1", "e/2/0", "f/1"]) store.put(key, bytes(1));
  await store.committed();
  expect((await committedEntries("e/2/")).map(([key]) => key)).toEqual(["e/2/0", "e/2/1"]);
});
