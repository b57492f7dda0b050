import type { ClockPort } from "./ports.ts";

/** Calls `fire` every `intervalMs` until the result is called. */
export function every(clock: ClockPort, intervalMs: number, fire: () => void): () => void {
  let cancel = clock.setTimer(intervalMs, function tick() {
    cancel = clock.setTimer(intervalMs, tick);
    fire();
  });
  return () => cancel();
}
