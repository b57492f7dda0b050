/**
 * `npm run fuzz [-- options]`: feeds mutated inputs to every target until the time is over.
 *
 *   --target NAME        only this one (repeatable)
 *   --seconds N          for each target (default 30)
 *   --total-seconds N    shared among all targets, at most 2 s each
 *   --seed N             of the generator (default: from the clock; printed)
 *   --input FILE         only this input: a reproducer that an earlier run wrote
 *   --report FILE        counts as JSON
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { listTargets } from "./load.ts";
import { type Finding, runTarget } from "./run-target.ts";

const DEFAULT_SECONDS = 30;
const MAX_SHARED_SECONDS = 2;
const root = join(import.meta.dirname, "..");

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    seconds: { type: "string" },
    "total-seconds": { type: "string" },
    seed: { type: "string" },
    input: { type: "string" },
    report: { type: "string" },
  },
});

/** Each target draws from its own sequence, so that it finds the same alone and among others. */
function seedOf(seed: number, name: string): number {
  return createHash("sha256").update(`${seed} ${name}`).digest().readUInt32BE(0);
}

function writeReproducer(name: string, input: Uint8Array): string {
  const folder = join(root, "fuzz/failures");
  mkdirSync(folder, { recursive: true });
  const file = join(
    folder,
    `${name.replaceAll(/[^a-z0-9-]/gi, "-")}-${createHash("sha256").update(input).digest("hex").slice(0, 12)}.bin`,
  );
  writeFileSync(file, input);
  return relative(root, file);
}

function reportFinding(name: string, { message, input }: Finding, seed: number): void {
  console.error(`FAILED ${name} (seed ${seed})\n${message}`);
  if (input === undefined) return;
  console.error(`input, ${input.length} bytes: ${Buffer.from(input).toString("hex")}`);
  console.error(`again: npm run fuzz -- --target ${name} --input ${writeReproducer(name, input)}\n`);
}

const wanted = values.target;
const targets = (await listTargets()).filter(({ name }) => wanted === undefined || wanted.includes(name));
if (targets.length === 0) {
  console.error(wanted ? `no fuzz target is called ${wanted.join(" or ")}` : "fuzz/targets is empty");
  process.exit(1);
}
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
const total = values["total-seconds"];
const seconds = total
  ? Math.min(MAX_SHARED_SECONDS, Number(total) / targets.length)
  : Number(values.seconds ?? DEFAULT_SECONDS);
const inputs = values.input === undefined ? [] : [new Uint8Array(readFileSync(values.input))];
const count = { passed: 0, failed: 0 };

console.log(`fuzzing ${targets.length} targets for ${seconds.toFixed(1)} s each, seed ${seed}`);
for (const { file, name } of targets) {
  const result = await runTarget({ file, target: name, seed: seedOf(seed, name), seconds, inputs });
  if (result.ok) {
    count.passed += 1;
    const { runs, outcomes } = result.result;
    const rate = Math.round(runs / Math.max(result.result.seconds, 0.001));
    console.log(`ok     ${name}: ${runs} inputs, ${rate}/s${outcomes > 0 ? `, ${outcomes} outcomes` : ""}`);
  } else {
    count.failed += 1;
    reportFinding(name, result.finding, seed);
  }
}
if (values.report) writeFileSync(values.report, JSON.stringify(count));
console.log(`fuzz: ${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed > 0 ? 1 : 0;
