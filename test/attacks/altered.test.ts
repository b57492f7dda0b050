/** Whoever forwards alters, downgrades or drops what goes through their hands. */
import type { RefusalCode } from "@earshot/core";
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { tone } from "../e2e/sdk-people.ts";
import { untouched } from "./in-path.ts";
import { expectCallWorks, expectNoMedia, makeVictims, refusal, startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

const withByte = (at: number, change: (byte: number) => number) => (envelope: Uint8Array) => [
  Uint8Array.from(envelope, (byte, i) => (i === (at + envelope.length) % envelope.length ? change(byte) : byte)),
];

describe("every envelope to the callee", () => {
  const attacks: [string, (envelope: Uint8Array) => readonly Uint8Array[], RefusalCode][] = [
    ["with one bit flipped", withByte(200, (byte) => byte ^ 1), "open-failed"],
    ["with its last byte changed", withByte(-1, (byte) => byte ^ 0x80), "open-failed"],
    ["under another version", withByte(0, () => 0), "unknown-version"],
    ["under another suite", withByte(1, () => 2), "unknown-suite"],
    ["for another prekey", withByte(2, (byte) => byte ^ 1), "unknown-prekey"],
    ["with a key of small order", (envelope) => [envelope.slice().fill(0, 10, 42)], "bad-key"],
    ["cut short", (envelope) => [envelope.subarray(0, 500)], "bad-frame"],
  ];
  it.each(attacks)("%s: no ring, no media, and counted", async (_, tamper, code) => {
    const { alice, bob } = await makeVictims(node);
    bob.path.tamper = tamper;
    const call = await alice.client.call(bob.client.id, { audio: tone(500) });
    await refusal(bob, code);
    expect(bob.rings).toEqual([]);
    expectNoMedia(call);
    await call.hangUp();
    bob.path.tamper = untouched;
    await expectCallWorks(alice, bob);
  });

  it("dropped: prevented, and nothing more", async () => {
    const { alice, bob } = await makeVictims(node);
    const dropped = new Promise<void>((resolve) => {
      bob.path.tamper = () => {
        resolve();
        return [];
      };
    });
    const call = await alice.client.call(bob.client.id, { audio: tone(500) });
    await dropped;
    expect(bob.rings).toEqual([]);
    expectNoMedia(call);
    await call.hangUp();
  });
});

describe("every envelope back to the caller", () => {
  it("with one bit flipped: the call never comes about, and is counted", async () => {
    const { alice, bob } = await makeVictims(node);
    alice.path.tamper = withByte(300, (byte) => byte ^ 4);
    const call = await alice.client.call(bob.client.id, { audio: tone(500) });
    await refusal(alice, "open-failed");
    await bob.rings[0]?.answer({ audio: tone(600) });
    await refusal(alice, "open-failed", 2);
    expectNoMedia(call, ...bob.rings);
    await call.hangUp();
  });
});
