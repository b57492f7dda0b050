import { VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import { ChoicePause } from "./choice-pause.ts";

it("has an hour without a supernode cost some seventy looks, and begins anew once one is found", async () => {
  const clock = new VirtualClock();
  const pause = new ChoicePause(clock, () => 0.5);
  let looks = 0;
  for (const endsAt = clock.now() + 3_600_000; clock.now() < endsAt; looks++) {
    pause.failed();
    await clock.advance(pause.leftMs);
  }
  expect(looks).toBeGreaterThan(60);
  expect(looks).toBeLessThan(90);

  pause.end();
  expect(pause.leftMs).toBe(0);
  pause.failed();
  expect(pause.leftMs).toBe(1_500);
});

it("does not have everybody look at the same time", () => {
  const leftMs = (unit: number) => {
    const pause = new ChoicePause(new VirtualClock(), () => unit);
    for (let i = 0; i < 4; i++) pause.failed();
    return pause.leftMs;
  };
  expect(leftMs(0)).toBe(8_000);
  expect(leftMs(0.999)).toBeGreaterThan(15_900);
});
