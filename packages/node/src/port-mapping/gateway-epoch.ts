/** Whether a gateway has lost its mappings, told by its own clock: RFC 6886 section 3.6, RFC 6887 section 8.5. */

/** What a gateway said last, and when. */
export interface EpochSeen {
  readonly epochSeconds: number;
  readonly atMs: number;
}

const SLACK_SECONDS = 2;
/** Clocks may run an eighth apart. */
const DRIFT = 7 / 8;

/** Its clock went back, or stood still: it was restarted in between. One that ran ahead says nothing. */
export function hasRestarted(before: EpochSeen | undefined, now: EpochSeen): boolean {
  if (before === undefined) return false;
  const elapsedSeconds = Math.max(0, now.atMs - before.atMs) / 1_000;
  return now.epochSeconds + SLACK_SECONDS < before.epochSeconds + elapsedSeconds * DRIFT;
}
