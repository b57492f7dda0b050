/** Days and lifetimes of records. docs/protocol/README.md "Notation", records.md section 2. */
import type { RandomSource } from "../ports.ts";
import { dayOf } from "../sealing/token.ts";
import { RECORD_COPIES } from "./sizes.ts";

const DAY_MS = 86_400_000;
/** How long a holder keeps a record. */
export const RECORD_LIFETIME_MS = 2 * DAY_MS;
/** How far ahead an account key that is kept offline signs public records. */
export const PUBLIC_RECORD_AHEAD_DAYS = 35;

/** The days whose records a client keeps published. */
export function publishDays(now: number): [number, number] {
  return [dayOf(now), dayOf(now) + 1];
}

/** One of the records to look for. */
export interface LookupSlot {
  readonly day: number;
  readonly copy: number;
}

/** What a reader asks for: the two of `first` through different scouts, and `rest` where neither was found. */
export interface LookupPlan {
  readonly first: readonly [LookupSlot, LookupSlot];
  readonly rest: readonly LookupSlot[];
}

/**
 * A writer puts copies 0 and 1 through one scout, 2 and 3 through another. So a reader tries one of each pair, chosen at
 * random: no copy's holders see all look-ups. Whoever then still has nothing tries what is left of today and its neighbours.
 */
export function lookupPlan(now: number, random: RandomSource): LookupPlan {
  const bits = random.bytes(1)[0] as number;
  const [today, ...neighbours] = lookupDays(now);
  const [one, other] = [bits & 1, (bits >> 1) & 1];
  const slot = (day: number, copy: number): LookupSlot => ({ day, copy });
  const rest = [slot(today, 1 - one), slot(today, 3 - other)];
  for (const day of neighbours) for (let copy = 0; copy < RECORD_COPIES; copy++) rest.push(slot(day, copy));
  return { first: [slot(today, one), slot(today, 2 + other)], rest };
}

/** The days whose records a reader tries, likeliest first: clocks differ and publishers fall behind. */
export function lookupDays(now: number): [number, number, number] {
  return [dayOf(now), dayOf(now) - 1, dayOf(now) + 1];
}
