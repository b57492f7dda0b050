import { describe, expect, test } from "vitest";
import { AudioFeed, type FeedClock } from "./audio-feed.ts";
import { FRAME_SAMPLES } from "./frames.ts";

/** A clock whose timer is ticked by hand, as late as the test likes. */
function handClock() {
  let now = 0;
  const ticks = new Set<() => void>();
  const clock: FeedClock = {
    nowMs: () => now,
    every(_intervalMs, tick) {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
  };
  const advance = (ms: number) => {
    now += ms;
    for (const tick of ticks) tick();
  };
  return { clock, advance };
}

function feedOnHandClock() {
  const heard: number[] = [];
  const { clock, advance } = handClock();
  const feed = new AudioFeed({ onData: ({ samples }) => heard.push(samples[0] as number) }, clock);
  return { feed, heard, advance };
}

const frames = (...values: number[]) => values.map((value) => new Int16Array(FRAME_SAMPLES).fill(value));

describe("AudioFeed", () => {
  test("keeps the clock's pace over a minute of late and early ticks", () => {
    const { heard, advance } = feedOnHandClock();
    for (let ms = 0; ms < 60_000; ms += 43) for (const step of [3, 17, 23]) advance(step);
    expect(Math.abs(heard.length - 6000)).toBeLessThan(6);
  });

  test("plays what it was given, then silence", async () => {
    const { feed, heard, advance } = feedOnHandClock();
    const played = feed.play(frames(1, 2));
    advance(40);
    expect(heard).toEqual([1, 2, 0, 0]);
    expect(await played).toBe(true);
  });

  test("new sound takes the place of the old, which says so", async () => {
    const { feed, heard, advance } = feedOnHandClock();
    const first = feed.play(frames(1, 1, 1));
    advance(10);
    void feed.play(frames(2));
    advance(20);
    expect(heard).toEqual([1, 2, 0]);
    expect(await first).toBe(false);
  });

  test("a long stall is skipped instead of sent as a burst, and loses none of the sound", () => {
    const { feed, heard, advance } = feedOnHandClock();
    void feed.play(frames(...Array.from({ length: 30 }, (_, i) => i + 1)));
    advance(5000);
    expect(heard.length).toBe(10);
    advance(10);
    expect(heard.at(-1)).toBe(11);
  });

  test("after stop nothing more is sent and the player is told", async () => {
    const { feed, heard, advance } = feedOnHandClock();
    const played = feed.play(frames(1, 2, 3));
    advance(10);
    feed.stop();
    advance(100);
    expect(heard).toEqual([1]);
    expect(await played).toBe(false);
    expect(await feed.play(frames(4))).toBe(false);
  });
});
