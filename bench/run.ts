/**
 * `npm run bench [-- NAME …] [--json FILE]`: runs every bench/*.bench.ts (or those named) and prints what was measured
 * beside the target. Nothing else should run on the machine meanwhile.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Measurement } from "./measurement.ts";

interface Benchmark {
  readonly name: string;
  run(): Promise<Measurement[]>;
}

const { values, positionals } = parseArgs({ options: { json: { type: "string" } }, allowPositionals: true });

async function load(): Promise<Benchmark[]> {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".bench.ts"));
  const all = await Promise.all(
    files.sort().map((file) => import(pathToFileURL(join(import.meta.dirname, file)).href) as Promise<Benchmark>),
  );
  return all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
}

function format(value: number): string {
  if (Number.isNaN(value)) return "-";
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3, maximumFractionDigits: 1 });
}

function table(rows: readonly Measurement[]): string {
  const cells = rows.map(({ metric, measured, unit, target, note }) => [
    metric,
    `${format(measured)} ${unit}`,
    target ?? "",
    note ?? "",
  ]);
  const all = [["what", "measured", "target", "note"], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const benchmarks = await load();
if (benchmarks.length === 0) throw new Error(`no benchmark is called ${positionals.join(" or ")}`);
const results: Record<string, Measurement[]> = {};
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
);
for (const benchmark of benchmarks) {
  const started = performance.now();
  const rows = await benchmark.run();
  results[benchmark.name] = rows;
  console.log(`\n${benchmark.name} (${((performance.now() - started) / 1_000).toFixed(0)} s)\n${table(rows)}`);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
// WebRTC's threads would keep it.
process.exit();
