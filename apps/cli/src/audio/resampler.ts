/** Sample-rate conversion of a stream by a windowed-sinc polyphase filter (Smith, "Digital Audio Resampling", CCRMA). */

/** Zero crossings of the sinc on each side: 80 dB of stop band with the window below. */
const ZERO_CROSSINGS = 16;
/** Kaiser window's shape. */
const KAISER_BETA = 8;
/** Pass band as a part of the lower rate's half; the rest is the filter's slope. */
const ROLL_OFF = 0.94;
/** Bounds the filter table: 44,100 to 48,000 Hz takes 160 phases, 11,025 to 48,000 takes 640. */
const MAX_PHASES = 1024;

/**
 * Converts 16-bit mono samples from one rate to another, block by block, without a net shift in time. Throws RangeError
 * for rates whose ratio would need more than {@link MAX_PHASES} phases.
 */
export class Resampler {
  readonly #phases: number;
  readonly #stride: number;
  readonly #taps: number;
  readonly #filters: Float32Array;
  #input: Float32Array;
  #at = 0;
  #phase = 0;

  constructor(fromRate: number, toRate: number) {
    const common = greatestCommonDivisor(fromRate, toRate);
    this.#phases = toRate / common;
    this.#stride = fromRate / common;
    if (!(this.#phases <= MAX_PHASES)) throw new RangeError(`cannot resample ${fromRate} to ${toRate} Hz`);
    const scale = Math.min(1, toRate / fromRate);
    const half = Math.ceil(ZERO_CROSSINGS / scale);
    this.#taps = 2 * half;
    this.#filters = makeFilters(this.#phases, half, scale * ROLL_OFF);
    this.#input = new Float32Array(half - 1);
  }

  /** The output that `samples` completes. */
  push(samples: Int16Array): Int16Array {
    const input = new Float32Array(this.#input.length + samples.length);
    input.set(this.#input);
    input.set(samples, this.#input.length);
    const output: number[] = [];
    while (this.#at + this.#taps <= input.length) {
      output.push(this.#filterAt(input));
      this.#phase += this.#stride;
      this.#at += Math.floor(this.#phase / this.#phases);
      this.#phase %= this.#phases;
    }
    const used = Math.min(this.#at, input.length);
    this.#input = input.subarray(used);
    this.#at -= used;
    return Int16Array.from(output);
  }

  /** The tail that waited for samples to come, as if silence followed. */
  flush(): Int16Array {
    return this.push(new Int16Array(this.#taps / 2));
  }

  #filterAt(input: Float32Array): number {
    const filter = this.#phase * this.#taps;
    let sum = 0;
    for (let k = 0; k < this.#taps; k++) sum += (input[this.#at + k] as number) * (this.#filters[filter + k] as number);
    return Math.max(-32768, Math.min(32767, Math.round(sum)));
  }
}

function makeFilters(phases: number, half: number, cutoff: number): Float32Array {
  const taps = 2 * half;
  const filters = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase++) {
    const filter = filters.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const x = k - (half - 1) - phase / phases;
      filter[k] = sinc(cutoff * x) * kaiser(x / half);
      sum += filter[k] as number;
    }
    for (let k = 0; k < taps; k++) filter[k] = (filter[k] as number) / sum; // every phase passes DC at exactly 1
  }
  return filters;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-9 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
