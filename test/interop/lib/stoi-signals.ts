/** Sounds by formula, the same on every machine, for STOI's vectors: something like a voice, and ways to spoil it. */
import { SeededRandom } from "@earshot/testkit";
import type { Sound } from "../../e2e/lib/sound.ts";

const SECONDS = 3;
const SYLLABLES_HZ = 4;
const LOST_SECONDS = 0.02;

/** Harmonics of a gliding pitch under two moving resonances, in syllables, with a pause of half a second. */
export function likeVoice(sampleRate: number): Sound {
  let phase = 0;
  const samples = Float32Array.from({ length: SECONDS * sampleRate }, (_, i) => {
    const t = i / sampleRate;
    phase += (2 * Math.PI * (120 + 40 * Math.sin(2 * Math.PI * 0.7 * t))) / sampleRate;
    if (t > 1.2 && t < 1.7) return 0;
    const syllable = Math.max(0, Math.sin(2 * Math.PI * SYLLABLES_HZ * t)) ** 1.5 + 0.003;
    const [low, high] = [500 + 250 * Math.sin(5 * t), 1_700 + 700 * Math.sin(3 * t + 1)];
    let sum = 0;
    for (let n = 1; n <= 28; n++) {
      const hertz = n * 130;
      const resonance = 1 / (1 + ((hertz - low) / 150) ** 2) + 0.5 / (1 + ((hertz - high) / 250) ** 2) + 0.01;
      sum += resonance * Math.sin(n * phase);
    }
    return 0.1 * syllable * sum;
  });
  return { sampleRate, samples };
}

/** With white noise added at a signal-to-noise ratio in decibels. */
export function noisy({ sampleRate, samples }: Sound, decibels: number): Sound {
  const random = new SeededRandom(1);
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  const peak = Math.sqrt((3 * power) / 10 ** (decibels / 10));
  return { sampleRate, samples: samples.map((value) => value + peak * (2 * random.fraction() - 1)) };
}

/** With a share of its 20 ms pieces silenced. */
export function gappy({ sampleRate, samples }: Sound, share: number): Sound {
  const random = new SeededRandom(2);
  const piece = sampleRate * LOST_SECONDS;
  const lost = Array.from({ length: Math.ceil(samples.length / piece) }, () => random.fraction() < share);
  return { sampleRate, samples: samples.map((value, i) => (lost[Math.floor(i / piece)] ? value * 1e-6 : value)) };
}
