/** A voice that never pauses, and an ear that knows when it hears one. */
import { loadWrtc } from "@earshot/sdk/node";
import { monotonicNow } from "./person-protocol.ts";

const RATE = 48_000;
const FRAME = RATE / 100;
const FRAME_MS = 10;
/** What a process that was stopped is late by is not said later. */
const LATE_FRAMES = 20;
/** Of the quantity of a 16-bit sample: far above comfort noise, far below the voice. */
const HEARD_LEVEL = 2_000;
/** A codec conceals shorter gaps; so much must have been quiet for the voice to be gone. */
const GONE_MS = 150;
/** Nothing at all came for so long: the machine slept, and heard nothing of what was said meanwhile. */
const SLEPT_MS = 5_000;
/** So many frames in a row must be loud for it to be there: one alone may be a click. */
const BACK_FRAMES = 3;

/** A tone with a slow beat, from now on until the process ends. */
export function createVoice(hertz: number): MediaStreamTrack {
  const source = new (loadWrtc().nonstandard.RTCAudioSource)();
  const startedAt = monotonicNow();
  let frames = 0;
  setInterval(() => {
    const due = Math.floor((monotonicNow() - startedAt) / FRAME_MS);
    if (due - frames > LATE_FRAMES) frames = due - 1;
    for (; frames < due; frames++)
      source.onData({
        samples: frameOf(hertz, frames),
        sampleRate: RATE,
        bitsPerSample: 16,
        channelCount: 1,
        numberOfFrames: FRAME,
      });
  }, 5);
  return source.createTrack();
}

function frameOf(hertz: number, frame: number): Int16Array {
  return Int16Array.from({ length: FRAME }, (_, i) => {
    const seconds = (frame * FRAME + i) / RATE;
    return 14_000 * Math.sin(2 * Math.PI * hertz * seconds) * (0.8 + 0.2 * Math.sin(2 * Math.PI * 3 * seconds));
  });
}

/** Notes into `turns` when the voice on this track begins and ceases, by turns. The result stops it. */
export function listenFor(track: MediaStreamTrack, turns: number[]): () => void {
  const sink = new (loadWrtc().nonstandard.RTCAudioSink)(track);
  let loudFrames = 0;
  let lastLoudAt = 0;
  sink.ondata = ({ samples }) => {
    const now = monotonicNow();
    if (turns.length % 2 === 1 && now - lastLoudAt >= SLEPT_MS) {
      turns.push(lastLoudAt);
      loudFrames = 0;
    }
    const isThere = turns.length % 2 === 1;
    if (samples.some((sample) => Math.abs(sample) > HEARD_LEVEL)) {
      loudFrames += 1;
      lastLoudAt = now;
      if (!isThere && loudFrames >= BACK_FRAMES) turns.push(now - (BACK_FRAMES - 1) * FRAME_MS);
      return;
    }
    loudFrames = 0;
    if (isThere && now - lastLoudAt >= GONE_MS) turns.push(lastLoudAt);
  };
  return () => sink.stop();
}
