import type { Clock, RandomSource } from "@earshot/core";

/** The real clock. Long delays are cut to what timers can hold (2^31 − 1 ms). */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), 0x7fffffff));
    return () => clearTimeout(timer);
  },
};

/** `crypto.getRandomValues` gives at most this much at once. */
const MAX_RANDOM_BYTES = 65_536;

/** The platform's cryptographic randomness: WebCrypto, which browsers and Node 20 both have. */
export const systemRandom: RandomSource = {
  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += MAX_RANDOM_BYTES) {
      globalThis.crypto.getRandomValues(bytes.subarray(at, at + MAX_RANDOM_BYTES));
    }
    return bytes;
  },
};
