/** Our STOI against that of its authors. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { stoi } from "../e2e/lib/stoi.ts";
import { gappy, likeVoice, noisy } from "./lib/stoi-signals.ts";

interface Vector {
  readonly sampleRate: number;
  readonly spoiledBy: "noisy" | "gappy";
  readonly amount: number;
  readonly stoi: number;
}

const { vectors } = JSON.parse(readFileSync(new URL("vectors/stoi.json", import.meta.url), "utf8")) as {
  readonly vectors: readonly Vector[];
};

/** At 10 kHz nothing is left open; what brings other rates there is each one's own. */
const toleranceAt = (sampleRate: number) => (sampleRate === 10_000 ? 1e-6 : 1e-3);

describe("STOI", () => {
  test.each(vectors)("$sampleRate Hz, $spoiledBy $amount: $stoi", ({ sampleRate, spoiledBy, amount, ...expected }) => {
    const said = likeVoice(sampleRate);
    const heard = { noisy, gappy }[spoiledBy](said, amount);
    expect(Math.abs(stoi(said, heard) - expected.stoi)).toBeLessThan(toleranceAt(sampleRate));
  });

  test("is 1 for the same sound at another level, and low for noise", () => {
    const said = likeVoice(10_000);
    const quiet = { ...said, samples: said.samples.map((value) => value / 8) };
    expect(stoi(said, quiet)).toBeCloseTo(1, 6);
    expect(stoi(said, noisy(said, -60))).toBeLessThan(0.5);
  });

  test("is no number without speech", () => {
    const silence = { sampleRate: 10_000, samples: new Float32Array(10_000) };
    expect(stoi(silence, silence)).toBeNaN();
  });
});
