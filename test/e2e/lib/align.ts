/** Brings a recording to the time of what was said, so that the two can be compared moment by moment. */
import { normalisedCorrelation } from "./correlate.ts";
import { resample, type Sound } from "./sound.ts";

/** What STOI hears; enough to place a piece to 0.1 ms. */
const RATE = 10_000;
const PIECE = RATE / 2;
/** The jitter buffer moves by less than this from one piece to the next. */
const DRIFT = RATE * 0.06;
/** A sound path that stalls moves by up to this; followed only to where a piece fits for certain. */
const STALL = RATE;
/** Below this a piece tells nothing of where it belongs: silence, or mostly concealment. */
const SURE = 0.5;
/** Below this the recording is not of what was said: by chance a second never fits so well. */
const LIKELY = 0.35;
/** From this on a second is where it belongs, and no other need be looked for. */
const CERTAIN = 0.7;
/** Seconds of the recording that are looked for in all that was said. */
const PROBES = 8;

export interface Aligned {
  readonly said: Sound;
  readonly heard: Sound;
}

/**
 * `said`, over and over, beside `heard`, of which each half second is taken from where it fits best near where the one before
 * did: jitter buffers stretch and squeeze. Both at 10 kHz. Throws where the recording is of something else.
 */
export function align(said: Sound, heard: Sound): Aligned {
  const recording = resample(heard, RATE).samples;
  const once = resample(said, RATE).samples;
  let offset = placeOf(recording, once);
  const saidParts: Float32Array[] = [];
  const heardParts: Float32Array[] = [];
  for (let at = 0; at + PIECE <= recording.length; at += PIECE) {
    const original = looped(once, at + offset, PIECE);
    const near = bestNear(recording, original, at, DRIFT);
    const found = near.score >= SURE ? near : bestNear(recording, original, at, STALL);
    const start = found.score >= SURE ? found.start : at;
    saidParts.push(original);
    heardParts.push(recording.subarray(start, start + PIECE));
    offset += at - start;
  }
  return { said: joined(saidParts), heard: joined(heardParts) };
}

/** Where `original` fits best within `reach` of `at`. */
function bestNear(recording: Float32Array, original: Float32Array, at: number, reach: number) {
  const from = Math.max(0, at - reach);
  const scores = normalisedCorrelation(recording.subarray(from, at + original.length + reach), original);
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return { start: from + best, score: scores[best] ?? 0 };
}

/** Where in the loop of `once` the recording's first samples lie. */
function placeOf(recording: Float32Array, once: Float32Array): number {
  const probe = RATE;
  if (recording.length < probe || once.length < probe) throw new Error("too short to be placed");
  const doubled = looped(once, 0, once.length + probe);
  let found = { score: 0, place: 0 };
  // Of several seconds one that fits: in others there are gaps, or the jitter buffer moved.
  for (let n = 0; n < PROBES && found.score < CERTAIN; n++) {
    const start = Math.floor((n * (recording.length - probe)) / (PROBES - 1));
    const best = bestNear(doubled, recording.subarray(start, start + probe), 0, doubled.length);
    if (best.score > found.score) found = { score: best.score, place: best.start - start };
  }
  if (found.score < LIKELY) throw new Error(`the recording is of something else (${found.score.toFixed(2)})`);
  return found.place;
}

function looped(once: Float32Array, start: number, length: number): Float32Array {
  const first = ((start % once.length) + once.length) % once.length;
  return Float32Array.from({ length }, (_, i) => once[(first + i) % once.length]!);
}

function joined(parts: readonly Float32Array[]): Sound {
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part.subarray(0, PIECE), at);
    at += PIECE;
  }
  return { sampleRate: RATE, samples };
}
