/**
 * Is the voice in a recording that of a source? Windowed normalised cross-correlation: half-second windows of the
 * recording that hold speech, each compared with the source near where the call's delay puts it. The delay is found once
 * from all windows together and then followed, as jitter buffers stretch and squeeze; so a stranger's windows cannot each
 * pick whatever part of the source happens to resemble them.
 */
import { crossCorrelation, normalisedCorrelation } from "./correlate.ts";
import { resample, rms, type Sound } from "./sound.ts";

const RATE = 16_000;
/** The delay is searched for at this rate and then refined: a quarter of the work. */
const COARSE = 2;
const WINDOW = RATE / 2;
/** A window holds speech if it is at least this part of the loudest window. */
const SPEECH_PART = 0.2;
/** The telephone's band: the voice is in it, and what browsers' echo and noise processing does below it is not. */
const BAND_HZ = [300, 3_400] as const;
/** Odd, so that the filter delays by whole samples. */
const FILTER_TAPS = 255;
/** A jitter buffer moves by less than this from one window to the next, in samples. */
const DRIFT = RATE * 0.08;
/** A sound path that stalls moves by up to this: followed only where a window then fits for certain. */
const STALL = RATE;
/** From this correlation on a window tells where the delay has moved to. Another voice never gets there by chance. */
const CERTAIN = 0.6;

export interface VoiceMatch {
  /** Of the windows' correlations, 0..1; 0 without any speech in the recording. */
  readonly median: number;
  /** Windows with speech. */
  readonly windows: number;
  /** Where in the source the recording's start lies, in seconds (negative: the recording starts first). */
  readonly offsetSeconds: number;
}

interface Window {
  readonly start: number;
  readonly samples: Float32Array;
}

/** Weights of a linear-phase band-pass filter: the difference of two low-passes, Hamming-windowed. */
function bandPass([low, high]: readonly [number, number]): Float64Array {
  const middle = (FILTER_TAPS - 1) / 2;
  const lowPass = (hertz: number, x: number) =>
    x === 0 ? (2 * hertz) / RATE : Math.sin((2 * Math.PI * hertz * x) / RATE) / (Math.PI * x);
  return Float64Array.from({ length: FILTER_TAPS }, (_, i) => {
    const taper = 0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (FILTER_TAPS - 1));
    return (lowPass(high, i - middle) - lowPass(low, i - middle)) * taper;
  });
}

const TELEPHONE_BAND = bandPass(BAND_HZ);

const prepared = new WeakMap<Sound, Float32Array>();

/** The sound's telephone band at {@link RATE}; remembered, as a test compares one voice with several recordings. */
function prepare(sound: Sound): Float32Array {
  const known = prepared.get(sound);
  if (known) return known;
  const { samples } = resample(sound, RATE);
  const padded = new Float32Array(samples.length + FILTER_TAPS);
  padded.set(samples, (FILTER_TAPS - 1) / 2);
  const out = new Float32Array(samples.length);
  for (let at = 0; at < out.length; at++) {
    let sum = 0;
    for (let k = 0; k < FILTER_TAPS; k++) sum += TELEPHONE_BAND[k]! * padded[at + k]!;
    out[at] = sum;
  }
  prepared.set(sound, out);
  return out;
}

function speechWindows(samples: Float32Array): Window[] {
  const windows: (Window & { level: number })[] = [];
  for (let start = 0; start + WINDOW <= samples.length; start += WINDOW) {
    const part = samples.subarray(start, start + WINDOW);
    windows.push({ start, samples: part, level: rms(part) });
  }
  const loudest = Math.max(0, ...windows.map(({ level }) => level));
  return loudest < 1e-4 ? [] : windows.filter(({ level }) => level >= loudest * SPEECH_PART);
}

function everySecond(samples: Float32Array): Float32Array {
  return resample({ sampleRate: RATE, samples }, RATE / COARSE).samples;
}

/** The same sound with every stretch of a window's length equally loud, so that each counts the same. */
function levelled(samples: Float32Array): Float32Array {
  const out = new Float32Array(samples.length);
  const floor = rms(samples) * SPEECH_PART;
  for (let start = 0; start < samples.length; start += WINDOW) {
    const end = Math.min(samples.length, start + WINDOW);
    const level = Math.max(floor, rms(samples, start, end));
    for (let i = start; i < end; i++) out[i] = samples[i]! / level;
  }
  return out;
}

/** Where the recording's start lies in the source: the lag at which its speech, taken all together, fits best. */
function findOffset(windows: readonly Window[], source: Float32Array, recordedLength: number): number {
  const spoken = new Float32Array(recordedLength);
  for (const { start, samples } of windows) spoken.set(samples, start);
  const coarse = everySecond(levelled(spoken));
  const padded = new Float32Array(coarse.length + everySecond(source).length + coarse.length);
  padded.set(everySecond(levelled(source)), coarse.length);
  const scores = crossCorrelation(padded, coarse);
  let best = 0;
  // Later starts are earlier ones in another round of the loop, with less of the recording inside the source.
  const lags = padded.length - 2 * coarse.length;
  for (let lag = 1; lag <= lags; lag++) if (scores[lag]! > scores[best]!) best = lag;
  return (best - coarse.length) * COARSE;
}

/** The best correlation of a window within `reach` samples around `lag`, and where it is. */
function matchNear(
  window: Float32Array,
  source: Float32Array,
  lag: number,
  reach: number,
): { value: number; lag: number } {
  const from = Math.max(0, Math.min(source.length - WINDOW, lag - reach));
  const to = Math.max(from, Math.min(source.length - WINDOW, lag + reach));
  const correlations = normalisedCorrelation(source.subarray(from, to + WINDOW), window);
  let best = 0;
  for (let i = 1; i < correlations.length; i++) if (correlations[i]! > correlations[best]!) best = i;
  return { value: Math.max(0, correlations[best] ?? 0), lag: from + best };
}

/** How much of `recorded` is `source`, which may have been played in a loop; both at any rate and level. */
export function voiceMatch(recorded: Sound, source: Sound): VoiceMatch {
  const recording = prepare(recorded);
  const once = prepare(source);
  const original = new Float32Array(once.length + Math.min(once.length, recording.length));
  original.set(once);
  original.set(once.subarray(0, original.length - once.length), once.length);
  const windows = speechWindows(recording);
  if (windows.length === 0 || once.length < WINDOW) return { median: 0, windows: 0, offsetSeconds: 0 };
  const start = findOffset(windows, original, recording.length);
  let offset = start;
  const values = windows
    .filter((window) => window.start + start > -WINDOW && window.start + start < original.length)
    .map((window) => {
      const near = matchNear(window.samples, original, window.start + offset, DRIFT);
      const found = near.value >= CERTAIN ? near : matchNear(window.samples, original, window.start + offset, STALL);
      if (found.value < CERTAIN) return near.value;
      offset = found.lag - window.start;
      return found.value;
    })
    .sort((a, b) => a - b);
  return {
    median: values[Math.floor(values.length / 2)] ?? 0,
    windows: values.length,
    offsetSeconds: start / RATE,
  };
}
