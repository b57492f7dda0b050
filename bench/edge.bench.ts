/**
 * What one daemon process takes: accepts and forwards per CPU-second, and memory per idle client. The daemon and the load
 * are separate processes on one machine, over loopback without TLS; only the daemon's CPU time (/proc) counts. The
 * daemon runs with the limits off that would stop one machine from loading it.
 */
import type { Command } from "./edge/load-main.ts";
import { type BenchDaemon, type LoadProcess, startBenchDaemon, startLoad } from "./edge/processes.ts";

export const name = "edge";

const WARM_UP = 1_000;
const ACCEPTS = 4_000;
const IDLE_CLIENTS = 10_000;
const FORWARDS = { pairs: 100, each: 300, window: 16, envelopeBytes: 2_048 };

interface Measurement {
  readonly metric: string;
  readonly measured: number;
  readonly unit: string;
  readonly target?: string;
}

/** Takes about 20 seconds on an idle machine. */
export async function run(): Promise<Measurement[]> {
  return [...(await withDaemon(rates)), ...(await withDaemon(memory))];
}

/** A fresh daemon for each, so that what one leaves behind is not measured in the other. */
async function withDaemon(
  measure: (daemon: BenchDaemon, load: LoadProcess) => Promise<Measurement[]>,
): Promise<Measurement[]> {
  const daemon = await startBenchDaemon();
  const load = startLoad();
  try {
    return await measure(daemon, load);
  } finally {
    await load.stop();
    await daemon.stop();
  }
}

async function rates(daemon: BenchDaemon, load: LoadProcess): Promise<Measurement[]> {
  const target = { port: daemon.port, token: daemon.token };
  const arrive = { op: "arrive", target, worker: 0, atOnce: 64 } as const;
  const perCpuSecond = async (command: Command) => {
    const before = daemon.cpuSeconds();
    const count = await load.run(command);
    return count / (daemon.cpuSeconds() - before);
  };
  await load.run({ op: "prepare", count: WARM_UP });
  await load.run({ ...arrive, count: WARM_UP });
  await load.run({ op: "prepare", count: ACCEPTS });
  const accepted = await perCpuSecond({ ...arrive, count: ACCEPTS });
  const acceptedAgain = await perCpuSecond({ ...arrive, count: ACCEPTS });
  const forward = { target, ...FORWARDS } as const;
  // Once for the compiler's sake; then with pairs that are connected and have delivered before.
  await load.run({ op: "forward", worker: 5, ...forward });
  await load.run({ op: "meet", worker: 6, ...forward });
  const forwarded = await perCpuSecond({ op: "forward", worker: 6, ...forward });
  const unit = "per CPU-second";
  const accepts = { unit, target: "about 2,000" };
  return [
    { metric: "accepts: upgrade, hello, a new mailbox", measured: accepted, ...accepts },
    { metric: "accepts: upgrade, hello, its mailbox again", measured: acceptedAgain, ...accepts },
    {
      metric: "envelopes of 2 KB forwarded, stored till acknowledged",
      measured: forwarded,
      unit,
      target: "15,000 or more",
    },
  ];
}

async function memory(daemon: BenchDaemon, load: LoadProcess): Promise<Measurement[]> {
  const hold = { op: "hold", target: { port: daemon.port, token: daemon.token }, atOnce: 64 } as const;
  // Code and heap that any daemon in use has are not a client's.
  await load.run({ op: "prepare", count: WARM_UP });
  await load.run({ ...hold, op: "arrive", worker: 9, count: WARM_UP });
  await load.run({ op: "prepare", count: IDLE_CLIENTS });
  const before = daemon.residentBytes();
  await load.run({ ...hold, worker: 10, count: IDLE_CLIENTS });
  const measured = (daemon.residentBytes() - before) / IDLE_CLIENTS / 1_000;
  return [{ metric: `memory per idle client, ${IDLE_CLIENTS} held`, measured, unit: "kB", target: "40 kB or less" }];
}
