/** The caller's own supernode alters what it is given to deliver, or delivers it twice. It cannot read for whom it is. */
import type { ClientFrame } from "@earshot/core";
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { tone } from "../e2e/sdk-people.ts";
import { expectCallWorks, makeVictims, startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

/** One bit flipped in each delivery. */
const flipAt = (at: number) => (frame: ClientFrame) =>
  frame.type === "deliver"
    ? { ...frame, sealedHop: Uint8Array.from(frame.sealedHop, (byte, i) => (i === at ? byte ^ 1 : byte)) }
    : frame;

it.each([
  ["the version", 0],
  ["the key it is sealed to", 1],
  ["the sender's key", 12],
  ["the nonce", 45],
  ["the mailbox", 60],
  ["the envelope", 300],
])("with a bit of %s flipped it reaches nobody, and the caller is told", async (_, at) => {
  const { alice, bob } = await makeVictims(node);
  alice.path.request = flipAt(at);
  await expect(alice.client.call(bob.client.id, { audio: tone(500) })).rejects.toMatchObject({
    code: "contact-unreachable",
  });
  expect(bob.rings).toEqual([]);
  alice.path.request = (frame) => frame;
  await expectCallWorks(alice, bob);
});
