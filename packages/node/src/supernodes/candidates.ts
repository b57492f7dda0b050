/**
 * Keys that are said to be supernodes', waiting to be asked. Whoever names a thousand of them makes us ask no more than two
 * a round of any neighbourhood, those that failed only after a while, and those whom many name all the same.
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

interface Waiting {
  readonly ref: SupernodeRef;
  /** By how many. */
  readonly named: number;
}

export class Candidates {
  readonly #waiting = new Map<string, Waiting>();
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

  /**
   * The latest word on where it is counts, but that the DHT knows of no URLs does not make one forgotten. The one that waits
   * longest makes room.
   */
  add(ref: SupernodeRef, now: number, named = 1): void {
    const name = toHex(ref.supernodeKey);
    const known = this.#waiting.get(name);
    const latest = known && ref.url === "" ? { ...known.ref, dht: ref.dht || known.ref.dht } : ref;
    if ((this.#failed.get(placeOf(latest))?.until ?? 0) > now) return;
    this.#waiting.delete(name);
    this.#waiting.set(name, { ref: latest, named: Math.max(named, known?.named ?? 0) });
    if (this.#waiting.size <= MAX_CANDIDATES) return;
    const [oldest] = this.#waiting.keys();
    this.#waiting.delete(oldest as string);
  }

  /**
   * Takes out as many at most: half of them those whom most have named, so that nobody hides them behind others that they
   * made up; the rest at random, so that nobody is kept waiting by those who are many.
   */
  take(most: number): SupernodeRef[] {
    const shuffled = this.#shuffled();
    const byNamed = [...shuffled].sort(([, a], [, b]) => b.named - a.named);
    const nears = new Map<string, number>();
    return [
      ...this.#takeOf(byNamed, Math.ceil(most / 2), nears),
      ...this.#takeOf(shuffled, Math.floor(most / 2), nears),
    ];
  }

  failed(ref: SupernodeRef, now: number): void {
    const name = placeOf(ref);
    const count = (this.#failed.get(name)?.count ?? 0) + 1;
    this.#failed.set(name, { count, until: now + Math.min(FIRST_WAIT_MS * 2 ** (count - 1), LONGEST_WAIT_MS) });
  }

  succeeded(ref: SupernodeRef): void {
    this.#failed.delete(placeOf(ref));
  }

  #takeOf(some: readonly [string, Waiting][], most: number, nears: Map<string, number>): SupernodeRef[] {
    const taken: SupernodeRef[] = [];
    for (const [name, { ref }] of some) {
      if (taken.length >= most) break;
      const near = nearOf(ref);
      const count = nears.get(near) ?? 0;
      if (count >= this.#perNear || !this.#waiting.delete(name)) continue;
      nears.set(near, count + 1);
      taken.push(ref);
    }
    return taken;
  }

  #shuffled(): [string, Waiting][] {
    const all = [...this.#waiting];
    const keys = new Map(all.map(([name]) => [name, new DataView(this.#random.bytes(4).slice().buffer).getUint32(0)]));
    return all.sort(([a], [b]) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
  }
}

/** With its addresses: those that a liar makes up for an honest one say nothing of where it really is. */
function placeOf({ supernodeKey, dht, url }: SupernodeRef): string {
  return `${toHex(supernodeKey)} ${dht} ${url}`;
}

/** Those without an address share one. */
function nearOf({ dht, url }: SupernodeRef): string {
  const parsed = parseDhtAddress(dht);
  const host = parsed.ok ? parsed.value.host : hostOfUrl(url);
  return host === undefined ? "" : addressGroup(host).near;
}
