import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FRAME_SAMPLES, framesOf, loopedFramesOf } from "./frames.ts";
import { RateUnifier } from "./rate-unifier.ts";
import { Resampler } from "./resampler.ts";

const sine = (rate: number, hz: number, seconds: number): Int16Array =>
  Int16Array.from({ length: rate * seconds }, (_, i) => 12_000 * Math.sin((2 * Math.PI * hz * i) / rate));

function resample(samples: Int16Array, fromRate: number, toRate: number): Int16Array {
  const resampler = new Resampler(fromRate, toRate);
  return Int16Array.of(...resampler.push(samples), ...resampler.flush());
}

/** Root mean square of the difference over the middle, where no edge is near, relative to the signal's. */
function relativeError(actual: Int16Array, wanted: Int16Array): number {
  let error = 0;
  let signal = 0;
  for (let i = Math.floor(wanted.length / 10); i < wanted.length * 0.9; i++) {
    error += ((actual[i] as number) - (wanted[i] as number)) ** 2;
    signal += (wanted[i] as number) ** 2;
  }
  return Math.sqrt(error / signal);
}

describe("Resampler", () => {
  for (const [from, to] of [
    [8000, 48_000],
    [16_000, 48_000],
    [22_050, 48_000],
    [44_100, 48_000],
    [48_000, 16_000],
  ] as const)
    test(`${from} to ${to} Hz keeps a 1 kHz tone in shape, place and length`, () => {
      const output = resample(sine(from, 1000, 0.5), from, to);
      expect(Math.abs(output.length - to * 0.5)).toBeLessThanOrEqual(Math.ceil(to / from));
      expect(relativeError(output, sine(to, 1000, 0.5))).toBeLessThan(0.005);
    });

  test("a tone above the new rate's half is gone rather than folded back", () => {
    const output = resample(sine(48_000, 12_000, 0.2), 48_000, 16_000);
    expect(Math.max(...output.subarray(100, -100))).toBeLessThan(12);
  });

  test("block sizes make no difference", () => {
    const input = sine(44_100, 440, 0.05);
    const whole = new Resampler(44_100, 48_000).push(input);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const resampler = new Resampler(44_100, 48_000);
        const output: number[] = [];
        for (let at = 0, i = 0; at < input.length; i++) {
          const size = sizes[i % sizes.length] as number;
          output.push(...resampler.push(input.subarray(at, at + size)));
          at += size;
        }
        expect(Int16Array.from(output)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test("loud input is clipped, not wrapped around", () => {
    const square = Int16Array.from({ length: 4000 }, (_, i) => (Math.floor(i / 20) % 2 === 0 ? 32_767 : -32_768));
    const output = resample(square, 16_000, 48_000);
    for (let i = 90; i < 11_000; i++) {
      const wanted = square[Math.floor(i / 3)] as number;
      if (Math.floor(i / 3) % 20 > 4 && Math.floor(i / 3) % 20 < 15)
        expect(Math.sign(output[i] as number)).toBe(Math.sign(wanted));
    }
  });

  test("a ratio that would need a huge table is refused", () => {
    expect(() => new Resampler(48_000, 47_999)).toThrow(RangeError);
  });
});

describe("framesOf", () => {
  test("fills the last frame with silence", () => {
    const frames = [...framesOf({ sampleRate: 48_000, samples: new Int16Array(1000).fill(7) })];
    expect(frames.map((frame) => frame.length)).toEqual([FRAME_SAMPLES, FRAME_SAMPLES, FRAME_SAMPLES]);
    expect(frames[2]?.subarray(39, 42)).toEqual(Int16Array.of(7, 0, 0));
  });

  test("a loop goes on, and a loop over nothing ends", () => {
    const loop = loopedFramesOf({ sampleRate: 48_000, samples: new Int16Array(480).fill(3) });
    for (let i = 0; i < 5; i++) expect(loop.next().value?.[0]).toBe(3);
    expect(loopedFramesOf({ sampleRate: 48_000, samples: new Int16Array() }).next().done).toBe(true);
  });
});

test("a track that changes its rate half-way is recorded at one rate", () => {
  const unifier = new RateUnifier(48_000);
  const recorded: number[] = [];
  for (const rate of [16_000, 48_000, 16_000]) {
    const tone = sine(rate, 500, 0.2);
    for (let at = 0; at < tone.length; at += rate / 100)
      recorded.push(
        ...unifier.push({ samples: tone.subarray(at, at + rate / 100), sampleRate: rate, channelCount: 1 }),
      );
  }
  expect(Math.abs(recorded.length - 0.6 * 48_000)).toBeLessThan(60);
  const middle = Int16Array.from(recorded).subarray(10_000, 19_000);
  expect(Math.max(...middle)).toBeGreaterThan(11_900);
});
