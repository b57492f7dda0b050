/** What this side hears: the frames of a remote track, brought to one rate. */
import { Resampler } from "./resampler.ts";

/** A frame as `RTCAudioSink` of `@roamhq/wrtc` gives it: 10 ms, at a rate that follows the decoder (16 or 48 kHz). */
export interface HeardFrame {
  readonly samples: Int16Array;
  readonly sampleRate: number;
  readonly channelCount: number;
}

/**
 * Converts frames to mono at `targetRate` Hz. WebRTC's sink changes its rate while a track runs (it starts at 16 kHz,
 * and goes to 48 kHz once Opus has been decoded); a recording has one rate throughout.
 */
export class RateUnifier {
  readonly #targetRate: number;
  #rate: number;
  #resampler: Resampler | undefined;

  constructor(targetRate: number) {
    this.#targetRate = targetRate;
    this.#rate = targetRate;
  }

  push(frame: HeardFrame): Int16Array {
    const tail = frame.sampleRate === this.#rate ? undefined : this.#switchTo(frame.sampleRate);
    const mono = frame.channelCount === 1 ? frame.samples : firstChannel(frame.samples, frame.channelCount);
    const body = this.#resampler?.push(mono) ?? mono;
    return tail === undefined || tail.length === 0 ? body : Int16Array.of(...tail, ...body);
  }

  /** What the old rate's filter still held. */
  #switchTo(rate: number): Int16Array | undefined {
    const tail = this.#resampler?.flush();
    this.#rate = rate;
    this.#resampler = rate === this.#targetRate ? undefined : new Resampler(rate, this.#targetRate);
    return tail;
  }
}

function firstChannel(interleaved: Int16Array, channels: number): Int16Array {
  return Int16Array.from(
    { length: Math.floor(interleaved.length / channels) },
    (_, i) => interleaved[i * channels] ?? 0,
  );
}
