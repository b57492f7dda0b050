/**
 * Finding a record among 50 and 200 nodes: our backbone, with its guards, beside BitTorrent's DHT (BEP 44) in the same
 * run. Each network is one process, one after the other; CPU time is that of all its nodes together.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { NetworkResult } from "./lookup/network-main.ts";
import type { Measurement } from "./measurement.ts";

export const name = "lookup";

const SIZES = [50, 200];
const LIMIT_MS = 5 * 60_000;
const SOURCE_OPTIONS = ["--conditions=earshot-source", "--import", "tsx"];

export async function run(): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const size of SIZES) {
    const ours = await measureNetwork("hyperdht", size);
    const peer = await measureNetwork("bittorrent", size);
    rows.push(...compare(size, ours, peer));
  }
  return rows;
}

function compare(size: number, ours: NetworkResult, peer: NetworkResult): Measurement[] {
  const row = (metric: string, field: keyof NetworkResult, unit: string, target = ""): Measurement => ({
    metric: `${metric}, ${size} nodes`,
    measured: ours[field],
    unit,
    target,
    note: `bittorrent-dht in the same run: ${peer[field].toPrecision(3)} ${unit}`,
  });
  const is50 = size === 50;
  return [
    row("a person, two places at once: first answer p50", "personP50", "ms", is50 ? "20 or less" : ""),
    row("the same: CPU of all nodes", "personCpu", "ms", is50 ? "5 or less" : ""),
    row("look-up of one place p50", "findP50", "ms"),
    row("look-up of one place p99", "findP99", "ms"),
    row("CPU of a look-up of one place, all nodes", "findCpu", "ms"),
    row("put p50", "putP50", "ms"),
    row("CPU of a put, all nodes", "putCpu", "ms"),
    row("found with a third killed", "foundAfterKill", "%", "100"),
    row("look-up p50 with a third killed", "findAfterKillP50", "ms", "unaffected"),
  ];
}

async function measureNetwork(kind: string, size: number): Promise<NetworkResult> {
  const main = join(import.meta.dirname, "lookup/network-main.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [...SOURCE_OPTIONS, main, kind, String(size)], {
    timeout: LIMIT_MS,
  });
  return JSON.parse(stdout) as NetworkResult;
}
