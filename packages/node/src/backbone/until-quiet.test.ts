import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { QUIET_MS, untilQuiet } from "./until-quiet.ts";

const DEADLINE_MS = 5_000;

/** When it ends, where answers come at these times, the work itself at `doneAt` or never. */
async function endsAt(answers: readonly number[], doneAt = Number.POSITIVE_INFINITY): Promise<number> {
  const clock = new VirtualClock();
  const start = clock.now();
  let endedAt: number | undefined;
  const ended = untilQuiet(clock, DEADLINE_MS, (heard) => {
    for (const at of answers) clock.setTimer(at, heard);
    return new Promise<void>((resolve) => {
      if (Number.isFinite(doneAt)) clock.setTimer(doneAt, resolve);
    });
  }).then(() => (endedAt = clock.now() - start));
  await clock.advance(DEADLINE_MS);
  await ended;
  return endedAt ?? Number.NaN;
}

test("ends with the work", async () => {
  expect(await endsAt([20, 100], 120)).toBe(120);
  expect(await endsAt([], 0)).toBeLessThanOrEqual(10);
});

test("waits for nobody who is silent after all others", async () => {
  expect(await endsAt([20, 100, 400])).toBe(400 + QUIET_MS);
  // One after the other, as long as they come.
  expect(await endsAt([20, 450, 900, 1_350])).toBe(1_350 + QUIET_MS);
});

test("gives those who are far away their time", async () => {
  expect(await endsAt([800, 2_300])).toBe(2_300 + 1_600);
});

test("ends at its deadline where nobody answers, or they never end", async () => {
  expect(await endsAt([])).toBe(DEADLINE_MS);
  expect(await endsAt(Array.from({ length: 20 }, (_, i) => i * 400))).toBe(DEADLINE_MS);
});

test("ends where the work fails", async () => {
  const clock = new VirtualClock();
  await untilQuiet(clock, DEADLINE_MS, () => Promise.reject(new Error("cut off")));
});
