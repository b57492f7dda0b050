/**
 * What this node answers, keeps and relays for strangers of the DHT: rates and quotas per address prefix. HyperDHT has none.
 * Sources of requests that change something are proven (a token went to them and back); those of others may be forged,
 * which is why there is a rate for all together too.
 */
import { type Rate, type RefusalCode, TokenBucket } from "@earshot/core";
import { prefixOf } from "../prefix.ts";
import { BoundedMap } from "../store/bounded-map.ts";
import { isPublicAddress } from "../supernodes/public-address.ts";
import type { BackboneLimits } from "./backbone-limits.ts";
import { PrefixQuota } from "./prefix-quota.ts";
import { SpreadCount } from "./spread-count.ts";

export interface DhtGuardOptions {
  readonly limits: BackboneLimits;
  /** Off in loopback and lab networks, where everybody has the same prefix. */
  readonly prefixLimits: boolean;
  /** Only a private network has nodes at other addresses. */
  readonly publicOnly: boolean;
  now(): number;
  /** Counts. */
  refused(code: RefusalCode): void;
}

export class DhtGuard {
  readonly options: DhtGuardOptions;
  readonly #requests: TokenBucket;
  readonly #prefixes: BoundedMap<TokenBucket>;
  readonly #handshakes: BoundedMap<TokenBucket>;
  readonly #records: PrefixQuota;
  readonly #announces: PrefixQuota;
  readonly #topics: PrefixQuota;
  #isSupernode: (host: string) => boolean = () => false;

  constructor(options: DhtGuardOptions) {
    const { limits } = options;
    this.options = options;
    this.#requests = new TokenBucket(limits.dhtRequests, options.now());
    this.#prefixes = new BoundedMap(limits.maxDhtPrefixes);
    this.#handshakes = new BoundedMap(limits.maxDhtPrefixes);
    // As many names as HyperDHT keeps in its two generations.
    const names = 2 * limits.maxDhtRecords;
    this.#records = new PrefixQuota({
      perPrefix: limits.maxDhtRecordsPerPrefix,
      names,
      lifetimeMs: limits.dhtRecordLifetimeMs,
    });
    const announced = { names, lifetimeMs: ANNOUNCE_LIFETIME_MS };
    this.#announces = new PrefixQuota({ ...announced, perPrefix: limits.maxAnnouncesPerPrefix });
    this.#topics = new PrefixQuota({ ...announced, perPrefix: limits.maxTopicAnnouncesPerPrefix });
  }

  /** Whether a request from there is looked at. */
  admits(host: string): boolean {
    const now = this.options.now();
    const { dhtRequestsPerPrefix } = this.options.limits;
    if (!this.#takes(this.#prefixes, dhtRequestsPerPrefix, host)) return this.#refuse("rate-limited");
    return this.#requests.tryTake(now) || this.#refuse("rate-limited");
  }

  /** Whether a handshake that was sent from there is looked at, whomever it is said to be of. */
  admitsHandshake(host: string): boolean {
    const { dhtHandshakesPerSender } = this.options.limits;
    return this.#takes(this.#handshakes, dhtHandshakesPerSender, host) || this.#refuse("rate-limited");
  }

  /** Whether a node there is known, asked, told of or relayed to. */
  allows(host: string): boolean {
    return !this.options.publicOnly || isPublicAddress(host);
  }

  /** Counts nodes taken into one table or one look-up; undefined where they are not limited. */
  spread(): SpreadCount | undefined {
    return this.options.prefixLimits ? new SpreadCount() : undefined;
  }

  /** Where supernodes have proved to be: they have a quota each, apart from their prefix's. */
  raiseQuotas(isSupernode: (host: string) => boolean): void {
    this.#isSupernode = isSupernode;
  }

  mayKeepRecord(name: string, host: string): boolean {
    const { prefixLimits, limits, now } = this.options;
    if (!prefixLimits) return true;
    const most = this.#isSupernode(host) ? limits.maxDhtRecordsPerSupernode : limits.maxDhtRecordsPerPrefix;
    return this.#records.hasRoom(name, this.#ownerAt(host), now(), most) || this.#refuse("over-quota");
  }
  keptRecord(name: string, host: string): void {
    if (this.options.prefixLimits) this.#records.take(name, this.#ownerAt(host), this.options.now());
  }

  /** `topic`: under a name that others share, where a prefix has a few places only, and no more of all topics together. */
  mayAnnounce(name: string, host: string, topic: string | undefined): boolean {
    if (!this.options.prefixLimits) return true;
    const now = this.options.now();
    const prefix = prefixOf(host);
    const has = topic === undefined || this.#topics.hasRoom(name, `${prefix} ${topic}`, now);
    return (has && this.#announces.hasRoom(name, prefix, now)) || this.#refuse("over-quota");
  }
  announced(name: string, host: string, topic: string | undefined): void {
    if (!this.options.prefixLimits) return;
    const now = this.options.now();
    this.#announces.take(name, prefixOf(host), now);
    if (topic !== undefined) this.#topics.take(name, `${prefixOf(host)} ${topic}`, now);
  }

  /** Whom a record from there counts for. */
  #ownerAt(host: string): string {
    return this.#isSupernode(host) ? `supernode ${host}` : prefixOf(host);
  }

  /** Always where prefixes are not limited. */
  #takes(buckets: BoundedMap<TokenBucket>, rate: Rate, host: string): boolean {
    if (!this.options.prefixLimits) return true;
    const now = this.options.now();
    const prefix = prefixOf(host);
    let bucket = buckets.get(prefix);
    if (!bucket) buckets.set(prefix, (bucket = new TokenBucket(rate, now)));
    return bucket.tryTake(now);
  }

  #refuse(code: RefusalCode): false {
    this.options.refused(code);
    return false;
  }
}

/** HyperDHT keeps announcements for 20 minutes on average, 27 at most. */
const ANNOUNCE_LIFETIME_MS = 27 * 60_000;
