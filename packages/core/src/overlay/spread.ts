/**
 * Keeps supernodes apart: many of one address or one neighbourhood are likely one person's, and fail together.
 * docs/protocol/backbone.md section 4.
 */
import { toHex } from "../bytes.ts";
import type { RandomSource } from "../ports.ts";
import { hostOfUrl, parseDhtAddress, type SupernodeRef } from "./addresses.ts";
import { parseIp } from "./ip-address.ts";

/** What counts as one address, and what as near it. Only to be compared. */
export interface AddressGroup {
  readonly address: string;
  readonly near: string;
}

/** What is looked at of a supernode; a descriptor will do. */
export interface SpreadCandidate extends SupernodeRef {
  readonly operator: string;
  /** Where it was really found, an IP address: counts in place of those that it names. */
  readonly observedHost?: string;
}

export interface SpreadLimits {
  readonly perAddress: number;
  readonly perNear: number;
}
export const SPREAD_LIMITS: SpreadLimits = { perAddress: 1, perNear: 2 };
/** For a network whose members all sit in one place (`prefixLimits: false`). */
export const NO_SPREAD_LIMITS: SpreadLimits = {
  perAddress: Number.POSITIVE_INFINITY,
  perNear: Number.POSITIVE_INFINITY,
};

/** IPv4: the address and its /24. IPv6: its /64 and /48. A name is both itself. */
export function addressGroup(host: string): AddressGroup {
  const bytes = parseIp(host.replace(/^\[(.*)\]$/, "$1"));
  if (!bytes) {
    const name = `name ${host.toLowerCase().replace(/\.$/, "")}`;
    return { address: name, near: name };
  }
  const [whole, near] = bytes.length === 4 ? [4, 3] : [8, 6];
  const kind = bytes.length === 4 ? "ipv4" : "ipv6";
  return {
    address: `${kind} ${toHex(bytes.subarray(0, whole))}`,
    near: `${kind} ${toHex(bytes.subarray(0, near))}`,
  };
}

/** Counts supernodes by address, neighbourhood and operator. Holds a few entries for each that was added. */
export class SpreadGroups {
  readonly #limits: SpreadLimits;
  readonly #addresses = new Tally();
  readonly #nears = new Tally();
  readonly #operators = new Tally();

  constructor(limits: SpreadLimits = SPREAD_LIMITS) {
    this.#limits = limits;
  }

  /** One more like it stays within the limits. */
  fits(candidate: SpreadCandidate): boolean {
    const { addresses, nears } = groupsOf(candidate);
    return (
      addresses.every((each) => this.#addresses.of(each) < this.#limits.perAddress) &&
      nears.every((each) => this.#nears.of(each) < this.#limits.perNear)
    );
  }

  /** How many share its neighbourhood, and how many its operator, where it names one: the fewer the better. */
  crowding(candidate: SpreadCandidate): number {
    const { nears } = groupsOf(candidate);
    const sameNear = Math.max(0, ...nears.map((each) => this.#nears.of(each)));
    return sameNear + (candidate.operator === "" ? 0 : this.#operators.of(candidate.operator));
  }

  add(candidate: SpreadCandidate): void {
    this.#count(candidate, 1);
  }

  /** Takes back one {@link add} of the same. */
  remove(candidate: SpreadCandidate): void {
    this.#count(candidate, -1);
  }

  #count(candidate: SpreadCandidate, by: 1 | -1): void {
    const { addresses, nears } = groupsOf(candidate);
    for (const each of addresses) this.#addresses.count(each, by);
    for (const each of nears) this.#nears.count(each, by);
    this.#operators.count(candidate.operator, by);
  }
}

export interface SpreadOptions {
  /** Those already in use: never picked, and they count towards the limits. */
  readonly avoid?: readonly SpreadCandidate[];
  readonly limits?: SpreadLimits;
  /** Breaks ties; without it, and among equals, whoever stands first in the list is taken. */
  readonly random?: RandomSource;
}

/**
 * At most `count` of them, as far apart as they come: the limits hold, and among those that keep them whoever shares its
 * neighbourhood and operator with the fewest is taken first. Fewer where there are no more.
 */
export function pickSpread<T extends SpreadCandidate>(
  candidates: readonly T[],
  count: number,
  { avoid = [], limits = SPREAD_LIMITS, random }: SpreadOptions = {},
): T[] {
  const groups = new SpreadGroups(limits);
  for (const each of avoid) groups.add(each);
  const seen = new Set(avoid.map(({ supernodeKey }) => toHex(supernodeKey)));
  let left = (random ? shuffled(candidates, random) : candidates).filter(({ supernodeKey }) => {
    const name = toHex(supernodeKey);
    return !seen.has(name) && seen.add(name);
  });
  const picked: T[] = [];
  while (picked.length < count) {
    left = left.filter((each) => groups.fits(each));
    const next = leastCrowded(left, groups);
    if (!next) break;
    picked.push(next);
    groups.add(next);
    left = left.filter((each) => each !== next);
  }
  return picked;
}

function leastCrowded<T extends SpreadCandidate>(candidates: readonly T[], groups: SpreadGroups): T | undefined {
  let best: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const each of candidates) {
    const crowding = groups.crowding(each);
    if (crowding >= least) continue;
    best = each;
    least = crowding;
  }
  return best;
}

/** Both addresses count, or naming a false one would be the way around the limits. */
function groupsOf({ dht, url, observedHost }: SpreadCandidate): { addresses: string[]; nears: string[] } {
  const parsed = parseDhtAddress(dht);
  const named = [parsed.ok ? parsed.value.host : undefined, hostOfUrl(url)];
  const hosts = (observedHost === undefined ? named : [observedHost]).filter((host) => host !== undefined);
  const groups = hosts.map(addressGroup);
  return {
    addresses: [...new Set(groups.map(({ address }) => address))],
    nears: [...new Set(groups.map(({ near }) => near))],
  };
}

/** Fisher and Yates. The lean of 32 random bits towards small numbers is far below what a list of this size shows. */
function shuffled<T>(items: readonly T[], random: RandomSource): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last--) {
    const bytes = random.bytes(4);
    const at = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) % (last + 1);
    [copy[last], copy[at]] = [copy[at] as T, copy[last] as T];
  }
  return copy;
}

class Tally {
  readonly #counts = new Map<string, number>();
  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }
  count(name: string, by: number): void {
    const count = this.of(name) + by;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}
