/** True envelopes that come by a way, or speak in a call, that is not theirs. */
import { fromHex, unwrap } from "@earshot/core";
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, nextRing, tone } from "../e2e/sdk-people.ts";
import { ChosenRandom } from "./chosen-random.ts";
import { makeTarget, makeVictims, phaseReached, refusal, startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

it("an invite in the lane of strangers, which was paid for with work alone, does not ring", async () => {
  const { alice, bob } = await makeVictims(node);
  bob.path.tamper = (envelope) => {
    bob.path.inject(envelope, "request");
    return [];
  };
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  await refusal(bob, "not-allowed");
  expect(bob.rings).toEqual([]);
  await call.hangUp();
});

it("a contact who speaks in somebody else's call is not heard there", async () => {
  const { alice, bob } = await makeVictims(node);
  const random = new ChosenRandom();
  const carol = await makeTarget("Carol", node, { random });
  await befriend(bob, carol);
  const ring = nextRing(bob);
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(600) });
  await Promise.all([phaseReached(call, "active"), phaseReached(incoming, "active")]);

  random.choose(unwrap(fromHex(call.callId)));
  const carols = await carol.client.call(bob.client.id, { audio: tone(700) });
  await refusal(bob, "wrong-call");
  expect([call.phase, incoming.phase]).toEqual(["active", "active"]);
  expect(bob.rings).toHaveLength(1);
  await carols.hangUp();
});

it("a contact who was removed does not ring any more, whatever they kept", async () => {
  const { alice, bob } = await makeVictims(node);
  let kept: Uint8Array | undefined;
  const invited = new Promise<void>((resolve) => {
    bob.path.tamper = (envelope) => {
      kept ??= envelope;
      resolve();
      return [];
    };
  });
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  await invited;
  await call.hangUp();
  await bob.client.removeContact(alice.client.id);
  bob.path.inject(kept as Uint8Array);
  await refusal(bob, "unknown-sender");
  expect(bob.rings).toEqual([]);
});
