/** A token bucket: `burst` at once, `perSecond` sustained. Time is handed in, so it needs no timer. */

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = nowMs;
  }

  /** Takes `cost` if it is there; otherwise takes nothing and gives false. */
  tryTake(nowMs: number, cost = 1): boolean {
    this.#refill(nowMs);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Gives back what was taken for something that did not happen. */
  giveBack(cost: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + cost);
  }

  /** Milliseconds until `cost` would be there; 0 if it is. A cost above the burst never is: Infinity. */
  waitMs(nowMs: number, cost = 1): number {
    this.#refill(nowMs);
    if (cost > this.#rate.burst) return Number.POSITIVE_INFINITY;
    const missing = cost - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing / this.#rate.perSecond) * 1000);
  }

  /** Full again: forgetting it changes nothing, which is how maps of buckets stay bounded. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= this.#rate.burst;
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#at;
    // A clock set back must not take tokens away.
    if (elapsedMs > 0)
      this.#tokens = Math.min(this.#rate.burst, this.#tokens + (elapsedMs / 1000) * this.#rate.perSecond);
    this.#at = nowMs;
  }
}
