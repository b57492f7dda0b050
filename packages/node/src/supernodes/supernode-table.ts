/**
 * The supernodes that this node knows: those alone that have proved to be such, by answering under their key with a fresh
 * descriptor. Bounded, and spread: one per address, two per neighbourhood. Who stops answering leaves.
 */
import {
  addressGroup,
  DESCRIPTOR_LIFETIME_MS,
  parseDhtAddress,
  pickSpread,
  type RandomSource,
  type SpreadCandidate,
  SpreadGroups,
  type SpreadLimits,
  type SupernodeDescriptor,
  type SupernodeRef,
  toHex,
} from "@earshot/core";

export const MAX_SUPERNODES_KNOWN = 512;
/** Dials that failed in a row. */
export const MAX_FAILURES = 3;

export interface SupernodeEntry {
  readonly descriptor: SupernodeDescriptor;
  /** As it was signed. */
  readonly bytes: Uint8Array;
  /** Unix ms, of the latest proof. */
  readonly verifiedAt: number;
  /** Since then. */
  readonly failures: number;
  readonly roundTripMs: number;
  /** Where it was really found, where that is known. */
  readonly observedHost: string | undefined;
}

export interface DhtPlace {
  readonly host: string;
  readonly port: number;
}

/** What a dial has proved. */
export interface Proof {
  readonly descriptor: SupernodeDescriptor;
  readonly bytes: Uint8Array;
  readonly roundTripMs: number;
  readonly observedHost?: string | undefined;
}

export class SupernodeTable {
  /** By key; the one whose proof is oldest first. */
  readonly #entries = new Map<string, SupernodeEntry>();
  /** Where they were really found, and how many at each: more than one in private networks only. */
  readonly #hosts = new Map<string, number>();
  readonly #groups: SpreadGroups;
  readonly #limits: SpreadLimits;
  readonly #ownKey: string;
  readonly #max: number;
  #proven: readonly DhtPlace[] | undefined;

  constructor(options: { ownKey: Uint8Array; limits: SpreadLimits; max?: number }) {
    this.#ownKey = toHex(options.ownKey);
    this.#limits = options.limits;
    this.#groups = new SpreadGroups(options.limits);
    this.#max = options.max ?? MAX_SUPERNODES_KNOWN;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes in or renews. False where there is no place: too many like it, or too many. */
  add(proof: Proof, now: number): boolean {
    const name = toHex(proof.descriptor.supernodeKey);
    if (name === this.#ownKey || isExpired(proof.descriptor, now)) return false;
    const known = this.#entries.get(name);
    const { descriptor, bytes, roundTripMs } = proof;
    const observedHost = proof.observedHost ?? known?.observedHost;
    const entry = { descriptor, bytes, roundTripMs, observedHost, verifiedAt: now, failures: 0 };
    // Its addresses may have changed.
    if (known) this.#remove(name, known);
    if (this.#entries.size >= this.#max || !this.#groups.fits(candidateOf(entry))) return false;
    this.#entries.set(name, entry);
    this.#groups.add(candidateOf(entry));
    this.#countHost(observedHost, 1);
    this.#proven = undefined;
    return true;
  }

  /** A dial to it failed. True where it has left for that. */
  failed(supernodeKey: Uint8Array): boolean {
    const name = toHex(supernodeKey);
    const known = this.#entries.get(name);
    if (!known) return false;
    const failures = known.failures + 1;
    if (failures >= MAX_FAILURES) this.#remove(name, known);
    else this.#entries.set(name, { ...known, failures });
    this.#proven = undefined;
    return failures >= MAX_FAILURES;
  }

  get(supernodeKey: Uint8Array): SupernodeEntry | undefined {
    return this.#entries.get(toHex(supernodeKey));
  }

  has(supernodeKey: Uint8Array): boolean {
    return this.#entries.has(toHex(supernodeKey));
  }

  /** Whether one was really found at that IP address. */
  isAt(host: string): boolean {
    return this.#hosts.has(addressGroup(host).address);
  }

  /**
   * The HyperDHT nodes of those whose latest dial went well, where they are at the address at which it found them: what
   * somebody says of another address counts for nothing. The same array until something changes.
   */
  provenDht(): readonly DhtPlace[] {
    this.#proven ??= this.entries().flatMap((entry) => (entry.failures === 0 ? provenDhtOf(entry) : []));
    return this.#proven;
  }

  isOwn(supernodeKey: Uint8Array): boolean {
    return toHex(supernodeKey) === this.#ownKey;
  }

  /** Where it says itself that it is. */
  refOf(supernodeKey: Uint8Array): SupernodeRef | undefined {
    const known = this.get(supernodeKey);
    return known && refOf(known);
  }

  /** Those whose proof is oldest first. */
  entries(): SupernodeEntry[] {
    return [...this.#entries.values()];
  }

  /** To tell others: as many, spread, the newest proofs first, or any where `random` is given. */
  descriptors(most: number, random?: RandomSource): Uint8Array[] {
    const newestFirst = this.entries().toReversed();
    // Those that could not be reached last come last.
    newestFirst.sort((a, b) => a.failures - b.failures);
    const candidates = newestFirst.map((entry) => ({ ...candidateOf(entry), bytes: entry.bytes }));
    const options = { limits: this.#limits, ...(random === undefined ? {} : { random }) };
    return pickSpread(candidates, most, options).map(({ bytes }) => bytes);
  }

  /** Those to be asked again: proved before `before`, the longest ago first. */
  due(before: number, most: number): SupernodeEntry[] {
    return this.entries()
      .filter(({ verifiedAt, failures }) => verifiedAt < before || failures > 0)
      .slice(0, most);
  }

  /** Lets those go whose descriptor has run out. Gives their number. */
  sweep(now: number): number {
    let left = 0;
    for (const [name, entry] of this.#entries) {
      if (!isExpired(entry.descriptor, now)) continue;
      this.#remove(name, entry);
      left++;
    }
    return left;
  }

  #remove(name: string, entry: SupernodeEntry): void {
    this.#entries.delete(name);
    this.#groups.remove(candidateOf(entry));
    this.#countHost(entry.observedHost, -1);
    this.#proven = undefined;
  }

  #countHost(host: string | undefined, by: 1 | -1): void {
    if (host === undefined) return;
    const { address } = addressGroup(host);
    const count = (this.#hosts.get(address) ?? 0) + by;
    if (count > 0) this.#hosts.set(address, count);
    else this.#hosts.delete(address);
  }
}

export function refOf({ descriptor }: Pick<SupernodeEntry, "descriptor">): SupernodeRef {
  const { supernodeKey, dht, url } = descriptor;
  return { supernodeKey, dht, url };
}

function provenDhtOf({ descriptor, observedHost }: SupernodeEntry): DhtPlace[] {
  const dht = parseDhtAddress(descriptor.dht);
  if (!dht.ok || observedHost === undefined) return [];
  return addressGroup(dht.value.host).address === addressGroup(observedHost).address ? [dht.value] : [];
}

function isExpired({ issuedAt }: SupernodeDescriptor, now: number): boolean {
  return now - issuedAt >= DESCRIPTOR_LIFETIME_MS;
}

function candidateOf({ descriptor, observedHost }: SupernodeEntry): SpreadCandidate {
  const { supernodeKey, dht, url, operator } = descriptor;
  return { supernodeKey, dht, url, operator, ...(observedHost === undefined ? {} : { observedHost }) };
}
