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
  const direct = { relayed: false, directShouldHaveWorked: false };
  for (const name of ["a", "a", "b", "a"]) summing.onPath({ name, ...direct });
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
    relayed: 0,
    directShouldHaveWorked: false,
    shown: { good: 0, fair: 0, poor: 0, lost: 0 },
  });
});

it("remembers how long a relay carried it, and that a direct path went unused", () => {
  const summing = new CallSumming();
  const path = { name: "a", relayed: true, directShouldHaveWorked: false };
  const samples = seconds([21, {}]);
  const observe = (from: number, to: number) => {
    for (const sample of samples.slice(from, to)) summing.observe(sample, "good");
  };
  summing.onPath(path);
  observe(0, 11);
  expect(summing.summary(10)).toMatchObject({ relayed: 10, directShouldHaveWorked: false });
  summing.onPath({ ...path, directShouldHaveWorked: true });
  summing.onPath({ name: "b", relayed: false, directShouldHaveWorked: false });
  observe(11, 21);
  expect(summing.summary(20)).toMatchObject({ relayed: 10, directShouldHaveWorked: true, pathChanges: 1 });
});
