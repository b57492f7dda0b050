/** The numbers under which refusals travel in `error` frames. docs/protocol/edge.md section 4. */
import type { RefusalCode } from "../errors.ts";

/** Stable: numbers are never reused or changed, only added. */
export const EDGE_ERROR_NUMBERS = {
  "bad-frame": 1,
  "too-large": 2,
  "too-many": 3,
  "unknown-version": 4,
  "unknown-suite": 5,
  "unknown-type": 6,
  "bad-state": 7,
  "bad-key": 8,
  "bad-signature": 9,
  expired: 10,
  "not-yet-valid": 11,
  "rolled-back": 12,
  "bad-record": 13,
  "bad-bundle": 14,
  "open-failed": 15,
  replayed: 16,
  stale: 17,
  "from-future": 18,
  "unknown-hop-key": 19,
  "unknown-mailbox": 20,
  "token-unknown": 21,
  "work-insufficient": 22,
  "rate-limited": 23,
  "over-quota": 24,
  "server-busy": 25,
  "unknown-supernode": 26,
  "not-allowed": 27,
} as const satisfies Partial<Record<RefusalCode, number>>;

/** The refusals that an `error` frame can carry. */
export type EdgeErrorCode = keyof typeof EDGE_ERROR_NUMBERS;

const codeByNumber = new Map<number, EdgeErrorCode>(
  Object.entries(EDGE_ERROR_NUMBERS).map(([code, number]) => [number, code as EdgeErrorCode]),
);

/** The number of a refusal; one that has none of its own travels as `not-allowed`. */
export function edgeErrorNumber(code: RefusalCode): number {
  return (EDGE_ERROR_NUMBERS as Partial<Record<RefusalCode, number>>)[code] ?? EDGE_ERROR_NUMBERS["not-allowed"];
}

/** The refusal of a number. A number this version does not know (a newer supernode's) reads as `not-allowed`. */
export function edgeErrorCode(number: number): EdgeErrorCode {
  return codeByNumber.get(number) ?? "not-allowed";
}
