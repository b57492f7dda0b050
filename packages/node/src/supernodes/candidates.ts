/**
 * Keys that are said to be supernodes', waiting to be asked. Whoever names a thousand of them makes us ask no more than two
 * a round of any neighbourhood, and those that failed only after a while.
 */
import { addressGroup, hostOfUrl, parseDhtAddress, type RandomSource, type SupernodeRef, toHex } from "@earshot/core";
import { BoundedMap } from "../store/bounded-map.ts";

export const MAX_CANDIDATES = 1_024;
const MAX_FAILED = 4_096;
/** Until it is asked again; doubles with each failure. */
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;

interface Failed {
  readonly count: number;
  readonly until: number;
}

export class Candidates {
  readonly #waiting = new Map<string, SupernodeRef>();
  readonly #failed = new BoundedMap<Failed>(MAX_FAILED);
  readonly #perNear: number;
  readonly #random: RandomSource;

  /** `perNear`: how many of one neighbourhood are taken at a time. */
  constructor(options: { perNear: number; random: RandomSource }) {
    this.#perNear = options.perNear;
    this.#random = options.random;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** The latest word on where it is counts; the one that waits longest makes room. */
  add(ref: SupernodeRef, now: number): void {
    const name = toHex(ref.supernodeKey);
    if ((this.#failed.get(name)?.until ?? 0) > now) return;
    this.#waiting.delete(name);
    this.#waiting.set(name, ref);
    if (this.#waiting.size <= MAX_CANDIDATES) return;
    const [oldest] = this.#waiting.keys();
    this.#waiting.delete(oldest as string);
  }

  /** Takes out as many at most, at random, so that nobody is kept waiting by those who are many. */
  take(most: number): SupernodeRef[] {
    const nears = new Map<string, number>();
    const taken: SupernodeRef[] = [];
    for (const [name, ref] of this.#shuffled()) {
      if (taken.length >= most) break;
      const near = nearOf(ref);
      const count = nears.get(near) ?? 0;
      if (count >= this.#perNear) continue;
      nears.set(near, count + 1);
      this.#waiting.delete(name);
      taken.push(ref);
    }
    return taken;
  }

  failed({ supernodeKey }: SupernodeRef, now: number): void {
    const name = toHex(supernodeKey);
    const count = (this.#failed.get(name)?.count ?? 0) + 1;
    this.#failed.set(name, { count, until: now + Math.min(FIRST_WAIT_MS * 2 ** (count - 1), LONGEST_WAIT_MS) });
  }

  succeeded({ supernodeKey }: SupernodeRef): void {
    this.#failed.delete(toHex(supernodeKey));
  }

  #shuffled(): [string, SupernodeRef][] {
    const all = [...this.#waiting];
    const keys = new Map(all.map(([name]) => [name, new DataView(this.#random.bytes(4).slice().buffer).getUint32(0)]));
    return all.sort(([a], [b]) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
  }
}

/** Those without an address share one. */
function nearOf({ dht, url }: SupernodeRef): string {
  const parsed = parseDhtAddress(dht);
  const host = parsed.ok ? parsed.value.host : hostOfUrl(url);
  return host === undefined ? "" : addressGroup(host).near;
}
