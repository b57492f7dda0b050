import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

test("never lets more than the burst plus the rate through, whatever the order of asking", () => {
  const asks = fc.array(fc.record({ afterMs: fc.nat(5_000), cost: fc.integer({ min: 1, max: 40 }) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(asks, (list) => {
      const bucket = new TokenBucket({ perSecond: 10, burst: 50 }, 0);
      let now = 0;
      let taken = 0;
      for (const ask of list) {
        now += ask.afterMs;
        if (bucket.tryTake(now, ask.cost)) taken += ask.cost;
        expect(taken).toBeLessThanOrEqual(50 + (now / 1000) * 10 + 1e-6);
      }
    }),
  );
});

test("says how long to wait, and that is enough", () => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 4 }, 0);
  expect(bucket.tryTake(0, 4)).toBe(true);
  expect(bucket.tryTake(0)).toBe(false);
  const wait = bucket.waitMs(0, 3);
  expect(wait).toBe(1_500);
  expect(bucket.tryTake(wait, 3)).toBe(true);
  expect(bucket.waitMs(wait, 5)).toBe(Number.POSITIVE_INFINITY);
});

test("a clock set back takes nothing away", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 10_000);
  expect(bucket.tryTake(5_000, 2)).toBe(true);
  expect(bucket.tryTake(6_000)).toBe(true);
  expect(bucket.isFull(6_000)).toBe(false);
});
