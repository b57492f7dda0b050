/**
 * Who is let in while many knock. In 2007 and 2010 Skype's network fell because clients that came back all at once took
 * the remaining supernodes down; here newcomers are turned away early and cheaply, with a time to come back at, and those
 * who are in stay served. Pure: time and measured lag are handed in.
 */
import { type Rate, TokenBucket } from "./token-bucket.ts";

/** Event-loop lag above which fewer newcomers are admitted, each second by half. */
export const ADMISSION_LATE_MS = 60;
/** What is left of the rate in the worst case: some always get in, or a busy supernode would never be reached again. */
export const ADMISSION_MIN_SHARE = 1 / 64;
export const ADMISSION_MIN_RETRY_MS = 1_000;
export const ADMISSION_MAX_RETRY_MS = 60_000;
/** How fast the memory of those turned away fades. */
const SHED_HALF_LIFE_MS = 5_000;

export type AdmissionDecision =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly retryAfterMs: number };

export class Admission {
  readonly #rate: Rate;
  readonly #bucket: TokenBucket;
  #share = 1;
  #shed = 0;
  #shedAt: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#bucket = new TokenBucket(rate, nowMs);
    this.#shedAt = nowMs;
  }

  /** The part of the full rate that is admitted at present. */
  get share(): number {
    return this.#share;
  }

  /** Told about once a second how late the event loop was. Halves quickly, recovers slowly. */
  observeLag(lagMs: number): void {
    this.#share =
      lagMs > ADMISSION_LATE_MS ? Math.max(ADMISSION_MIN_SHARE, this.#share / 2) : Math.min(1, this.#share + 1 / 16);
  }

  /** Decides on one newcomer. `full`: there is no place at all. */
  admit(nowMs: number, full: boolean): AdmissionDecision {
    // A smaller share makes each admission dearer, which is the same as a slower bucket. No dearer than the bucket holds.
    const cost = Math.min(1 / this.#share, Math.max(1, this.#rate.burst));
    if (!full && this.#bucket.tryTake(nowMs, cost)) return { admitted: true };
    return { admitted: false, retryAfterMs: this.#turnAway(nowMs) };
  }

  /** Asks everyone turned away lately to spread over the time that admitting them all would take. */
  #turnAway(nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - this.#shedAt);
    this.#shed = this.#shed * 0.5 ** (elapsedMs / SHED_HALF_LIFE_MS) + 1;
    this.#shedAt = nowMs;
    const seconds = this.#shed / (this.#rate.perSecond * this.#share);
    return Math.round(Math.min(ADMISSION_MAX_RETRY_MS, Math.max(ADMISSION_MIN_RETRY_MS, seconds * 1_000)));
  }
}
