/**
 * Who holds the 20 places closest to a target, where an attacker has some addresses: each is 64,000 ids, of which he uses
 * whichever is closest. Worst case: all that he has is asked first, and every honest node is known. Then who holds those at
 * proven supernodes too, where he runs one in each of his /24s, and writer and reader know as many as a table has room for,
 * each their own.
 */
import { MAX_SUPERNODES_KNOWN } from "../../packages/node/src/supernodes/supernode-table.ts";
import { RECORD_PLACES } from "../../packages/node/src/backbone/record-places.ts";

const PORTS = 64_000;
const PLACES = 20;
const COPIES = 4;
const PER_PREFIX = 2;
const ADDRESSES_OF_A_PREFIX = 256;

export interface Attacker {
  readonly prefixes: number;
  readonly addressesOfEach: number;
}
export const ONE_ADDRESS: Attacker = { prefixes: 1, addressesOfEach: 1 };
/** All addresses of so many /24s. */
export const prefixes = (count: number): Attacker => ({ prefixes: count, addressesOfEach: ADDRESSES_OF_A_PREFIX });
/** So many addresses, far from each other: rented at as many places. */
export const scattered = (count: number): Attacker => ({ prefixes: count, addressesOfEach: 1 });

export interface Eclipsed {
  /** Shares, 0 to 1, of the places closest to a target. */
  readonly ofTargets: number;
  /** All four targets of a record, under attack at once. */
  readonly ofRecords: number;
  /** Hidden: those, and all that writer and reader share at proven supernodes. */
  readonly hidden: number;
}

/** `supernodes`: how many of the honest nodes are known as such, each in a /24 of its own. */
export function eclipse(
  honest: number,
  attacker: Attacker,
  { guarded, supernodes, rounds }: { guarded: boolean; supernodes: number; rounds: number },
): Eclipsed {
  let targets = 0;
  let records = 0;
  let hidden = 0;
  for (let round = 0; round < rounds; round++) {
    let lost = 0;
    let hiddenCopies = 0;
    for (let copy = 0; copy < COPIES; copy++) {
      if (!isEclipsed(honest, attacker, guarded)) continue;
      lost++;
      if (!isAtProven(supernodes, attacker.prefixes)) hiddenCopies++;
    }
    targets += lost;
    if (lost === COPIES) records++;
    if (hiddenCopies === COPIES) hidden++;
  }
  return { ofTargets: targets / (rounds * COPIES), ofRecords: records / rounds, hidden: hidden / rounds };
}

/** Whether an honest one is among the places of both, the writer and the reader. */
function isAtProven(honest: number, hostile: number): boolean {
  // In the order that the target gives: whose each is.
  const ranked = Array.from({ length: honest + hostile }, () => Math.random() * (honest + hostile) < honest);
  const known = Math.min(1, MAX_SUPERNODES_KNOWN / ranked.length);
  const taken = { writer: 0, reader: 0 };
  for (const isHonest of ranked) {
    const written = taken.writer < RECORD_PLACES && Math.random() < known;
    const read = taken.reader < RECORD_PLACES && Math.random() < known;
    if (written) taken.writer++;
    if (read) taken.reader++;
    if (isHonest && written && read) return true;
    if (taken.writer === RECORD_PLACES && taken.reader === RECORD_PLACES) return false;
  }
  return false;
}

function isEclipsed(honest: number, attacker: Attacker, guarded: boolean): boolean {
  const nearestHonest = nearest(honest);
  const closer: number[] = [];
  for (let prefix = 0; prefix < attacker.prefixes; prefix++) {
    const own: number[] = [];
    for (let address = 0; address < attacker.addressesOfEach; address++) {
      if (guarded) own.push(nearest(PORTS));
      else own.push(...below(PORTS, nearestHonest));
    }
    own.sort((a, b) => a - b);
    closer.push(...(guarded ? own.slice(0, PER_PREFIX) : own));
    if (!guarded && closer.length >= PLACES) break;
  }
  return closer.filter((distance) => distance < nearestHonest).length >= PLACES;
}

/** Ids are hashes: their distances to a target are as good as uniform. The least of `count` of them. */
function nearest(count: number): number {
  return 1 - (1 - Math.random()) ** (1 / count);
}

/** Those of `count` below a distance, in order; as many as there are places at most. */
function below(count: number, distance: number): number[] {
  const found: number[] = [];
  for (let last = 0, left = count; left > 0 && found.length < PLACES; left--) {
    last += (1 - last) * nearest(left);
    if (last >= distance) break;
    found.push(last);
  }
  return found;
}
