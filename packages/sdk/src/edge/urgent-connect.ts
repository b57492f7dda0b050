import type { Clock } from "@earshot/core";
import type { Connection } from "../api.ts";

/** A try that is older may have been lost with the network that has just come back: another one begins beside it. */
export const NEXT_TRY_MS = 1_000;
/** So that a try has three seconds: a TLS handshake over a satellite takes as long. */
const TRIES_AT_ONCE = 3;
/** Then the usual back-off has its turn. */
const MAX_TRIES = 10;

/**
 * Connects, and while that takes its time begins anew again and again: the first to be there wins, the others are given up.
 * Rejects with what the last one failed with once all have. `signal` ends it.
 */
export function connectUrgently(
  clock: Clock,
  connect: (signal: AbortSignal) => Promise<Connection>,
  signal: AbortSignal,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const tries: AbortController[] = [];
    let count = 0;
    let isOver = false;
    let cancel = () => {};
    const end = (settle: () => void) => {
      if (isOver) return;
      isOver = true;
      cancel();
      for (const one of tries) one.abort();
      settle();
    };
    const next = () => {
      if (++count < MAX_TRIES) cancel = clock.setTimer(NEXT_TRY_MS, next);
      if (tries.length >= TRIES_AT_ONCE) tries.shift()?.abort();
      const one = new AbortController();
      tries.push(one);
      const remove = () => tries.includes(one) && tries.splice(tries.indexOf(one), 1);
      connect(one.signal).then(
        (connection) => {
          remove();
          if (isOver || one.signal.aborted) return connection.close();
          end(() => resolve(connection));
        },
        (error: unknown) => {
          remove();
          if (tries.length === 0) end(() => reject(error instanceof Error ? error : new Error(String(error))));
        },
      );
    };
    signal.addEventListener("abort", () => end(() => reject(new Error("given up"))), { once: true });
    next();
  });
}
