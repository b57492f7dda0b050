/** Whoever forwards keeps every envelope and gives it again: at once, after the call, and after the app was restarted. */
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { nextRing, tone } from "../e2e/sdk-people.ts";
import { expectCallWorks, makeTarget, makeVictims, phaseReached, refusal, startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

it("every envelope twice: the call is as if each had come once", async () => {
  const { alice, bob } = await makeVictims(node);
  for (const { path } of [alice, bob]) path.tamper = (envelope) => [envelope, envelope];
  await expectCallWorks(alice, bob);
  expect(bob.rings).toHaveLength(1);
  await refusal(bob, "replayed");
  await refusal(alice, "replayed");
});

it("a whole call played again later does not ring, nor does it end the next call", async () => {
  const { alice, bob } = await makeVictims(node);
  await expectCallWorks(alice, bob);
  const recorded = bob.path.seen.filter(({ lane }) => lane === "contact");
  const ring = nextRing(bob);
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(600) });
  await Promise.all([phaseReached(call, "active"), phaseReached(incoming, "active")]);
  for (const { envelope } of recorded) bob.path.inject(envelope);
  await refusal(bob, "replayed", recorded.length);
  expect(bob.rings).toHaveLength(2);
  expect([call.phase, incoming.phase]).toEqual(["active", "active"]);
});

it("nor after a restart, which forgets nothing", async () => {
  const { alice, bob } = await makeVictims(node);
  await expectCallWorks(alice, bob);
  const recorded = bob.path.seen;
  await bob.client.stop();
  const again = await makeTarget("Bob", node, { storage: bob.storage });
  for (const { envelope, lane } of recorded) again.path.inject(envelope, lane);
  await refusal(again, "replayed", recorded.length);
  expect(again.rings).toEqual([]);
  expect(again.client.requests()).toEqual([]);
  await expectCallWorks(alice, again);
});
