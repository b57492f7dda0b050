/** People whose clocks are wrong: forgiven up to five minutes, and told beyond that. */
import { CLOCK_SKEW_MS } from "@earshot/core";
import { type RunningNode, startNode } from "@earshot/node";
import { type Clock, systemClock } from "@earshot/sdk";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, cleanUp, endOf, makePerson, nextRing, temporaryFolder, until } from "./sdk-people.ts";

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterEach(cleanUp);
afterAll(() => node.stop());

function clockAhead(aheadMs: number): Clock {
  return { now: () => systemClock.now() + aheadMs, setTimer: systemClock.setTimer };
}

/** Room for the seconds that a test takes. */
const NEARLY_MS = CLOCK_SKEW_MS - 10_000;

it.each([NEARLY_MS, -NEARLY_MS])("a clock that is %i ms ahead: rings both ways", async (aheadMs) => {
  const alice = await makePerson("Alice", node.url);
  const bob = await makePerson("Bob", node.url, { clock: clockAhead(aheadMs) });
  await befriend(alice, bob);
  for (const [caller, callee] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const ring = nextRing(callee);
    const call = await caller.client.call(callee.client.id);
    const incoming = await ring;
    expect(incoming.callId).toBe(call.callId);
    await call.hangUp();
    await Promise.all([endOf(call), endOf(incoming)]);
  }
  expect([alice.client.status.problem, bob.client.status.problem]).toEqual([undefined, undefined]);
});

it.each([2 * CLOCK_SKEW_MS, -400 * 86_400_000])("a clock that is %i ms ahead: is told to be wrong", async (aheadMs) => {
  const bob = await makePerson("Bob", node.url, { clock: clockAhead(aheadMs), start: false });
  void bob.client.start();
  await until(bob.client, "status", () => bob.client.status.problem === "clock-wrong");
});
