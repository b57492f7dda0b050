/** Frames from WebRTC's callback to whoever awaits them, in order. */
import { FRAME_SAMPLES } from "../audio/frames.ts";

/** 2 s of frames; the oldest go when nobody listens, as when Echo is speaking itself. */
const MAX_QUEUED_FRAMES = 200;

/** Cuts blocks of any size into 10 ms frames and holds them until they are taken. */
export class FrameQueue {
  #rest: Int16Array = new Int16Array();
  #frames: Int16Array[] = [];
  #waiting: ((frame: Int16Array | undefined) => void) | undefined;
  #ended = false;

  push(samples: Int16Array): void {
    if (this.#ended) return;
    const joined = new Int16Array(this.#rest.length + samples.length);
    joined.set(this.#rest);
    joined.set(samples, this.#rest.length);
    let at = 0;
    for (; at + FRAME_SAMPLES <= joined.length; at += FRAME_SAMPLES) this.#offer(joined.slice(at, at + FRAME_SAMPLES));
    this.#rest = joined.subarray(at);
  }

  /** The next frame; undefined once ended. One taker at a time. */
  next(): Promise<Int16Array | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Forgets what was not taken. */
  clear(): void {
    this.#frames = [];
  }

  end(): void {
    this.#ended = true;
    this.#frames = [];
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }

  #offer(frame: Int16Array): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) return waiting(frame);
    this.#frames.push(frame);
    if (this.#frames.length > MAX_QUEUED_FRAMES) this.#frames.shift();
  }
}
