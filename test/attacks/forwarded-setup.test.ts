/** A contact forwards your set-up as theirs: RFC 8844, an unknown key share. */
import { fromHex, type RefusalCode, unwrap } from "@earshot/core";
import type { RunningNode } from "@earshot/node";
import { type Call, memoryStorage } from "@earshot/sdk";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, endOf, makePerson, nextRing, tone } from "../e2e/sdk-people.ts";
import { ChosenRandom } from "./chosen-random.ts";
import { forwardingPeers } from "./forwarding-peer.ts";
import { counted, expectNoMedia, makeTarget, startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

const attacks: [string, boolean, RefusalCode][] = [
  ["in a call of its own", false, "wrong-call"],
  ["under the same call id", true, "confirm-mismatch"],
];

it.each(attacks)("a set-up forwarded %s: both notice before a sound is sent", async (_, sameCallId, code) => {
  const [alice, bob] = [await makeTarget("Alice", node), await makeTarget("Bob", node)];
  const [toAlice, toBob] = forwardingPeers();
  const random = new ChosenRandom();
  const mallory = await makePerson("Mallory", node.url, { peerConnection: toAlice, storage: memoryStorage() });
  const other = await makePerson("Mallory", node.url, { peerConnection: toBob, storage: memoryStorage(), random });
  await befriend(alice, mallory);
  await befriend(bob, other);

  // Alice calls Mallory, who answers with Bob's set-up; Mallory calls Bob with Alice's.
  const malloryRings = nextRing(mallory);
  const atAlice = await alice.client.call(mallory.client.id, { audio: tone(500) });
  await (await malloryRings).answer();
  const bobRings = nextRing(bob);
  if (sameCallId) random.choose(unwrap(fromHex(atAlice.callId)));
  await other.client.call(bob.client.id);
  const atBob = await bobRings;
  expect(atBob.peer.name).toBe("Mallory");
  await atBob.answer({ audio: tone(600) });

  const calls: Call[] = [atAlice, atBob];
  expect(await Promise.all(calls.map(endOf))).toEqual(["not-confirmed", "not-confirmed"]);
  expectNoMedia(...calls);
  expect(counted(alice, code) + counted(bob, code)).toBeGreaterThan(0);
});
