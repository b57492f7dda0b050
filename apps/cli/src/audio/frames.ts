/** Sound as the 10 ms frames that WebRTC takes. */
import { Resampler } from "./resampler.ts";
import type { Sound } from "./wav.ts";

export const FRAME_RATE_HZ = 48_000;
export const FRAME_MS = 10;
export const FRAME_SAMPLES = (FRAME_RATE_HZ * FRAME_MS) / 1000;
/** Sound is converted in blocks of this many samples, so that an hour's file never stands in memory twice. */
const BLOCK_SAMPLES = 8192;

/** `sound` as 48 kHz frames of {@link FRAME_SAMPLES}, the last one filled up with silence. */
export function* framesOf(sound: Sound): Generator<Int16Array> {
  let frame = new Int16Array(FRAME_SAMPLES);
  let filled = 0;
  for (const block of blocksAtFrameRate(sound)) {
    for (let at = 0; at < block.length; ) {
      const part = block.subarray(at, at + FRAME_SAMPLES - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < FRAME_SAMPLES) continue;
      yield frame;
      frame = new Int16Array(FRAME_SAMPLES);
      filled = 0;
    }
  }
  if (filled > 0) yield frame;
}

/** Without end: `sound` over and over. Silence where it is empty. */
export function* loopedFramesOf(sound: Sound): Generator<Int16Array> {
  if (sound.samples.length === 0) return;
  for (;;) yield* framesOf(sound);
}

function* blocksAtFrameRate(sound: Sound): Generator<Int16Array> {
  const resampler = sound.sampleRate === FRAME_RATE_HZ ? undefined : new Resampler(sound.sampleRate, FRAME_RATE_HZ);
  for (let at = 0; at < sound.samples.length; at += BLOCK_SAMPLES) {
    const block = sound.samples.subarray(at, at + BLOCK_SAMPLES);
    yield resampler === undefined ? block : resampler.push(block);
  }
  if (resampler !== undefined) yield resampler.flush();
}
