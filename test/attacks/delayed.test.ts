/** Whoever forwards holds envelopes back: to give them in another order, too late to be meant, or before their time. */
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { tone, until } from "../e2e/sdk-people.ts";
import {
  expectCallWorks,
  expectNoMedia,
  makeVictims,
  refusal,
  startAttackedNode,
  type Target,
  tearDown,
} from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Keeps what comes until there are `count`, then gives it in reverse. */
function reverse({ path }: Target, count: number): void {
  const held: Uint8Array[] = [];
  path.tamper = (envelope) => {
    held.push(envelope);
    return held.length < count ? [] : held.splice(0).reverse();
  };
}

/** Holds back the next call's first envelope, the invite. */
async function heldInvite(alice: Target, bob: Target): Promise<Uint8Array> {
  const invite = new Promise<Uint8Array>((resolve) => {
    bob.path.tamper = (envelope) => {
      resolve(envelope);
      return [];
    };
  });
  const call = await alice.client.call(bob.client.id, { audio: tone(500) });
  const envelope = await invite;
  await call.hangUp();
  expectNoMedia(call);
  return envelope;
}

describe("reordered", () => {
  it("both ways, the call comes about as it was meant", async () => {
    const { alice, bob } = await makeVictims(node);
    reverse(bob, 2);
    reverse(alice, 2);
    await expectCallWorks(alice, bob);
    expect(bob.rings).toHaveLength(1);
  });
});

describe("an invite held back", () => {
  it("for more than a minute is a missed call and does not ring", async () => {
    const { alice, bob } = await makeVictims(node);
    const invite = await heldInvite(alice, bob);
    const missed: unknown[] = [];
    bob.client.on("missed", (call) => void missed.push(call));
    bob.clock.aheadMs = 61_000;
    bob.path.inject(invite);
    await until(bob.client, "missed", () => missed.length > 0);
    expect(missed).toMatchObject([{ contactId: alice.client.id }]);
    expect(bob.rings).toEqual([]);
  });

  it("for longer than any mailbox keeps it is stale, and not even missed", async () => {
    const { alice, bob } = await makeVictims(node);
    const invite = await heldInvite(alice, bob);
    bob.clock.aheadMs = 7 * DAY_MS + 6 * MINUTE_MS;
    bob.path.inject(invite);
    await refusal(bob, "stale");
    expect(bob.rings).toEqual([]);
  });

  it("and given to a device whose clock was set back is from the future", async () => {
    const { alice, bob } = await makeVictims(node);
    const invite = await heldInvite(alice, bob);
    bob.clock.aheadMs = -6 * MINUTE_MS;
    bob.path.inject(invite);
    await refusal(bob, "from-future");
    expect(bob.rings).toEqual([]);
  });
});
