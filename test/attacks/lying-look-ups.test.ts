/** Whoever answers look-ups gives keys of its own for the contact that is asked for. */
import { type RefusalCode, type ServerFrame, toHex } from "@earshot/core";
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, tone } from "../e2e/sdk-people.ts";
import { InPath } from "./in-path.ts";
import { counted, expectCallWorks, makeTarget, makeVictims, startAttackedNode, type Target, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

/** Alice's app started anew, so that it must look Bob up, at a node that answers so. */
async function restartedWith(alice: Target, answer: InPath["answer"]): Promise<Target> {
  await alice.client.stop();
  const path = new InPath();
  path.answer = answer;
  return makeTarget("Alice", node, { storage: alice.storage, path });
}

async function expectUnreachable(alice: Target, bob: Target, code: RefusalCode): Promise<void> {
  await expect(alice.client.call(bob.client.id, { audio: tone(500) })).rejects.toMatchObject({
    code: "contact-unreachable",
  });
  expect(bob.rings).toEqual([]);
  expect(counted(alice, code)).toBeGreaterThan(0);
  alice.path.answer = (frame) => frame;
  await expectCallWorks(alice, bob);
}

/** What the node answered about Mallory when somebody looked her up. */
async function answersAbout(type: "record" | "bundle"): Promise<readonly ServerFrame[]> {
  const path = new InPath();
  const heard: ServerFrame[] = [];
  path.answer = (frame) => {
    if (frame.type === type) heard.push(frame);
    return frame;
  };
  const [victim, mallory] = [await makeTarget("Victim", node, { path }), await makeTarget("Mallory", node)];
  await befriend(victim, mallory);
  await expectCallWorks(victim, mallory);
  return heard;
}

const flipped = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => (i === 200 ? byte ^ 1 : byte));

it("altered prekeys: nothing is sealed to them", async () => {
  const { alice, bob } = await makeVictims(node);
  const again = await restartedWith(alice, (frame) =>
    frame.type === "bundle" && frame.bundle ? { ...frame, bundle: flipped(frame.bundle) } : frame,
  );
  await expectUnreachable(again, bob, "bad-bundle");
});

it("another person's prekeys, in order in themselves: nothing is sealed to them", async () => {
  const bundles = await answersAbout("bundle");
  const mallorys = bundles.findLast((frame) => frame.type === "bundle" && frame.bundle !== undefined);
  const { alice, bob } = await makeVictims(node);
  const again = await restartedWith(alice, (frame) =>
    frame.type === "bundle" && mallorys ? { ...mallorys, requestId: frame.requestId } : frame,
  );
  await expectUnreachable(again, bob, "bad-bundle");
});

it("an altered record: its mailboxes and keys are not used", async () => {
  const { alice, bob } = await makeVictims(node);
  const again = await restartedWith(alice, (frame) =>
    frame.type === "record" && frame.record
      ? { ...frame, record: { ...frame.record, value: flipped(frame.record.value) } }
      : frame,
  );
  await expectUnreachable(again, bob, "bad-signature");
});

it("another person's record, signed under that person's key: not used either", async () => {
  const records = await answersAbout("record");
  const mallorys = records.findLast((frame) => frame.type === "record" && frame.record !== undefined);
  const { alice, bob } = await makeVictims(node);
  const asked = new Set<string>();
  const again = await restartedWith(alice, (frame) => {
    if (frame.type !== "record" || !mallorys) return frame;
    if (frame.record) asked.add(toHex(frame.record.publicKey));
    return { ...mallorys, requestId: frame.requestId };
  });
  await expectUnreachable(again, bob, "bad-record");
  expect(asked.size).toBeGreaterThan(0);
});
