import type { Clock } from "@earshot/core";

/** Whoever is silent so long after the last one that was heard, or twice as long as the first took, may be dead. */
export const QUIET_MS = 500;

/**
 * Resolves once the work is done, `deadlineMs` are over, or, after at least one has been heard, nobody was for {@link QUIET_MS}.
 * `start` begins the work and calls what it is given at each that is heard.
 */
export function untilQuiet(
  clock: Clock,
  deadlineMs: number,
  start: (heard: () => void) => Promise<unknown>,
): Promise<void> {
  return new Promise((resolve) => {
    const startedAt = clock.now();
    let quietMs: number | undefined;
    let isOver = false;
    let cancelQuiet = () => {};
    const end = () => {
      isOver = true;
      cancelLate();
      cancelQuiet();
      resolve();
    };
    const cancelLate = clock.setTimer(deadlineMs, end);
    const heard = () => {
      if (isOver) return;
      // Where even the nearest are far, others are further.
      quietMs ??= Math.max(QUIET_MS, 2 * (clock.now() - startedAt));
      cancelQuiet();
      cancelQuiet = clock.setTimer(quietMs, end);
    };
    void start(heard)
      .catch(() => {})
      .then(end);
  });
}
