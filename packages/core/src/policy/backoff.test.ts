import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffDelayMs, DEFAULT_BACKOFF, MAX_RETRY_AFTER_MS, unitFromBytes } from "./backoff.ts";

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("waits grow to the ceiling and never pass it", () => {
  fc.assert(
    fc.property(fc.nat(100), unit, (attempt, u) => {
      const delay = backoffDelayMs(attempt, u);
      expect(delay).toBeGreaterThanOrEqual(DEFAULT_BACKOFF.baseMs / 2);
      expect(delay).toBeLessThanOrEqual(DEFAULT_BACKOFF.maxMs);
    }),
  );
  expect(backoffDelayMs(100, 0)).toBe(DEFAULT_BACKOFF.maxMs / 2);
});

test("nobody comes back before a supernode's retry-after, nor is kept away for good", () => {
  fc.assert(
    fc.property(fc.nat(20), unit, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (attempt, u, retryAfterMs) => {
      const delay = backoffDelayMs(attempt, u, retryAfterMs);
      expect(delay).toBeGreaterThanOrEqual(Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
      expect(delay).toBeLessThanOrEqual(2 * MAX_RETRY_AFTER_MS);
    }),
  );
});

test("a thousand clients turned away together come back spread over the time they were told", () => {
  const delays = Array.from({ length: 1_000 }, (_, i) => backoffDelayMs(0, i / 1_000, 10_000));
  expect(Math.min(...delays)).toBe(10_000);
  expect(delays.filter((delay) => delay < 11_000).length).toBeLessThanOrEqual(101);
});

test("random bytes become a number below one", () => {
  expect(unitFromBytes(Uint8Array.of(0, 0, 0, 0))).toBe(0);
  expect(unitFromBytes(Uint8Array.of(255, 255, 255, 255))).toBeLessThan(1);
});
