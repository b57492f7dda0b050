/**
 * STOI, the short-time objective intelligibility measure: C. H. Taal, R. C. Hendriks, R. Heusdens and J. Jensen, "An
 * Algorithm for Intelligibility Prediction of Time-Frequency Weighted Noisy Speech", IEEE TASLP 19(7), 2011.
 * Checked against its authors' own program: test/interop/stoi.test.ts.
 */
import { fft, turnsFor } from "./correlate.ts";
import { resample, type Sound } from "./sound.ts";

const RATE = 10_000;
const FRAME = 256;
const HOP = FRAME / 2;
const FFT_SIZE = 512;
const BANDS = 15;
const LOWEST_CENTRE_HZ = 150;
/** Frames in a segment: 384 ms. */
const SEGMENT = 30;
/** Frames of the clean speech this much below its loudest are silence, and left out of both. */
const DYNAMIC_RANGE_DB = 40;
/** The lower bound of the signal-to-distortion ratio of one unit, -15 dB, as the factor over the clean unit. */
const CLIP = 1 + 10 ** (15 / 20);

/** Hann, without the zeros at its ends. */
const WINDOW = Float64Array.from({ length: FRAME }, (_, i) => {
  return 0.5 * (1 - Math.cos((2 * Math.PI * (i + 1)) / (FRAME + 1)));
});
const TURNS = turnsFor(FFT_SIZE);

/** First bin, and the bin after the last, of each third-octave band. */
const BAND_BINS = Array.from({ length: BANDS }, (_, band) => {
  const bin = (hertz: number) => Math.round((hertz * FFT_SIZE) / RATE);
  const centre = LOWEST_CENTRE_HZ * 2 ** (band / 3);
  return [bin(centre * 2 ** (-1 / 6)), bin(centre * 2 ** (1 / 6))] as const;
});

/**
 * How well `heard` can be understood where `said` can be: 0 (not at all) to 1, by correlation of their third-octave
 * envelopes. Both begin at the same moment; the shorter one's length counts. NaN of less than 384 ms of speech.
 */
export function stoi(said: Sound, heard: Sound): number {
  const clean = resample(said, RATE).samples;
  const processed = resample(heard, RATE).samples;
  const length = Math.min(clean.length, processed.length);
  const spoken = spokenFrames(clean.subarray(0, length));
  const a = bandEnvelopes(joined(clean, spoken));
  const b = bandEnvelopes(joined(processed, spoken));
  let sum = 0;
  let count = 0;
  for (let band = 0; band < BANDS; band++) {
    const [x, y] = [a[band] ?? new Float64Array(), b[band] ?? new Float64Array()];
    for (let at = 0; at + SEGMENT <= x.length; at++, count++) {
      sum += similarity(x.subarray(at, at + SEGMENT), y.subarray(at, at + SEGMENT));
    }
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** Starts of the frames that hold speech. */
function spokenFrames(samples: Float32Array): number[] {
  const levels: { start: number; level: number }[] = [];
  for (let start = 0; start + FRAME < samples.length; start += HOP) {
    let energy = 0;
    for (let i = 0; i < FRAME; i++) energy += (samples[start + i]! * WINDOW[i]!) ** 2;
    levels.push({ start, level: 10 * Math.log10(energy) });
  }
  const loudest = levels.reduce((most, { level }) => Math.max(most, level), Number.NEGATIVE_INFINITY);
  return levels.filter(({ level }) => level > loudest - DYNAMIC_RANGE_DB).map(({ start }) => start);
}

/** Those frames, windowed and overlapped to a sound without the rest. */
function joined(samples: Float32Array, starts: readonly number[]): Float64Array {
  const out = new Float64Array(starts.length === 0 ? 0 : (starts.length - 1) * HOP + FRAME);
  starts.forEach((start, n) => {
    for (let i = 0; i < FRAME; i++) out[n * HOP + i]! += samples[start + i]! * WINDOW[i]!;
  });
  return out;
}

/** By band: the level in each frame. */
function bandEnvelopes(samples: Float64Array): Float64Array[] {
  const frames = Math.max(0, Math.ceil((samples.length - FRAME) / HOP));
  const envelopes = BAND_BINS.map(() => new Float64Array(frames));
  for (let frame = 0; frame < frames; frame++) {
    const re = new Float64Array(FFT_SIZE);
    const im = new Float64Array(FFT_SIZE);
    for (let i = 0; i < FRAME; i++) re[i] = samples[frame * HOP + i]! * WINDOW[i]!;
    fft(re, im, TURNS);
    BAND_BINS.forEach(([from, to], band) => {
      let energy = 0;
      for (let bin = from; bin < to; bin++) energy += re[bin]! ** 2 + im[bin]! ** 2;
      envelopes[band]![frame] = Math.sqrt(energy);
    });
  }
  return envelopes;
}

/** Correlation of a clean segment of one band with the processed one, made as loud and clipped. 0 where one of them is flat. */
function similarity(clean: Float64Array, processed: Float64Array): number {
  const loudness = Math.sqrt(sumOfSquares(clean) / sumOfSquares(processed));
  const clipped = clean.map((value, i) => Math.min(processed[i]! * loudness, value * CLIP));
  const x = withoutMean(clean);
  const y = withoutMean(clipped);
  const product = x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const correlation = product / Math.sqrt(sumOfSquares(x) * sumOfSquares(y));
  return Number.isFinite(correlation) ? correlation : 0;
}

function withoutMean(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
