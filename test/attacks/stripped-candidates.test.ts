/**
 * Whoever forwards takes the addresses out of the set-up, so that the call must look for a path with a recorder in it: what the
 * published "Legal Intercept" patent describes.
 */
import { decodeId, fromHex, unwrap } from "@earshot/core";
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { nextRing, tone, until } from "../e2e/sdk-people.ts";
import { expectNoMedia, makeVictims, phaseReached, startAttackedNode, type Target, tearDown } from "./rig.ts";
import { StolenPrekeys } from "./stolen-prekeys.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

/** Drops what carries addresses to this person: the attacker has stolen prekeys, or nothing could tell it which those are. */
async function stripTo({ client, storage, path }: Target): Promise<{ readonly stripped: Promise<void> }> {
  const prekeys = await StolenPrekeys.from(storage, unwrap(decodeId(client.id)), unwrap(fromHex(client.deviceId)));
  let happened = () => {};
  const stripped = new Promise<void>((resolve) => {
    happened = resolve;
  });
  path.tamper = async (envelope) => {
    const { packet } = await prekeys.read(envelope);
    if (packet?.message.type !== "candidates") return [envelope];
    if (packet.message.candidates.length > 0) happened();
    return [];
  };
  return { stripped };
}

it("stripped one way: the call is direct all the same, and the gap is shown and repaired", async () => {
  const { alice, bob } = await makeVictims(node);
  const { stripped } = await stripTo(bob);
  const ring = nextRing(bob);
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(600) });
  await Promise.all([phaseReached(call, "active"), phaseReached(incoming, "active")]);
  await stripped;
  await until(incoming, "change", () => (incoming.path?.missingCandidates ?? 0) > 0);
  expect(incoming.path).toMatchObject({ kind: "direct", confirmed: true });
});

it("stripped both ways: there is no path, and none through anybody else", async () => {
  const { alice, bob } = await makeVictims(node);
  const both = [await stripTo(alice), await stripTo(bob)];
  const ring = nextRing(bob);
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(600) });
  await phaseReached(call, "connecting");
  await Promise.all(both.map(({ stripped }) => stripped));
  expectNoMedia(call, incoming);
  await call.hangUp();
});
