/**
 * A dedicated supernode with 100,000 clients over TLS, all on this machine: how much memory, how many envelopes a
 * CPU-second, and what happens when it is killed and all of them come back. Load processes and supernode share the
 * machine's cores, so times to come back are those of a machine that does both; CPU-seconds count the supernode alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Dedicated,
  type DedicatedLoad,
  type DedicatedOptions,
  makeCertificate,
  startDedicated,
  startDedicatedLoad,
} from "./dedicated/processes.ts";
import type { Returned } from "./dedicated/load-main.ts";
import { startLoad } from "./edge/processes.ts";
import type { Measurement } from "./measurement.ts";

export const name = "dedicated";

/** `EARSHOT_BENCH_CLIENTS` for a smaller run. */
const CLIENTS = Number(process.env.EARSHOT_BENCH_CLIENTS ?? 100_000);
const PER_PROCESS = 16_700;
const WORKERS = Math.ceil(CLIENTS / 16_000);
const WARM_UP = 500;
const IDLE_MS = 60_000;
const FORWARDS = { pairs: 100, each: 200, window: 16, envelopeBytes: 2_048 };
const FREE = { perSecond: 1e9, burst: 1e9 };
/** What one machine needs to hold them all, and to be loaded from itself; admission stays as it is in use. */
const LIMITS = {
  maxConnections: CLIENTS + 5_000,
  maxMailboxes: 4 * CLIENTS,
  mailboxWorkBits: 4,
  mailboxIdleDays: 30,
  handshakes: { perSecond: 1_000, burst: 2_000 },
  framesPerConnection: FREE,
  deliverBytesPerConnection: FREE,
  bytesPerMailbox: FREE,
  bytesPerToken: FREE,
  // Acknowledgements come over another connection than envelopes, and on a busy machine late.
  maxStoredPerToken: 1e9,
  maxStoredBytesPerToken: 1e9,
  maxStoredPerMailbox: 1e9,
  maxStoredBytesPerMailbox: 1e9,
  maxStoredBytesPerPrefix: 1e9,
};

/** Takes half an hour with all clients, on two cores. */
export async function run(): Promise<Measurement[]> {
  const home = mkdtempSync(join(tmpdir(), "earshot-bench-"));
  const certificate = await makeCertificate(home);
  const options = { home, certificate, workers: WORKERS, port: 0, limits: LIMITS };
  const loads = Array.from({ length: Math.ceil(CLIENTS / PER_PROCESS) }, startDedicatedLoad);
  let dedicated = await startDedicated(options);
  try {
    // Told as it comes: the whole takes half an hour with all clients on two cores.
    const held = tell(await hold(dedicated, loads));
    const idle = tell([await idleCost(dedicated)]);
    const forwarded = tell(await forwards(dedicated));
    const dropped = tell([await droppedSoFar(loads)]);
    const storm = await reconnect(dedicated, loads, options, (next) => {
      dedicated = next;
    });
    return [...held, ...idle, ...dropped, ...forwarded, ...storm];
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
    await dedicated.kill().catch(() => {});
    rmSync(home, { recursive: true, force: true });
  }
}

function tell<Rows extends readonly Measurement[]>(rows: Rows): Rows {
  for (const { metric, measured, unit, note = "" } of rows) console.log(`${metric}: ${measured} ${unit} ${note}`);
  return rows;
}

async function hold(dedicated: Dedicated, loads: readonly DedicatedLoad[]): Promise<Measurement[]> {
  const { target } = dedicated;
  const arrive = (load: DedicatedLoad, worker: number, count: number) =>
    load.hold({ target, worker, count, atOnce: 32 });
  // Code and heap that any supernode in use has are not a client's.
  await arrive(loads[0] as DedicatedLoad, 60, WARM_UP);
  const before = dedicated.residentBytes();
  const cpu = dedicated.cpuSeconds();
  const started = performance.now();
  const share = Math.ceil(CLIENTS / loads.length);
  await Promise.all(loads.map((load, i) => arrive(load, 20 * (i + 4), Math.min(share, CLIENTS - i * share))));
  const seconds = (performance.now() - started) / 1_000;
  const after = dedicated.residentBytes();
  const spent = dedicated.cpuSeconds();
  const used = spent.core + spent.workers - cpu.core - cpu.workers;
  const perClient = (bytes: number) => bytes / CLIENTS / 1_000;
  const [core, workers] = [perClient(after.core - before.core), perClient(after.workers - before.workers)];
  const connections = await dedicated.metric("earshot_edge_connections");
  return [
    {
      metric: "clients held over TLS",
      measured: connections - WARM_UP,
      unit: "",
      target: "100,000",
      note: `arrived in ${seconds.toFixed(0)} s, ${WORKERS} workers`,
    },
    {
      metric: "memory per idle client, all processes",
      measured: core + workers,
      unit: "kB",
      target: "40 kB or less",
      note: `core ${core.toFixed(1)}, workers ${workers.toFixed(1)}`,
    },
    {
      metric: "accepts: TLS, upgrade, hello, a new mailbox",
      measured: CLIENTS / used,
      unit: "per CPU-second",
      target: "600 (ws alone, TLS only)",
      note: "full TLS 1.3 handshakes",
    },
  ];
}

/** Of nothing but being there: each is asked twice a minute whether it still is. */
async function idleCost(dedicated: Dedicated): Promise<Measurement> {
  const cpu = dedicated.cpuSeconds();
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const spent = dedicated.cpuSeconds();
  const seconds = (performance.now() - started) / 1_000;
  const [core, workers] = [(spent.core - cpu.core) / seconds, (spent.workers - cpu.workers) / seconds];
  return {
    metric: "CPU while all are idle",
    measured: core + workers,
    unit: "cores",
    note: `core ${core.toFixed(2)}, workers ${workers.toFixed(2)}`,
  };
}

/** With all the idle ones still held. */
async function forwards(dedicated: Dedicated): Promise<Measurement[]> {
  const load = startLoad();
  try {
    const forward = { target: dedicated.target, workBits: LIMITS.mailboxWorkBits, ...FORWARDS } as const;
    // As in bench/edge: once for the compiler's sake, then with pairs that are connected and have delivered before.
    await load.run({ op: "forward", worker: 5, ...forward });
    await load.run({ op: "meet", worker: 6, ...forward });
    const cpu = dedicated.cpuSeconds();
    const count = await load.run({ op: "forward", worker: 6, ...forward });
    const spent = dedicated.cpuSeconds();
    const [core, workers] = [spent.core - cpu.core, spent.workers - cpu.workers];
    const note = `core alone: ${Math.round(count / core).toLocaleString("en-US")}`;
    return [
      {
        metric: "envelopes of 2 KB forwarded over TLS",
        measured: count / (core + workers),
        unit: "per CPU-second",
        target: "15,000 or more",
        note,
      },
    ];
  } finally {
    await load.stop();
  }
}

/** Forgets them, too: they would be taken for ones that come back after the storm. */
async function droppedSoFar(loads: readonly DedicatedLoad[]): Promise<Measurement> {
  const parts = await Promise.all(loads.map((load) => load.returned()));
  const measured = parts.reduce((total, { clients }) => total + clients, 0);
  return { metric: "clients dropped while they were held", measured, unit: "", target: "0" };
}

async function reconnect(
  dedicated: Dedicated,
  loads: readonly DedicatedLoad[],
  options: DedicatedOptions,
  replaced: (next: Dedicated) => void,
): Promise<Measurement[]> {
  await dedicated.kill();
  const started = performance.now();
  const next = await startDedicated({ ...options, port: dedicated.target.port });
  replaced(next);
  const upAfterMs = performance.now() - started;
  let peak = 0;
  const watch = setInterval(() => {
    const { core, workers } = next.residentBytes();
    peak = Math.max(peak, core + workers);
  }, 1_000);
  const parts = await Promise.all(loads.map((load) => load.returned()));
  clearInterval(watch);
  const seconds = (performance.now() - started) / 1_000;
  const sum = (field: keyof Returned) => parts.reduce((total, part) => total + part[field], 0);
  const most = (field: keyof Returned) => Math.max(...parts.map((part) => part[field]));
  const all = CLIENTS + WARM_UP;
  const back = Math.min(sum("clients"), await next.metric("earshot_edge_connections"));
  return [
    {
      metric: "reconnect storm: clients back",
      measured: back,
      unit: "",
      target: all.toLocaleString("en-US"),
    },
    {
      metric: "reconnect storm: all back after",
      measured: seconds,
      unit: "s",
      note: `listening again after ${(upAfterMs / 1_000).toFixed(1)} s; clients share the 2 cores`,
    },
    {
      metric: "reconnect storm: half of the clients back within",
      measured: most("p50Ms") / 1_000,
      unit: "s",
      note: `99 %: ${(most("p99Ms") / 1_000).toFixed(0)} s`,
    },
    { metric: "reconnect storm: peak memory of the supernode", measured: peak / 1e9, unit: "GB" },
    {
      metric: "reconnect storm: turned away with retry-after",
      measured: sum("shed"),
      unit: "tries",
      note: `${sum("failed")} tries failed otherwise (nothing was listening, or too slow)`,
    },
    { metric: "reconnect storm: mailboxes lost", measured: sum("lostMailboxes"), unit: "", target: "0" },
  ];
}
