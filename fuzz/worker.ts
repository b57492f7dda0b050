/**
 * Runs one target in a worker thread: mutates, feeds, and keeps the input that is being tried in memory that it shares
 * with the runner, which so still has it when this thread hangs or runs out of memory and is killed.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { loadTarget } from "./load.ts";
import { createDice, mutate } from "./mutate.ts";
import { MAX_INPUT_BYTES, type Shared, type WorkerJob, type WorkerResult } from "./protocol.ts";
import type { FuzzTarget } from "./target.ts";

/** Interesting inputs kept beside the seeds. */
const MAX_CORPUS = 512;
/** After so many inputs caches are warm, and what the heap holds from then on is compared. */
const WARM_UP_RUNS = 2_000;
/** Growth after warm-up past which a target counts as leaking. */
const MAX_HEAP_GROWTH_BYTES = 48 * 1024 * 1024;

const { target: name, file, seed, seconds, inputs, shared } = workerData as WorkerJob;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapAfterCollection(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Makes the input about to be tried visible to the runner. */
function announce({ progress, input }: Shared, bytes: Uint8Array): void {
  input.set(bytes);
  Atomics.store(progress, 1, bytes.length);
  Atomics.add(progress, 0, 1);
}

async function fuzz(target: FuzzTarget): Promise<WorkerResult> {
  const dice = createDice(seed);
  const corpus = target.seeds.length > 0 ? [...target.seeds] : [new Uint8Array()];
  const outcomes = new Set<string>();
  const deadline = performance.now() + seconds * 1_000;
  const started = performance.now();
  const pick = () => corpus[dice(corpus.length)] ?? new Uint8Array();
  const pending = [...inputs, ...(inputs.length > 0 ? [] : corpus)];
  let runs = 0;
  let warmHeap: number | undefined;
  while (pending.length > 0 || (inputs.length === 0 && performance.now() < deadline)) {
    const input = pending.shift() ?? mutate(pick(), pick(), dice, MAX_INPUT_BYTES);
    announce(shared, input);
    let outcome = target.run(input);
    if (outcome instanceof Promise) outcome = await outcome;
    runs += 1;
    if (typeof outcome === "string" && !outcomes.has(outcome) && corpus.length < MAX_CORPUS) {
      outcomes.add(outcome);
      corpus.push(input);
    }
    if (runs === WARM_UP_RUNS) warmHeap = heapAfterCollection();
  }
  const growth = warmHeap === undefined ? 0 : heapAfterCollection() - warmHeap;
  if (growth > MAX_HEAP_GROWTH_BYTES)
    throw new Error(`the heap grew by ${growth} bytes after the first ${WARM_UP_RUNS} inputs`);
  return { runs, seconds: (performance.now() - started) / 1_000, outcomes: outcomes.size };
}

try {
  parentPort?.postMessage(await fuzz(await loadTarget(file, name)));
} catch (error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  parentPort?.postMessage({ failure: text });
}
