/** Runs one target in a thread of its own, and kills it when it hangs. */
import { Worker } from "node:worker_threads";
import { createShared, type WorkerJob, type WorkerResult } from "./protocol.ts";

/** One input may take so long. Decoders take microseconds; the rest is for a busy machine. */
const INPUT_LIMIT_MS = 5_000;
/** Loading a target (its imports, keys made for its seeds) may take so long. */
const LOAD_LIMIT_MS = 30_000;
const POLL_MS = 250;
/** A decoder that fills this heap grows without bound. */
const MAX_HEAP_MB = 256;

export interface Finding {
  readonly message: string;
  /** The input that was being tried; undefined where the target did not load. */
  readonly input: Uint8Array | undefined;
}

export type TargetResult =
  | { readonly ok: true; readonly result: WorkerResult }
  | { readonly ok: false; readonly finding: Finding };

type Message = WorkerResult | { readonly failure: string };

/** Resolves when the target's time is over or it failed; never rejects for what the target does. */
export async function runTarget(job: Omit<WorkerJob, "shared">): Promise<TargetResult> {
  const shared = createShared();
  const worker = new Worker(new URL("./worker-start.mjs", import.meta.url), {
    workerData: { ...job, shared } satisfies WorkerJob,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const current = () =>
    Atomics.load(shared.progress, 0) === 0 ? undefined : shared.input.slice(0, Atomics.load(shared.progress, 1));
  const failed = (message: string): TargetResult => ({ ok: false, finding: { message, input: current() } });
  const result = await new Promise<TargetResult>((resolve) => {
    const watch = watchProgress(shared.progress, (message) => resolve(failed(message)));
    const settle = (value: TargetResult) => {
      clearInterval(watch);
      resolve(value);
    };
    worker.on("message", (message: Message) =>
      settle("failure" in message ? failed(message.failure) : { ok: true, result: message }),
    );
    worker.on("error", (error: unknown) =>
      settle(failed(error instanceof Error ? (error.stack ?? error.message) : String(error))),
    );
    worker.on("exit", (code) => settle(failed(`the worker ended with ${code}`)));
  });
  await worker.terminate();
  return result;
}

/** Calls `hung` once when the count of tried inputs stands still for too long. */
function watchProgress(progress: Int32Array, hung: (message: string) => void): NodeJS.Timeout {
  let seen = 0;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = Atomics.load(progress, 0);
    const limit = now === 0 ? LOAD_LIMIT_MS : INPUT_LIMIT_MS;
    if (now !== seen) {
      seen = now;
      since = performance.now();
    } else if (performance.now() - since > limit) {
      clearInterval(timer);
      hung(`hangs: one input took more than ${limit} ms`);
    }
  }, POLL_MS);
  return timer;
}
