/** Days and lifetimes of records. docs/protocol/README.md "Notation", records.md section 2. */
import { dayOf } from "../sealing/token.ts";

const DAY_MS = 86_400_000;
/** How long a holder keeps a record. */
export const RECORD_LIFETIME_MS = 2 * DAY_MS;
/** How far ahead an account key that is kept offline signs public records. */
export const PUBLIC_RECORD_AHEAD_DAYS = 35;

/** The days whose records a client keeps published. */
export function publishDays(now: number): [number, number] {
  return [dayOf(now), dayOf(now) + 1];
}

/** The days whose records a reader tries, likeliest first: clocks differ and publishers fall behind. */
export function lookupDays(now: number): [number, number, number] {
  return [dayOf(now), dayOf(now) - 1, dayOf(now) + 1];
}
