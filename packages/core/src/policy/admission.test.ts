import { expect, test } from "vitest";
import { ADMISSION_MAX_RETRY_MS, ADMISSION_MIN_SHARE, Admission } from "./admission.ts";

const rate = { perSecond: 100, burst: 100 };

function admittedOf(admission: Admission, count: number, from: number, overMs: number): number {
  let admitted = 0;
  for (let i = 0; i < count; i++) if (admission.admit(from + (i * overMs) / count, false).admitted) admitted++;
  return admitted;
}

test("a storm gets in at the rate and no faster", () => {
  const admission = new Admission(rate, 0);
  expect(admittedOf(admission, 50_000, 0, 10_000)).toBeLessThanOrEqual(100 + 1_000);
});

test("a late event loop lets fewer in, but never nobody, and recovers", () => {
  const admission = new Admission(rate, 0);
  for (let i = 0; i < 20; i++) admission.observeLag(500);
  expect(admission.share).toBe(ADMISSION_MIN_SHARE);
  expect(admittedOf(admission, 20_000, 0, 20_000)).toBeGreaterThan(10);
  expect(admittedOf(admission, 20_000, 20_000, 10_000)).toBeLessThan(30);
  for (let i = 0; i < 20; i++) admission.observeLag(5);
  expect(admission.share).toBe(1);
});

test("a small supernode, too, lets some in however late it is", () => {
  const admission = new Admission({ perSecond: 5, burst: 5 }, 0);
  for (let i = 0; i < 20; i++) admission.observeLag(500);
  expect(admittedOf(admission, 3_000, 0, 30_000)).toBeGreaterThanOrEqual(30);
});

test("the more are turned away, the later they are asked back, up to a bound", () => {
  const admission = new Admission(rate, 0);
  const waits: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const decision = admission.admit(0, false);
    if (!decision.admitted) waits.push(decision.retryAfterMs);
  }
  expect(waits[0]).toBe(1_000);
  expect(waits[999]).toBe(10_000);
  expect(waits.at(-1)).toBe(ADMISSION_MAX_RETRY_MS);
});

test("a full house admits nobody", () => {
  expect(new Admission(rate, 0).admit(0, true).admitted).toBe(false);
});
