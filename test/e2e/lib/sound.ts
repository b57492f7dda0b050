/** Mono sound in memory, and the few things the tests do with it. */
import { readFileSync, writeFileSync } from "node:fs";

/** Mono samples, -1..1. */
export interface Sound {
  readonly sampleRate: number;
  readonly samples: Float32Array;
}

/** Reads a PCM WAV file of 16 bits; of several channels the first. Throws on any other kind. */
export function readWav(path: string): Sound {
  const bytes = readFileSync(path);
  if (bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 12) !== "WAVE")
    throw new Error(`${path}: not a WAV file`);
  let format: { channels: number; sampleRate: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString("latin1", at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (id === "fmt ") {
      if (body.readUInt16LE(14) !== 16) throw new Error(`${path}: not 16 bits a sample`);
      format = { channels: body.readUInt16LE(2), sampleRate: body.readUInt32LE(4) };
    }
    if (id === "data" && format) return { sampleRate: format.sampleRate, samples: firstChannel(body, format.channels) };
    at += 8 + size + (size % 2);
  }
  throw new Error(`${path}: no sound in it`);
}

function firstChannel(body: Buffer, channels: number): Float32Array {
  const samples = new Float32Array(Math.floor(body.length / 2 / channels));
  for (let i = 0; i < samples.length; i++) samples[i] = body.readInt16LE(i * 2 * channels) / 32_768;
  return samples;
}

/** Writes a mono PCM WAV file of 16 bits. */
export function writeWav(path: string, { sampleRate, samples }: Sound): void {
  const bytes = Buffer.alloc(44 + samples.length * 2);
  bytes.write("RIFF", 0, "latin1");
  bytes.writeUInt32LE(36 + samples.length * 2, 4);
  bytes.write("WAVEfmt ", 8, "latin1");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((value, i) => bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, value)) * 32_767), 44 + i * 2));
  writeFileSync(path, bytes);
}

/** Half the width of the resampler's kernel, in periods of the lower rate. */
const KERNEL_PERIODS = 16;

/** Windowed-sinc weights of the samples from `first` (relative to the whole part of a place) on, for its fraction. */
interface Kernel {
  readonly first: number;
  readonly weights: Float64Array;
}

function kernelFor(fraction: number, cutoff: number): Kernel {
  const reach = KERNEL_PERIODS / cutoff;
  const first = Math.ceil(fraction - reach);
  const weights = Float64Array.from({ length: Math.floor(fraction + reach) - first + 1 }, (_, i) => {
    const x = (first + i - fraction) * cutoff;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return cutoff * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / KERNEL_PERIODS));
  });
  return { first, weights };
}

/** The same sound at another rate, without what the lower rate cannot hold. */
export function resample({ sampleRate, samples }: Sound, rate: number): Sound {
  if (sampleRate === rate) return { sampleRate, samples };
  const cutoff = Math.min(1, rate / sampleRate) * 0.95;
  const kernels = new Map<number, Kernel>();
  const out = new Float32Array(Math.floor((samples.length * rate) / sampleRate));
  for (let i = 0; i < out.length; i++) {
    // in whole numbers, so that the same few fractions come again
    const remainder = (i * sampleRate) % rate;
    const whole = (i * sampleRate - remainder) / rate;
    let kernel = kernels.get(remainder);
    if (!kernel) kernels.set(remainder, (kernel = kernelFor(remainder / rate, cutoff)));
    let sum = 0;
    const from = whole + kernel.first;
    const end = Math.min(kernel.weights.length, samples.length - from);
    for (let k = Math.max(0, -from); k < end; k++) sum += samples[from + k]! * kernel.weights[k]!;
    out[i] = sum;
  }
  return { sampleRate: rate, samples: out };
}

/** Root mean square of samples `from` up to `to`. */
export function rms(samples: Float32Array, from = 0, to = samples.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += samples[i]! ** 2;
  return Math.sqrt(sum / Math.max(1, to - from));
}
