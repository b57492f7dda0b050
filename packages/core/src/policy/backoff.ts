/** When to try again: exponential with jitter, so that a network's worth of clients does not come back in one instant. */

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

export const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 500, maxMs: 60_000 };

/** No server may keep a client away longer than this, whatever it says. */
export const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Milliseconds to wait before try number `attempt` (0 is the first retry). `unit` is a random number in [0, 1).
 * Without `retryAfterMs`: between half and all of `min(maxMs, baseMs · 2^attempt)`. With it: never earlier than it asks,
 * and spread over as long again, because everyone turned away at once was told the same number.
 */
export function backoffDelayMs(
  attempt: number,
  unit: number,
  retryAfterMs = 0,
  options: BackoffOptions = DEFAULT_BACKOFF,
): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30));
  const exponential = ceiling / 2 + (unit * ceiling) / 2;
  if (retryAfterMs <= 0) return Math.round(exponential);
  const asked = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  return Math.round(Math.max(asked + unit * asked, exponential));
}

/**
 * Milliseconds that a Retry-After header asks for, at most {@link MAX_RETRY_AFTER_MS}; 0 where it asks for none (RFC 9110
 * section 10.2.3; a date is not taken, since clocks differ).
 */
export function retryAfterMsOf(header: string | undefined): number {
  const text = header ?? "";
  return /^\d{1,6}$/.test(text) ? Math.min(Number(text) * 1_000, MAX_RETRY_AFTER_MS) : 0;
}

/** A number in [0, 1) from 4 random bytes. */
export function unitFromBytes(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0) / 2 ** 32;
}
