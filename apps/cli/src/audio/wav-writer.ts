/** A WAV file that is valid at every moment it is looked at, so that neither Ctrl-C nor kill -9 spoils a recording. */
import { closeSync, openSync, writeSync } from "node:fs";
import { EarshotError } from "@earshot/core";
import { WAV_HEADER_BYTES, wavHeader } from "./wav.ts";

/** The header is brought up to date after so many seconds of sound: what a kill -9 may cost. */
const HEADER_EVERY_SECONDS = 0.5;
/** A WAV file's length fields are 32 bits; recording stops there (6 hours at 48 kHz). */
const MAX_DATA_BYTES = 0x7fffffff - WAV_HEADER_BYTES;

/**
 * Mono 16-bit PCM, appended as it comes. Writes are synchronous: they are small, and what was appended before a crash is
 * then on its way to disk. The constructor throws `EarshotError` code `record-failed` if the file cannot be made.
 */
export class WavWriter {
  readonly #file: number;
  readonly #sampleRate: number;
  #samples = 0;
  #samplesInHeader = 0;
  #open = true;

  constructor(path: string, sampleRate: number) {
    try {
      this.#file = openSync(path, "w");
    } catch (error) {
      throw new EarshotError("record-failed", `cannot record to ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    this.#sampleRate = sampleRate;
    this.#writeHeader();
  }

  /** Seconds of sound so far. */
  get seconds(): number {
    return this.#samples / this.#sampleRate;
  }

  /** Appends samples; ignored once closed or full. */
  append(samples: Int16Array): void {
    if (!this.#open || 2 * (this.#samples + samples.length) > MAX_DATA_BYTES) return;
    const bytes = new Uint8Array(2 * samples.length);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < samples.length; i++) view.setInt16(2 * i, samples[i] as number, true);
    writeAll(this.#file, bytes, WAV_HEADER_BYTES + 2 * this.#samples);
    this.#samples += samples.length;
    if (this.#samples - this.#samplesInHeader >= HEADER_EVERY_SECONDS * this.#sampleRate) this.#writeHeader();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#writeHeader();
    closeSync(this.#file);
  }

  #writeHeader(): void {
    writeAll(this.#file, wavHeader(this.#sampleRate, this.#samples), 0);
    this.#samplesInHeader = this.#samples;
  }
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}
