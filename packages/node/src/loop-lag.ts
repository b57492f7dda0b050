/** How late the event loop runs, sampled once a second. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 10;
const SAMPLE_MS = 1_000;

export interface LoopLag {
  /** The 90th percentile of the last second, in milliseconds beyond what an idle loop shows. */
  lagMs(): number;
  stop(): void;
}

/** Calls `onSample` each second. Does not keep the process alive. */
export function watchLoopLag(onSample: (lagMs: number) => void): LoopLag {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let lagMs = 0;
  const timer = setInterval(() => {
    lagMs = Math.max(0, histogram.percentile(90) / 1e6 - RESOLUTION_MS);
    histogram.reset();
    onSample(lagMs);
  }, SAMPLE_MS);
  timer.unref();
  return {
    lagMs: () => lagMs,
    stop() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
