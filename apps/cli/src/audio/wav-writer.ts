/** A WAV file that is valid at every moment it is looked at, so that neither Ctrl-C nor kill -9 spoils a recording. */
import { accessSync, closeSync, constants, existsSync, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { EarshotError } from "@earshot/core";
import { WAV_HEADER_BYTES, wavHeader } from "./wav.ts";

/** The header is brought up to date after so many seconds of sound: what a kill -9 may cost. */
const HEADER_EVERY_SECONDS = 0.5;
/** A WAV file's length fields are 32 bits; recording stops there (6 hours at 48 kHz). */
const MAX_DATA_BYTES = 0x7fffffff - WAV_HEADER_BYTES;
/** What two people said is for who recorded it. */
const FILE_MODE = 0o600;

/**
 * Mono 16-bit PCM, appended as it comes. The file is made, or an old one replaced, with the first samples: a call that never
 * was leaves the path alone. Writes are synchronous: they are small, and what was appended before a crash is then on its
 * way to disk.
 */
export class WavWriter {
  readonly #path: string;
  readonly #sampleRate: number;
  readonly #onFailed: (error: EarshotError) => void;
  /** Undefined before the first samples. */
  #file: number | undefined;
  #samples = 0;
  #samplesInHeader = 0;
  #open = true;

  /**
   * Throws `EarshotError` code `record-failed` if no file can be made at `path`. `onFailed` is told, once and with the same
   * code, what went wrong later, such as a full disk: recording has stopped then, and what was kept so far can be read.
   */
  constructor(path: string, sampleRate: number, onFailed: (error: EarshotError) => void = () => undefined) {
    try {
      checkWritable(path);
    } catch (error) {
      throw failure(path, error);
    }
    this.#path = path;
    this.#sampleRate = sampleRate;
    this.#onFailed = onFailed;
  }

  /** Seconds of sound so far. */
  get seconds(): number {
    return this.#samples / this.#sampleRate;
  }

  /** Appends samples; ignored once closed, failed or full. */
  append(samples: Int16Array): void {
    if (!this.#open || 2 * (this.#samples + samples.length) > MAX_DATA_BYTES) return;
    const bytes = new Uint8Array(2 * samples.length);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < samples.length; i++) view.setInt16(2 * i, samples[i] as number, true);
    try {
      if (this.#file === undefined) {
        this.#file = openSync(this.#path, "w", FILE_MODE);
        this.#writeHeader(this.#file);
      }
      writeAll(this.#file, bytes, WAV_HEADER_BYTES + 2 * this.#samples);
      this.#samples += samples.length;
      if (this.#samples - this.#samplesInHeader >= HEADER_EVERY_SECONDS * this.#sampleRate)
        this.#writeHeader(this.#file);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Never throws; see `onFailed`. */
  close(): void {
    if (!this.#open) return;
    try {
      this.#finish();
    } catch (error) {
      this.#onFailed(failure(this.#path, error));
    }
  }

  #fail(error: unknown): void {
    try {
      this.#finish(); // the header lies in a block that is there already: it can often be written on a full disk
    } catch {
      // What is told is the first error.
    }
    this.#onFailed(failure(this.#path, error));
  }

  #finish(): void {
    this.#open = false;
    if (this.#file === undefined) return;
    try {
      this.#writeHeader(this.#file);
    } finally {
      closeSync(this.#file);
    }
  }

  #writeHeader(file: number): void {
    writeAll(file, wavHeader(this.#sampleRate, this.#samples), 0);
    this.#samplesInHeader = this.#samples;
  }
}

/** The file that is there may be written, or else one may be made in its folder. Throws the system's error, or why not. */
function checkWritable(path: string): void {
  if (!existsSync(path)) return accessSync(dirname(path), constants.W_OK | constants.X_OK);
  if (statSync(path).isDirectory()) throw new Error("it is a folder");
  accessSync(path, constants.W_OK);
}

function failure(path: string, error: unknown): EarshotError {
  return new EarshotError("record-failed", `cannot record to ${path}: ${(error as Error).message}`, { cause: error });
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}
