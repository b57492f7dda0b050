/** Token buckets by address prefix, and one for all together: memory only, bounded, the least recently used forgotten first. */
import { type Rate, TokenBucket } from "@earshot/core";
import { prefixOf } from "../prefix.ts";
import { BoundedMap } from "../store/bounded-map.ts";

/** Prefixes whose rate is remembered. */
const MAX_PREFIXES = 10_000;

export class AddressBuckets {
  readonly #perPrefix: Rate;
  readonly #all: TokenBucket;
  readonly #prefixes = new BoundedMap<TokenBucket>(MAX_PREFIXES);

  constructor(perPrefix: Rate, all: Rate, now: number) {
    this.#perPrefix = perPrefix;
    this.#all = new TokenBucket(all, now);
  }

  /** Takes `cost` of both if both have it, and gives 0; else takes nothing and gives the milliseconds to wait. */
  take(host: string, now: number, cost = 1): number {
    const prefix = prefixOf(host);
    let bucket = this.#prefixes.get(prefix);
    if (!bucket) this.#prefixes.set(prefix, (bucket = new TokenBucket(this.#perPrefix, now)));
    const waitMs = Math.max(bucket.waitMs(now, cost), this.#all.waitMs(now, cost));
    if (waitMs > 0) return waitMs;
    bucket.tryTake(now, cost);
    this.#all.tryTake(now, cost);
    return 0;
  }
}
