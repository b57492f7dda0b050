import * as fc from "fast-check";
import { expect, test } from "vitest";
import { startPromotion, stepPromotion } from "./promotion.ts";
import { allowedMsLeft, type PromotionObservation } from "./promotion-observation.ts";
import { DEFAULT_PROMOTION, type PromotionParams } from "./promotion-params.ts";
import { HOUR, START } from "./testing/promotion-trace.ts";

/** Quick dwells, so that short runs visit every role. */
const QUICK: PromotionParams = {
  ...DEFAULT_PROMOTION,
  steadyAddressMs: 60_000,
  minUptimeMs: 60_000,
  newcomerUptimeMs: 120_000,
  fitDwellMs: 30_000,
  needDwellMs: 30_000,
  drawEveryMs: 30_000,
  firstDrawChance: 1,
  maxDrawChance: 1,
  growEveryMs: 60_000,
  holdMs: 30_000,
  maxHoldMs: 60_000,
  drainMs: 60_000,
  askedHoldMs: 60_000,
};

const limits = fc.record({
  maxClients: fc.nat(1_000),
  maxBytesPerSecond: fc.nat(1_000_000),
  maxStoreBytes: fc.nat(1_000_000_000),
  fromHour: fc.nat(24),
  toHour: fc.nat(24),
});

/** Mostly fit, so that it serves often; anything may be otherwise at any step. */
const often = <T>(usual: T, other: fc.Arbitrary<T>) => fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, other);
const generous = { maxClients: 300, maxBytesPerSecond: 1e6, maxStoreBytes: 1e9, fromHour: 0, toHour: 24 };

const step = fc.record({
  stepMs: often(30_000, fc.integer({ min: -HOUR, max: HOUR })),
  hour: often(12, fc.double({ min: 0, max: 23.99, noNaN: true })),
  given: often(true, fc.boolean()),
  limits: often(generous, limits),
  asked: often(false, fc.boolean()),
  reached: often(true, fc.boolean()),
  address: often("a", fc.constantFrom("", "b")),
  uplinkBytesPerSecond: often<number | null>(1e6, fc.oneof(fc.nat(2e6), fc.constant(null))),
  cpuShare: often(0.1, fc.double({ min: 0, max: 2, noNaN: true })),
  freeMemoryBytes: often(1e9, fc.nat(2e9)),
  turnedAway: often(0, fc.nat(1e6)),
  loopLagMs: often(1, fc.nat(1_000)),
  used: fc.double({ min: 0, max: 1.5, noNaN: true }),
  idleCores: often<number | null>(2, fc.constantFrom(0, null)),
  others: often(
    [{ clients: 10, maxClients: 10 }],
    fc.array(fc.record({ clients: fc.nat(9), maxClients: fc.nat(9_000) }), { maxLength: 30 }),
  ),
  unit: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

test("whatever happens: it serves only with consent, in the hours, within the limits; draining ends; all states stay sane", () => {
  let served = 0;
  const run = fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
    let state = startPromotion(START);
    let now = START;
    let askedAt = 0;
    for (const one of steps) {
      now += one.stepMs;
      if (one.asked) askedAt = now;
      const before = state;
      const seen: PromotionObservation = {
        ...one,
        now,
        consent: { given: one.given, givenAt: START, limits: one.limits },
        pinned: false,
        askedAt,
        startedAt: START,
        pastSessions: [],
        dialBacks: ["p", "q"].map((prefix) => ({ prefix, supernode: prefix, at: now, reached: one.reached })),
        addressSince: START,
        clients: Math.floor(one.used * before.maxClients),
      };
      const next = stepPromotion(before, seen, QUICK);
      state = next.state;
      expect(next.criteria.length).toBe(11);
      if (state.role !== "serving") expect(state.maxClients).toBe(0);
      if (state.role === "draining") expect(state.drainUntil - now).toBeLessThanOrEqual(QUICK.drainMs);
      if (state.role !== "serving") continue;
      served++;
      expect(one.given).toBe(true);
      expect(allowedMsLeft(one.hour, one.limits)).toBeGreaterThan(QUICK.drainMs);
      expect(state.maxClients).toBeGreaterThanOrEqual(1);
      expect(state.maxClients).toBeLessThanOrEqual(Math.min(one.limits.maxClients, QUICK.maxVolunteerClients));
      expect(state.maxClients * QUICK.bytesPerSecondPerClient).toBeLessThanOrEqual(one.limits.maxBytesPerSecond);
      expect(state.maxClients * QUICK.storeBytesPerClient).toBeLessThanOrEqual(one.limits.maxStoreBytes);
      const allowed = new Set(["measuring>serving", "off>serving", "serving>serving"]);
      expect(allowed.has(`${before.role}>${state.role}`)).toBe(true);
    }
  });
  fc.assert(run, { numRuns: 300 });
  expect(served).toBeGreaterThan(500);
});
