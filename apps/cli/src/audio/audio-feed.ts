/** What this side says: frames handed to WebRTC at exactly the clock's pace. */
import { FRAME_MS, FRAME_RATE_HZ, FRAME_SAMPLES } from "./frames.ts";

/** Where frames go: `RTCAudioSource` of `@roamhq/wrtc`. */
export interface FrameSink {
  onData(data: {
    samples: Int16Array;
    sampleRate: number;
    bitsPerSample: 16;
    channelCount: number;
    numberOfFrames: number;
  }): void;
}

/** A monotonic clock with a repeating timer; tests hand in a virtual one. */
export interface FeedClock {
  /** Milliseconds since any fixed moment; never goes back. */
  nowMs(): number;
  /** Calls `tick` about every `intervalMs` until the result is called. */
  every(intervalMs: number, tick: () => void): () => void;
}

export const systemFeedClock: FeedClock = {
  nowMs: () => performance.now(),
  every(intervalMs, tick) {
    const timer = setInterval(tick, intervalMs);
    return () => clearInterval(timer);
  },
};

/** After a longer stall the lost time is skipped: a burst would only fill the other side's jitter buffer. */
const MAX_CATCH_UP_FRAMES = 10;

const SILENCE = new Int16Array(FRAME_SAMPLES);

/**
 * Feeds a {@link FrameSink} one frame per 10 ms from construction to `stop()`: silence, or what `play` was last given.
 * Frames are counted against the clock rather than per timer tick, so that it neither drifts nor depends on the timer.
 */
export class AudioFeed {
  readonly #sink: FrameSink;
  readonly #clock: FeedClock;
  readonly #stopTimer: () => void;
  #startMs: number;
  #sent = 0;
  #stopped = false;
  #playing: Iterator<Int16Array> | undefined;
  #finished: ((played: boolean) => void) | undefined;

  constructor(sink: FrameSink, clock: FeedClock = systemFeedClock) {
    this.#sink = sink;
    this.#clock = clock;
    this.#startMs = clock.nowMs();
    this.#stopTimer = clock.every(FRAME_MS, () => this.#tick());
  }

  /**
   * Plays `frames` (48 kHz, 480 samples each) from the next frame on, in place of what was playing; silence follows.
   * Resolves true when the last frame has been handed over, false when it was replaced or stopped before.
   */
  play(frames: Iterable<Int16Array>): Promise<boolean> {
    this.#finish(false);
    if (this.#stopped) return Promise.resolve(false);
    this.#playing = frames[Symbol.iterator]();
    return new Promise((resolve) => {
      this.#finished = resolve;
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
    this.#finish(false);
  }

  #tick(): void {
    const due = Math.floor((this.#clock.nowMs() - this.#startMs) / FRAME_MS) - this.#sent;
    if (due > MAX_CATCH_UP_FRAMES) this.#startMs += (due - MAX_CATCH_UP_FRAMES) * FRAME_MS;
    for (let i = Math.min(due, MAX_CATCH_UP_FRAMES); i > 0; i--) {
      this.#sink.onData({
        samples: this.#next(),
        sampleRate: FRAME_RATE_HZ,
        bitsPerSample: 16,
        channelCount: 1,
        numberOfFrames: FRAME_SAMPLES,
      });
      this.#sent++;
    }
  }

  #next(): Int16Array {
    const next = this.#playing?.next();
    if (next !== undefined && next.done !== true) return next.value;
    if (next !== undefined) this.#finish(true);
    return SILENCE.slice();
  }

  #finish(played: boolean): void {
    this.#playing = undefined;
    const finished = this.#finished;
    this.#finished = undefined;
    finished?.(played);
  }
}
