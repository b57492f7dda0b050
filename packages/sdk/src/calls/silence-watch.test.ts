import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AGAIN_MS, QUIET_MS, SilenceWatch, SPARSE_QUIET_MS } from "./silence-watch.ts";
import { linkReport } from "./testing/link-report-cases.ts";

/** So much later than it would be told, with two looks in between. */
const LOOKS_MS = 300;

let clock: VirtualClock;
let watch: SilenceWatch;
let packets: number;
let isSending: boolean;
let told: number;
let heard: number;
beforeEach(() => {
  clock = new VirtualClock();
  [packets, isSending, told, heard] = [0, true, 0, 0];
  watch = new SilenceWatch({
    clock,
    look: async () => linkReport({ packetsReceived: packets }),
    expectsVoice: () => isSending,
    onQuiet: () => void told++,
    onHeard: () => void heard++,
  });
  watch.start();
});
afterEach(() => {
  watch.stop();
  expect(clock.pending).toBe(0);
});

/** A packet comes every so many milliseconds. */
async function hear(ms: number, everyMs: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += everyMs) {
    packets += 1;
    await clock.advance(everyMs);
  }
}

it("tells within half a second and two looks that a voice has ceased, and again while it stays away", async () => {
  await hear(2_000, 20);
  expect(told).toBe(0);
  await clock.advance(QUIET_MS - 20);
  expect(told).toBe(0);
  await clock.advance(LOOKS_MS);
  expect(told).toBe(1);
  await clock.advance(AGAIN_MS + LOOKS_MS);
  expect(told).toBe(2);
  expect(heard).toBe(0);
  await hear(3_000, 20);
  expect([told, heard]).toEqual([2, 1]);
});

it("takes the pauses of a voice that saves data for pauses, and a long one for none", async () => {
  await hear(1_000, 20);
  await hear(8_000, 400);
  expect(told).toBe(0);
  await clock.advance(SPARSE_QUIET_MS + LOOKS_MS);
  expect(told).toBe(1);
});

it("says nothing where no voice has come yet, or where the other side says that it sends none", async () => {
  await clock.advance(5_000);
  await hear(1_000, 20);
  isSending = false;
  await clock.advance(5_000);
  isSending = true;
  await clock.advance(5_000);
  expect(told).toBe(0);
});

it("takes a packet that was long on its way for no voice", async () => {
  await hear(1_000, 20);
  await clock.advance(1_000);
  expect(told).toBe(1);
  await hear(20, 20);
  await clock.advance(1_000);
  expect([told, heard]).toEqual([1, 0]);
});

it("leaves a restart its time", async () => {
  await hear(1_000, 20);
  watch.restarted();
  await clock.advance(AGAIN_MS - 10);
  expect(told).toBe(0);
  await clock.advance(LOOKS_MS);
  expect(told).toBe(1);
});
