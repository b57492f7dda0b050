/**
 * How many hostile nodes are survived. 60 DHT nodes in a /24 each, of which a share lies, and people whom the SDK's publisher
 * and directory store and find, through honest scouts and through scouts of which the same share lies. Then who holds the
 * places around a target, and those at proven supernodes, by simulation (`bench/hostile/eclipse.ts`). In a process of its
 * own, without a clock's mercy.
 */
import { type Attacker, eclipse, ONE_ADDRESS, prefixes, scattered } from "./hostile/eclipse.ts";
import { startMixed } from "./hostile/network.ts";
import { type BenchPerson, findPerson, publishPerson } from "./hostile/people.ts";
import { type Measurement, median } from "./measurement.ts";

export const name = "hostile";

const NODES = 60;
const SHARES = [0, 0.1, 0.3, 0.5, 0.7];
const PEOPLE = 24;
const FOUND_WITHIN_MS = 3_000;
/** At once, so that what is measured is not this machine's load. */
const AT_ONCE = 12;
const ROUNDS = 100;
/** Honest nodes of the DHT, and how many of them are supernodes: of this network, all; of an open one that is young, few. */
const HONEST_NODES: readonly (readonly [number, number])[] = [
  [200, 200],
  [1_000, 1_000],
  [1_000, 20],
  [5_000, 5_000],
];
const ATTACKERS: readonly (readonly [string, Attacker])[] = [
  ["one address", ONE_ADDRESS],
  ["one /24", prefixes(1)],
  ["5 /24s", prefixes(5)],
  ["9 /24s", prefixes(9)],
  ["10 /24s", prefixes(10)],
  ["19 addresses in 19 /24s", scattered(19)],
  ["20 addresses in 20 /24s", scattered(20)],
  ["30 addresses in 30 /24s", scattered(30)],
  ["100 addresses in 100 /24s", scattered(100)],
  ["400 addresses in 400 /24s", scattered(400)],
];

export async function run(): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const share of SHARES) rows.push(...(await survived(share)));
  for (const [honest, supernodes] of HONEST_NODES)
    rows.push(...ATTACKERS.map(([who, attacker]) => eclipsed(honest, supernodes, who, attacker)));
  return rows;
}

async function survived(share: number): Promise<Measurement[]> {
  const { honest, stop } = await startMixed(NODES, share);
  const rows: Measurement[] = [];
  for (const lying of share === 0 ? [0] : [0, share]) {
    const people: BenchPerson[] = [];
    await inTurn(PEOPLE, PEOPLE, async () => void people.push(await publishPerson(honest, lying)));
    const times: number[] = [];
    await inTurn(PEOPLE, AT_ONCE, async (i) => {
      const ms = await findPerson(honest, lying, people[i] as BenchPerson, FOUND_WITHIN_MS);
      if (ms !== undefined) times.push(ms);
    });
    rows.push({
      metric: `found within 3 s, ${Math.round(share * 100)} % of DHT nodes${lying > 0 ? " and of scouts" : ""} hostile`,
      measured: (100 * times.length) / PEOPLE,
      unit: "%",
      note: `${times.length} of ${PEOPLE} people, p50 ${median(times).toFixed(0)} ms`,
    });
  }
  await stop();
  return rows;
}

function eclipsed(honest: number, supernodes: number, who: string, attacker: Attacker): Measurement {
  const guarded = eclipse(honest, attacker, { guarded: true, supernodes, rounds: ROUNDS });
  const bare = eclipse(honest, attacker, { guarded: false, supernodes: 0, rounds: ROUNDS });
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return {
    metric: `records hidden, ${who} with a supernode in each /24, ${honest} honest nodes, ${supernodes} of them supernodes`,
    measured: 100 * guarded.hidden,
    unit: "%",
    note: `all closest places held of ${percent(guarded.ofRecords)} of records, ${percent(guarded.ofTargets)} of places; without our guards ${percent(bare.ofRecords)} and ${percent(bare.ofTargets)}`,
  };
}

async function inTurn(count: number, atOnce: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
