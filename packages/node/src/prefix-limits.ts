/** What one address prefix holds and how fast it comes. Memory only: no address is ever written to disk. */
import { type Rate, TokenBucket } from "@earshot/core";
import { isPrivateAddress, prefixOf } from "./prefix.ts";

/** Counted resources. */
export type Counted = "sockets" | "connections" | "mailboxes" | "records" | "bundles" | "storedBytes";

export interface PrefixUse {
  readonly counts: Record<Counted, number>;
  readonly handshakes: TokenBucket;
}

export class PrefixLimits {
  readonly #uses = new Map<string, PrefixUse>();
  readonly #handshakes: Rate;
  readonly #maxPrefixes: number;
  readonly #limitPrivate: boolean;

  constructor(options: { handshakes: Rate; maxPrefixes: number; limitPrivate: boolean }) {
    this.#handshakes = options.handshakes;
    this.#maxPrefixes = options.maxPrefixes;
    this.#limitPrivate = options.limitPrivate;
  }

  /**
   * The use of the prefix of `address`; undefined where it is not limited (loopback and private networks, unless told
   * otherwise). `"full"` where no further prefix can be remembered: the caller turns the newcomer away.
   */
  of(address: string, now: number): PrefixUse | undefined | "full" {
    const prefix = this.nameOf(address);
    if (prefix === undefined) return undefined;
    const known = this.#uses.get(prefix);
    if (known !== undefined) return known;
    if (this.#uses.size >= this.#maxPrefixes) this.forgetIdle(now);
    if (this.#uses.size >= this.#maxPrefixes) return "full";
    const use: PrefixUse = {
      counts: { sockets: 0, connections: 0, mailboxes: 0, records: 0, bundles: 0, storedBytes: 0 },
      handshakes: new TokenBucket(this.#handshakes, now),
    };
    this.#uses.set(prefix, use);
    return use;
  }

  /** The prefix that `address` counts under; undefined where it is not limited. */
  nameOf(address: string): string | undefined {
    return !this.#limitPrivate && isPrivateAddress(address) ? undefined : prefixOf(address);
  }

  /** Forgets prefixes that hold nothing and whose bucket is full again. */
  forgetIdle(now: number): void {
    for (const [prefix, use] of this.#uses) {
      const holds = Object.values(use.counts).some((count) => count > 0);
      if (!holds && use.handshakes.isFull(now)) this.#uses.delete(prefix);
    }
  }

  get size(): number {
    return this.#uses.size;
  }
}
