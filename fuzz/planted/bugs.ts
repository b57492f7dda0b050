/** Decoders with known bugs, on which the runner is tested. Not among the targets that `npm run fuzz` runs. */
import type { FuzzTarget } from "../target.ts";

const kept: unknown[] = [];
const seeds = [Uint8Array.of(1, 2, 3)];

export const targets: readonly FuzzTarget[] = [
  { name: "sound", seeds, run: (input) => (input.length > 3 ? "long" : undefined) },
  {
    name: "throws",
    seeds,
    run: async (input) => {
      if (input[0] === 9) throw new TypeError("planted");
    },
  },
  {
    name: "hangs",
    seeds,
    run: (input) => {
      while (input[0] === 7);
    },
  },
  { name: "grows", seeds, run: () => void kept.push(Array.from({ length: 10_000 }, () => ({}))) },
];
