/** Records, inside a page, what the person in front of it hears: the stream of the app's audio element. */
import type { Page } from "playwright-core";
import type { Sound } from "./sound.ts";

const SELECTOR = "[data-testid=remote-audio]";

interface Recording {
  sampleRate: number;
  frames: Float32Array[];
  length: number;
  track: MediaStreamTrack;
}

type RecordingWindow = Window & { earshotRecording?: Recording };

/**
 * Runs in the page until `stopInPage` does: taps the element's track frame by frame, so that a busy main thread loses
 * nothing. (No named functions inside: a loader that keeps names would make them call what the page does not have.)
 */
async function recordInPage(selector: string): Promise<void> {
  const element = document.querySelector<HTMLMediaElement>(selector);
  const track = (element?.srcObject as MediaStream | null)?.getAudioTracks()[0];
  if (!track) throw new Error(`${selector} plays no audio track`);
  type Frame = {
    sampleRate: number;
    numberOfFrames: number;
    copyTo(to: Float32Array, how: object): void;
    close(): void;
  };
  type Processor = new (init: {
    track: MediaStreamTrack;
    maxBufferSize: number;
  }) => { readable: ReadableStream<Frame> };
  const { MediaStreamTrackProcessor } = window as unknown as { MediaStreamTrackProcessor: Processor };
  // A copy, because a processor that is stopped ends its track.
  const copy = track.clone();
  const reader = new MediaStreamTrackProcessor({ track: copy, maxBufferSize: 500 }).readable.getReader();
  const recording: Recording = { sampleRate: 48_000, frames: [], length: 0, track: copy };
  (window as RecordingWindow).earshotRecording = recording;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const samples = new Float32Array(value.numberOfFrames);
    value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    recording.sampleRate = value.sampleRate;
    recording.frames.push(samples);
    recording.length += samples.length;
    value.close();
  }
}

/** Runs in the page: ends the recording and gives its samples as base64 of 16-bit PCM. */
function stopInPage(): { sampleRate: number; pcm: string } {
  const recording = (window as RecordingWindow).earshotRecording;
  if (!recording) throw new Error("nothing is being recorded");
  recording.track.stop();
  const pcm = new DataView(new ArrayBuffer(recording.length * 2));
  let at = 0;
  for (const frame of recording.frames) {
    for (const value of frame) {
      pcm.setInt16(at, Math.round(Math.max(-1, Math.min(1, value)) * 32_767), true);
      at += 2;
    }
  }
  let text = "";
  const bytes = new Uint8Array(pcm.buffer);
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return { sampleRate: recording.sampleRate, pcm: btoa(text) };
}

/** Records what the page plays from now on until so many seconds of it are there. */
export async function recordRemoteAudio(page: Page, seconds: number, selector = SELECTOR): Promise<Sound> {
  await page.waitForFunction((which) => {
    const element = document.querySelector<HTMLMediaElement>(which);
    return ((element?.srcObject as MediaStream | null)?.getAudioTracks().length ?? 0) > 0;
  }, selector);
  const recorded = page.evaluate(recordInPage, selector);
  const enough = page.waitForFunction(
    (wanted) => {
      const recording = (window as RecordingWindow).earshotRecording;
      return recording !== undefined && recording.length >= wanted * recording.sampleRate;
    },
    seconds,
    { timeout: seconds * 1_000 + 20_000 },
  );
  await Promise.race([enough, recorded]);
  const { sampleRate, pcm } = await page.evaluate(stopInPage);
  const bytes = Buffer.from(pcm, "base64");
  const samples = Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(i * 2) / 32_768);
  return { sampleRate, samples };
}
