import fc from "fast-check";
import { expect, test } from "vitest";
import { whoRests } from "./balance.ts";

const working = (connections: number) => ({ connections, resting: false });

test("who holds far more than the others rests until they have caught up", () => {
  expect(whoRests([working(1_000), working(200)], 17_500)).toEqual([true, false]);
  expect(whoRests([{ connections: 1_000, resting: true }, working(850)], 17_500)).toEqual(
    [true, false].map(() => false),
  );
  expect(whoRests([working(12), working(0)], 17_500)).toEqual([false, false]);
});

test("who is full rests while others have places; where all are full, all go on and turn newcomers away", () => {
  expect(whoRests([working(100), working(95)], 100)).toEqual([true, false]);
  expect(whoRests([working(100), working(100)], 100)).toEqual([false, false]);
});

test("never do all of them rest", () => {
  const load = fc.record({ connections: fc.nat({ max: 20_000 }), resting: fc.boolean() });
  fc.assert(
    fc.property(fc.array(load, { minLength: 1, maxLength: 64 }), fc.integer({ min: 1, max: 20_000 }), (loads, most) => {
      expect(whoRests(loads, most)).toContain(false);
    }),
  );
});
