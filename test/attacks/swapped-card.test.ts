/** Whoever carried the cards put their own in both: each of the two has Mallory for the other. Only the words can tell. */
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, nextRing, tone, until } from "../e2e/sdk-people.ts";
import { makeTarget, phaseReached, startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

it("the two read different words to each other", async () => {
  const [alice, bob] = [await makeTarget("Alice", node), await makeTarget("Bob", node)];
  const [asBob, asAlice] = [await makeTarget("Bob", node), await makeTarget("Alice", node)];
  await befriend(alice, asBob);
  await befriend(asAlice, bob);

  const rings = [nextRing(asBob), nextRing(bob)];
  const atAlice = await alice.client.call(asBob.client.id, { audio: tone(500) });
  const onwards = await asAlice.client.call(bob.client.id, { audio: tone(600) });
  const [taken, atBob] = await Promise.all(rings);
  if (!taken || !atBob) throw new Error("nothing rang");
  await Promise.all([taken.answer({ audio: tone(700) }), atBob.answer({ audio: tone(800) })]);
  for (const call of [atAlice, taken, onwards, atBob]) {
    await phaseReached(call, "active");
    await until(call, "change", () => call.words !== undefined);
  }
  // Mallory hears both, and each leg is as it should be: its two ends have the same words, and the two legs have not.
  expect(taken.words).toEqual(atAlice.words);
  expect(atBob.words).toEqual(onwards.words);
  expect(atBob.words).not.toEqual(atAlice.words);
});
