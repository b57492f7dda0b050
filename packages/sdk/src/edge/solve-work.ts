import { createWorkSolver, type RandomSource, type WorkTarget } from "@earshot/core";

/** Hashes tried at a stretch: some 10 ms, so that a page stays responsive. */
const SLICE_HASHES = 4_096;

/** Gives the thread back once. A message port, because timers of hidden pages are slowed to one a second. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Finds the work for `target` in slices. Rejects with RangeError above the protocol's largest number of bits. */
export async function solveWork(random: RandomSource, target: WorkTarget, bits: number): Promise<number> {
  const solver = createWorkSolver(random, target, bits);
  for (;;) {
    const work = solver.step(SLICE_HASHES);
    if (work !== undefined) return work;
    await breathe();
  }
}
