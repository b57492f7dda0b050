import { expect, it } from "vitest";
import { CallSumming } from "./call-summary.ts";
import { seconds } from "./testing/link-cases.ts";

it("sums a call up: by packets, by what was heard, by what was shown", () => {
  const summing = new CallSumming();
  const samples = seconds([10, {}], [10, { missing: 50, concealed: 0.5, roundTripMs: 200, missingThere: 0.2 }]);
  samples.forEach((sample, i) => summing.observe(sample, i <= 10 ? "good" : "poor"));
  summing.pathless(49_000);
  // A device that slept between two looks did not talk: 5 s at most.
  for (const sample of seconds([1, {}])) summing.observe({ ...sample, atMs: 99_000 }, "good");
  for (const path of ["a", "a", "b", "a"]) summing.onPath(path);
  const summary = summing.summary(60);
  expect(summary).toMatchObject({ seconds: 60, pathChanges: 2 });
  expect(summary.concealed).toBeCloseTo(5 / 21);
  expect(summary.lostThere).toBeCloseTo(2 / 21);
  expect(summary.lost).toBeCloseTo(500 / 1_550);
  expect(summary.roundTripMs).toMatchObject({ most: 200 });
  expect(summary.shown).toEqual({ good: 10 + 5, fair: 0, poor: 9, lost: 30 });
});

it("says nothing of what was never measured", () => {
  expect(new CallSumming().summary(3)).toEqual({
    seconds: 3,
    pathChanges: 0,
    shown: { good: 0, fair: 0, poor: 0, lost: 0 },
  });
});
