import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { rms, resample, type Sound } from "./sound.ts";
import { speech } from "./speech.ts";
import { voiceMatch } from "./voice-match.ts";

const RATE = 48_000;
const canSpeak = process.env.CI !== undefined || spawnSync("espeak-ng", ["--version"]).status === 0;

function cut({ sampleRate, samples }: Sound, fromSeconds: number, toSeconds: number): Sound {
  return { sampleRate, samples: samples.slice(fromSeconds * sampleRate, toSeconds * sampleRate) };
}

/** What a call does to a voice: narrower band, other level, noise, lost packets, a jitter buffer that drops 40 ms. */
function throughCall(sound: Sound): Sound {
  const { samples } = resample(resample(sound, 16_000), RATE);
  let noise = 1;
  for (let i = 0; i < samples.length; i++) {
    noise = (noise * 16_807) % 2_147_483_647;
    const lost = i % (RATE / 2) < RATE / 50;
    samples[i] = lost ? 0 : 0.3 * Math.tanh(2 * samples[i]!) + 0.01 * (noise / 1_073_741_824 - 1);
  }
  const middle = samples.length / 2;
  const dropped = new Float32Array(samples.length - RATE * 0.04);
  dropped.set(samples.subarray(0, middle));
  dropped.set(samples.subarray(middle + RATE * 0.04), middle);
  return { sampleRate: RATE, samples: dropped };
}

describe.skipIf(!canSpeak)("voice match", () => {
  test("knows a voice again that a call has carried", () => {
    const { sound } = speech("ann");
    const heard = voiceMatch(throughCall(cut(sound, 4, 12)), sound);
    expect(heard.median).toBeGreaterThan(0.8);
    expect(heard.windows).toBeGreaterThan(10);
    expect(heard.offsetSeconds).toBeCloseTo(4, 1);
  });

  test("follows a path that stalls twice for longer than any jitter buffer drifts", () => {
    const { sound } = speech("cleo");
    const heard = cut(sound, 2, 10);
    const silence = RATE * 0.3;
    const samples = new Float32Array(heard.samples.length + 2 * silence);
    for (const part of [0, 1, 2]) {
      const from = Math.floor((part * heard.samples.length) / 3);
      const to = Math.floor(((part + 1) * heard.samples.length) / 3);
      samples.set(heard.samples.subarray(from, to), from + part * silence);
    }
    expect(voiceMatch({ sampleRate: RATE, samples }, sound).median).toBeGreaterThan(0.8);
    expect(voiceMatch({ sampleRate: RATE, samples }, speech("ann").sound).median).toBeLessThan(0.2);
  });

  test("tells another speaker apart", () => {
    const heard = voiceMatch(throughCall(cut(speech("ann").sound, 4, 12)), speech("ben").sound);
    expect(heard.median).toBeLessThan(0.2);
    expect(heard.windows).toBeGreaterThan(10);
  });

  test("follows a source that is played in a loop", () => {
    const { sound } = speech("ben");
    const length = sound.samples.length;
    const samples = new Float32Array(RATE * 8);
    samples.set(sound.samples.subarray(length - RATE * 4));
    samples.set(sound.samples.subarray(0, RATE * 4), RATE * 4);
    const around = { sampleRate: RATE, samples };
    expect(voiceMatch(throughCall(around), sound).median).toBeGreaterThan(0.8);
  });

  test("hears nothing in silence and in noise", () => {
    const { sound } = speech("ann");
    expect(voiceMatch({ sampleRate: RATE, samples: new Float32Array(RATE * 5) }, sound)).toMatchObject({
      median: 0,
      windows: 0,
    });
    const noise = {
      sampleRate: RATE,
      samples: Float32Array.from({ length: RATE * 5 }, (_, i) => Math.sin(i * i) * 0.3),
    };
    expect(voiceMatch(noise, sound).median).toBeLessThan(0.1);
  });
});

test("resampling keeps a tone that fits and removes one that does not", () => {
  const tone = (hertz: number): Sound => ({
    sampleRate: RATE,
    samples: Float32Array.from({ length: RATE }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / RATE)),
  });
  expect(rms(resample(tone(1_000), 16_000).samples, 1_000, 15_000)).toBeCloseTo(Math.SQRT1_2, 2);
  expect(rms(resample(tone(10_000), 16_000).samples, 1_000, 15_000)).toBeLessThan(0.01);
});
