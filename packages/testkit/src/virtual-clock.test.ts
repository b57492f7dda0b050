import { describe, expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

describe("VirtualClock", () => {
  it("fires in the order of times, then of setting, with promises settled in between", async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    clock.setTimer(20, () => log.push(`late@${clock.now()}`));
    clock.setTimer(10, () => void Promise.resolve().then(() => log.push(`promise@${clock.now()}`)));
    clock.setTimer(10, () => log.push(`second@${clock.now()}`));
    await clock.advance(15);
    expect(log).toEqual(["promise@10", "second@10"]);
    await clock.advance(15);
    expect(log).toEqual(["promise@10", "second@10", "late@20"]);
    expect(clock.now()).toBe(30);
  });

  it("does not fire what was cancelled", async () => {
    const clock = new VirtualClock(0);
    const cancel = clock.setTimer(5, () => {
      throw new Error("fired");
    });
    cancel();
    await clock.runAll();
    expect(clock.pending).toBe(0);
  });
});
