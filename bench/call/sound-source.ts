/** A microphone and an ear that tell when sound went in and when it came out. */
import { loadWrtc } from "@earshot/sdk/node";
import { type MicrophoneSound, now } from "./protocol.ts";

const RATE = 48_000;
const FRAME = RATE / 100;
const TONE_HZ = 1_000;
const BURST_EVERY_FRAMES = 50;
const BURST_FRAMES = 8;
/** Out of 32,768: far above comfort noise, far below the tone. */
const HEARD_LEVEL = 3_000;
/** So long it must have been quiet for the next sound to be a new burst, in frames of 10 ms. */
const QUIET_FRAMES = 20;

const toneFrame = Int16Array.from({ length: FRAME }, (_, i) => 16_000 * Math.sin((2 * Math.PI * TONE_HZ * i) / RATE));
const silentFrame = new Int16Array(FRAME);

export interface Microphone {
  readonly track: MediaStreamTrack;
  sound: MicrophoneSound;
}

/** Gives 10 ms frames in real time; `onBurst` is told when the first frame of each burst is handed over. */
export function createMicrophone(onBurst: (at: number) => void): Microphone {
  const source = new (loadWrtc().nonstandard.RTCAudioSource)();
  const microphone: Microphone = { track: source.createTrack(), sound: "silence" };
  const startedAt = now();
  let frames = 0;
  setInterval(() => {
    for (const due = Math.floor((now() - startedAt) / 10); frames < due; frames++) {
      const phase = frames % BURST_EVERY_FRAMES;
      const loud = microphone.sound === "tone" || (microphone.sound === "bursts" && phase < BURST_FRAMES);
      if (microphone.sound === "bursts" && phase === 0) onBurst(now());
      source.onData({
        samples: loud ? toneFrame : silentFrame,
        sampleRate: RATE,
        bitsPerSample: 16,
        channelCount: 1,
        numberOfFrames: FRAME,
      });
    }
  }, 5);
  return microphone;
}

/** Calls `onSound` when sound comes after quiet, at the moment at which it is handed out to be played. */
export function listen(track: MediaStreamTrack, onSound: (at: number) => void): () => void {
  const sink = new (loadWrtc().nonstandard.RTCAudioSink)(track);
  let quiet = QUIET_FRAMES;
  sink.ondata = ({ samples }) => {
    const loud = samples.some((sample) => Math.abs(sample) > HEARD_LEVEL);
    if (loud && quiet >= QUIET_FRAMES) onSound(now());
    quiet = loud ? 0 : quiet + 1;
  };
  return () => sink.stop();
}
