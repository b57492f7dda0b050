import { type Clock, CLOCK_SKEW_MS } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { ClockCheck } from "./clock-check.ts";

/** Time passes in `time`; the person may set the clock by `aheadMs`. */
let time: VirtualClock;
let aheadMs: number;
let told: string[];
let check: ClockCheck;
beforeEach(() => {
  time = new VirtualClock();
  aheadMs = 0;
  told = [];
  const clock: Clock = { now: () => time.now() + aheadMs, setTimer: (ms, fire) => time.setTimer(ms, fire) };
  check = new ClockCheck(clock, {
    onChange: () => told.push(check.wrong ? "wrong" : "right"),
    onJump: () => told.push("jump"),
  });
});

it("corrects a clock by what the supernode says, up to what is allowed, and beyond that calls it wrong", () => {
  for (const [ahead, correction, wrong] of [
    [61_000, -61_000, false],
    [-CLOCK_SKEW_MS, CLOCK_SKEW_MS, false],
    [CLOCK_SKEW_MS + 1, -CLOCK_SKEW_MS, true],
    [-365 * 86_400_000, CLOCK_SKEW_MS, true],
    [0, 0, false],
  ] as const) {
    aheadMs = ahead;
    check.note(time.now());
    expect([check.correctionMs, check.wrong]).toEqual([correction, wrong]);
  }
  expect(told).toEqual(["wrong", "right"]);
});

it("notices a clock that is set while connected, once, and is quiet while time just passes", async () => {
  check.note(time.now());
  await time.advance(600_000);
  expect(told).toEqual([]);
  aheadMs = -3_600_000;
  await time.advance(180_000);
  expect(told).toEqual(["jump"]);
  check.note(time.now());
  expect(told).toEqual(["jump", "wrong"]);
  check.stop();
  expect(time.pending).toBe(0);
});
