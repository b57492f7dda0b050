/** One network in a process of its own, measured: `network-main.ts hyperdht|bittorrent SIZE` prints a {@link NetworkResult}. */
import { bittorrentNetwork } from "./bittorrent-network.ts";
import type { DhtNetwork } from "./dht-network.ts";
import { earshotNetwork } from "./earshot-network.ts";

export interface NetworkResult {
  /** Milliseconds. */
  readonly putP50: number;
  readonly findP50: number;
  readonly findP99: number;
  /** Milliseconds of CPU time of all nodes together, for each. */
  readonly putCpu: number;
  readonly findCpu: number;
  /** Per cent, once a third of the nodes was killed. */
  readonly foundAfterKill: number;
  readonly findAfterKillP50: number;
  /** Two look-ups at once, as for a person: until the first is there. */
  readonly personP50: number;
  readonly personCpu: number;
}

const RECORDS = 100;
/** After nodes were killed. The peer waits about 2.5 s for them in each look-up. */
const LOOKUPS_AFTER_KILL = { hyperdht: 100, bittorrent: 20 };

const [kind, size] = process.argv.slice(2);
const network = await (kind === "bittorrent" ? bittorrentNetwork : earshotNetwork)(Number(size), RECORDS);
process.stdout.write(`${JSON.stringify(await measure(network))}\n`, () => process.exit(0));

async function measure(network: DhtNetwork): Promise<NetworkResult> {
  const keys: unknown[] = [];
  const waited: Promise<unknown>[] = [];
  const any = (i: number) => (i * 7919) % network.size;
  const puts = await timed(async (i) => {
    keys.push(await network.put(any(i)));
    return true;
  });
  const finds = await timed((i) => network.find(any(i + 13), keys[i]));
  const person = await timed(
    async (i) => {
      const node = any(i + 29);
      const both = [network.find(node, keys[i]), network.find(node, keys[(i + 50) % RECORDS])];
      const first = await Promise.race(both);
      waited.push(Promise.all(both));
      return first;
    },
    () => Promise.all(waited),
  );
  const dead = Array.from({ length: Math.floor(network.size / 3) }, (_, i) => 3 * i + 1);
  const alive = Array.from({ length: network.size }, (_, i) => i).filter((i) => !dead.includes(i));
  await network.kill(dead);
  const lookups = kind === "bittorrent" ? LOOKUPS_AFTER_KILL.bittorrent : LOOKUPS_AFTER_KILL.hyperdht;
  const find = (i: number) => network.find(alive[(i * 7919) % alive.length] as number, keys[i]);
  const after = await timed(find, undefined, lookups);
  if (finds.yes < RECORDS)
    process.stderr.write(`${kind}: ${finds.yes} of ${RECORDS} found before anything was killed\n`);
  return {
    putP50: percentile(puts.ms, 0.5),
    findP50: percentile(finds.ms, 0.5),
    findP99: percentile(finds.ms, 0.99),
    putCpu: puts.cpuMs,
    findCpu: finds.cpuMs,
    foundAfterKill: (100 * after.yes) / lookups,
    findAfterKillP50: percentile(after.ms, 0.5),
    personP50: percentile(person.ms, 0.5),
    personCpu: person.cpuMs,
  };
}

async function timed(
  act: (i: number) => Promise<boolean>,
  finish: () => Promise<unknown> = async () => {},
  times = RECORDS,
): Promise<{ ms: number[]; cpuMs: number; yes: number }> {
  const ms: number[] = [];
  let yes = 0;
  const cpu = process.cpuUsage();
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    if (await act(i)) yes++;
    ms.push(performance.now() - start);
  }
  await finish();
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1_000 / times, yes };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
