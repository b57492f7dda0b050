/** Whoever forwards has stolen both sides' prekeys and puts its own DTLS fingerprint into the set-up: the classic tap. */
import { decodeId, fromHex, type RefusalCode, unwrap } from "@earshot/core";
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { nextRing, tone } from "../e2e/sdk-people.ts";
import { Eavesdropper } from "./eavesdropper.ts";
import { expectNoMedia, makeVictims, phaseReached, refusal, startAttackedNode, type Target, tearDown } from "./rig.ts";
import { type Signing, StolenPrekeys } from "./stolen-prekeys.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

const stealFrom = ({ client, storage }: Target) =>
  StolenPrekeys.from(storage, unwrap(decodeId(client.id)), unwrap(fromHex(client.deviceId)));

const attacks: [string, Signing, RefusalCode][] = [
  ["under the caller's old signature", "kept", "bad-signature"],
  ["signed in the caller's name with the attacker's key", "own-key", "bad-signature"],
  ["as a device of the caller's that its account never certified", "own-device", "bad-signature"],
  ["in the attacker's own name", "own-account", "unknown-sender"],
];

/** Puts the tap between the two: Bob's invite names it, Bob's answer goes to it, and Alice hears nothing. */
async function tapBetween(alice: Target, bob: Target, signing: Signing): Promise<Eavesdropper> {
  const [ofAlice, ofBob] = [await stealFrom(alice), await stealFrom(bob)];
  if (signing === "stolen-key") await ofBob.takeSigningKey(alice.storage);
  const tap = new Eavesdropper();
  bob.path.tamper = async (envelope) => {
    const read = await ofBob.read(envelope);
    const { packet } = read;
    if (packet?.message.type === "candidates") return [];
    if (packet?.message.type !== "invite") return [envelope];
    const message = { ...packet.message, setup: await tap.setup };
    return [await ofBob.seal(read, { ...packet, message }, signing)];
  };
  alice.path.tamper = async (envelope) => {
    const { packet } = await ofAlice.read(envelope);
    if (packet) tap.hear(packet);
    return [];
  };
  return tap;
}

it.each(attacks)("a swapped fingerprint %s: no ring, and no key with the attacker", async (_, signing, code) => {
  const { alice, bob } = await makeVictims(node);
  const tap = await tapBetween(alice, bob, signing);
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  try {
    await refusal(bob, code);
    expect(bob.rings).toEqual([]);
    expectNoMedia(call);
    expect(tap.connected).toBe(false);
  } finally {
    await call.hangUp();
    tap.close();
  }
});

it("even with the caller's signing key stolen, a transport that does not confirm gets no sound", async () => {
  const { alice, bob } = await makeVictims(node);
  const tap = await tapBetween(alice, bob, "stolen-key");
  const ring = nextRing(bob);
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  try {
    const incoming = await ring;
    await incoming.answer({ audio: tone(600) });
    // What the attacks above must not reach: this shows that they would, if the signature did not stand in the way.
    await tap.standing;
    await phaseReached(incoming, "connecting");
    expect(tap.packetsOfSound()).toBe(0);
    expectNoMedia(call, incoming);
    await incoming.hangUp();
  } finally {
    await call.hangUp();
    tap.close();
  }
});
