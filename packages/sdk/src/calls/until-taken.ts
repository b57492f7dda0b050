import type { Clock } from "@earshot/core";
import { codeOf } from "../errors.ts";

/**
 * A device whose homes have all gone has others within some ten seconds (core's homes policy), and is found there soon after; where the
 * supernodes that it publishes through and is looked up through have gone as well, others have to take their place. Shorter than it rings.
 */
export const PATIENCE_MS = 50_000;
const RETRY_MS = 1_500;
/** What does not pass: whoever is called has to do something about it, or the caller. */
const FINAL: readonly string[] = [
  "not-a-contact",
  "bad-bundle",
  // All its homes are there and have said no, after a look-up that found no others.
  "bad-frame",
  "bad-key",
  "not-allowed",
  "open-failed",
  "token-unknown",
  "too-large",
  "unknown-hop-key",
  "unknown-mailbox",
  "unknown-version",
];

/** Sends until somebody takes it, for a while, or `isOver`. Rejects with what the last try failed with. */
export async function untilTaken<T>(clock: Clock, send: () => Promise<T>, isOver: () => boolean): Promise<T> {
  const until = clock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (FINAL.includes(codeOf(error)) || clock.now() + RETRY_MS > until) throw error;
      await new Promise<void>((resolve) => void clock.setTimer(RETRY_MS, resolve));
      if (isOver()) throw error;
    }
  }
}
