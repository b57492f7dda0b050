/** Finds one utterance in a stream of 10 ms frames by its level over the background's. */

/** Quieter is never speech. dB below full scale. */
const MIN_SPEECH_DB = -48;
/** How far above the background speech must stand. */
const SPEECH_OVER_NOISE_DB = 10;
/** The background is followed down at once and up by so much per frame (1 dB a second). */
const NOISE_RISE_DB = 0.01;
const QUIETEST_DB = -72;
/** So many of the last {@link ONSET_WINDOW} frames must be loud for speech to have begun: clicks are shorter. */
const ONSET_FRAMES = 6;
const ONSET_WINDOW = 10;
/** Kept from before the onset, so that no soft first sound is cut off. */
const PRE_ROLL_FRAMES = 30;
/** Kept after the last loud frame. */
const POST_ROLL_FRAMES = 25;

export interface SpeechLimits {
  /** Silence after speech that ends the utterance, in frames of 10 ms. */
  readonly endFrames: number;
  /** Longest utterance, from its onset. */
  readonly maxFrames: number;
  /** Give up when nothing was said in so many frames. */
  readonly patienceFrames: number;
}

export const SPEECH_LIMITS: SpeechLimits = { endFrames: 100, maxFrames: 500, patienceFrames: 800 };

export type Heard =
  | { readonly kind: "waiting" | "speaking" | "nothing" }
  /** `frames`: the utterance, with a little before and after it. */
  | { readonly kind: "utterance"; readonly frames: readonly Int16Array[] };

/** Takes frames until it has heard an utterance, or nothing for too long; one detector per utterance. */
export class SpeechDetector {
  readonly #limits: SpeechLimits;
  readonly #recent: boolean[] = [];
  #frames: Int16Array[] = [];
  #noiseDb = MIN_SPEECH_DB - SPEECH_OVER_NOISE_DB;
  #waited = 0;
  #spoken = 0;
  #quiet = 0;

  constructor(limits: SpeechLimits = SPEECH_LIMITS) {
    this.#limits = limits;
  }

  push(frame: Int16Array): Heard {
    const loud = this.#isLoud(levelDb(frame));
    this.#frames.push(frame);
    return this.#spoken === 0 ? this.#wait(loud) : this.#follow(loud);
  }

  #wait(loud: boolean): Heard {
    this.#recent.push(loud);
    if (this.#recent.length > ONSET_WINDOW) this.#recent.shift();
    if (this.#frames.length > PRE_ROLL_FRAMES) this.#frames.shift();
    if (this.#recent.filter(Boolean).length >= ONSET_FRAMES) {
      this.#spoken = 1;
      return { kind: "speaking" };
    }
    return { kind: ++this.#waited >= this.#limits.patienceFrames ? "nothing" : "waiting" };
  }

  #follow(loud: boolean): Heard {
    this.#spoken++;
    this.#quiet = loud ? 0 : this.#quiet + 1;
    if (this.#quiet < this.#limits.endFrames && this.#spoken < this.#limits.maxFrames) return { kind: "speaking" };
    const surplus = Math.max(0, this.#quiet - POST_ROLL_FRAMES);
    return { kind: "utterance", frames: this.#frames.slice(0, this.#frames.length - surplus) };
  }

  #isLoud(level: number): boolean {
    const floor = Math.max(QUIETEST_DB, level);
    this.#noiseDb = Math.min(floor, this.#noiseDb + NOISE_RISE_DB);
    return level > Math.max(MIN_SPEECH_DB, this.#noiseDb + SPEECH_OVER_NOISE_DB);
  }
}

/** Root-mean-square level in dB below full scale. */
function levelDb(frame: Int16Array): number {
  let sum = 0;
  for (const sample of frame) sum += sample * sample;
  return sum === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(sum / frame.length / 2 ** 30);
}
