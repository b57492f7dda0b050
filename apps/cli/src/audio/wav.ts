/**
 * RIFF/WAVE files (Microsoft "Multimedia Programming Interface and Data Specifications 1.0", RFC 2361): 16-bit PCM and
 * mu-law, mono or stereo. Whole files are decoded from memory; `wav-writer.ts` writes while a call lasts.
 *
 *   "RIFF" ‖ size u32 ‖ "WAVE" ‖ chunk*        chunk = id 4 ‖ size u32 ‖ body ‖ pad to even      (little-endian)
 *
 * Own code rather than a package: of those on npm, `wavefile`, `node-wav` and `wav` accept what they cannot read, size
 * their buffers by what the header claims, and none writes a header that is valid after an interrupt. This is shorter
 * than an adapter with those checks would be.
 */
import { decodeMuLaw } from "./mu-law.ts";

/** Larger files are refused: 46 minutes of 48 kHz mono. They are read into memory. */
export const MAX_WAV_BYTES = 256 * 1024 * 1024;
/** Chunks before the sound; real files have fewer than ten. */
const MAX_CHUNKS = 64;
/** Rates in Hz that are read. */
export const WAV_RATES: readonly number[] = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000];
/** Streaming writers that cannot seek (espeak-ng, sox, ffmpeg) claim a length of at least this much; the file's end counts then. */
const UNKNOWN_LENGTH_FROM = 0x7ffff000;
export const WAV_HEADER_BYTES = 44;

const FORMAT_PCM = 1;
const FORMAT_MU_LAW = 7;
const FORMAT_EXTENSIBLE = 0xfffe;

/** One channel of sound: 16-bit samples at `sampleRate` Hz. */
export interface Sound {
  readonly sampleRate: number;
  readonly samples: Int16Array;
}

export type WavProblem =
  | "not-wav"
  | "truncated"
  | "too-large"
  | "unsupported-encoding"
  | "unsupported-rate"
  | "unsupported-channels";

export type WavResult =
  | { readonly ok: true; readonly value: Sound }
  | { readonly ok: false; readonly problem: WavProblem };

interface Format {
  readonly encoding: number;
  readonly channels: number;
  readonly sampleRate: number;
}

/** Reads a WAV file's bytes; stereo is mixed down to mono. Never throws. */
export function decodeWav(bytes: Uint8Array): WavResult {
  if (bytes.length > MAX_WAV_BYTES) return refuseWav("too-large");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || tag(view, 0) !== "RIFF" || tag(view, 8) !== "WAVE") return refuseWav("not-wav");
  let format: Format | undefined;
  let at = 12;
  for (let chunk = 0; chunk < MAX_CHUNKS && at + 8 <= bytes.length; chunk++) {
    const id = tag(view, at);
    const claimed = view.getUint32(at + 4, true);
    const from = at + 8;
    if (id === "data") {
      if (format === undefined) return refuseWav("not-wav");
      const length = claimed >= UNKNOWN_LENGTH_FROM ? bytes.length - from : claimed;
      return length > bytes.length - from
        ? refuseWav("truncated")
        : decodeData(bytes.subarray(from, from + length), format);
    }
    if (claimed > bytes.length - from) return refuseWav("truncated");
    if (id === "fmt ") {
      const read = decodeFormat(new DataView(view.buffer, view.byteOffset + from, claimed));
      if (typeof read === "string") return refuseWav(read);
      format = read;
    }
    at = from + claimed + (claimed % 2);
  }
  return refuseWav(at >= bytes.length ? "truncated" : "not-wav");
}

/** `sound` as a mono 16-bit PCM file. */
export function encodeWav(sound: Sound): Uint8Array {
  const bytes = new Uint8Array(WAV_HEADER_BYTES + 2 * sound.samples.length);
  bytes.set(wavHeader(sound.sampleRate, sound.samples.length));
  const view = new DataView(bytes.buffer, WAV_HEADER_BYTES);
  for (let i = 0; i < sound.samples.length; i++) view.setInt16(2 * i, sound.samples[i] as number, true);
  return bytes;
}

/** The 44 bytes before `sampleCount` mono 16-bit samples. */
export function wavHeader(sampleRate: number, sampleCount: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(WAV_HEADER_BYTES));
  const dataBytes = 2 * sampleCount;
  setTag(view, 0, "RIFF");
  view.setUint32(4, WAV_HEADER_BYTES - 8 + dataBytes, true);
  setTag(view, 8, "WAVE");
  setTag(view, 12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  setTag(view, 36, "data");
  view.setUint32(40, dataBytes, true);
  return new Uint8Array(view.buffer);
}

function decodeFormat(view: DataView): Format | WavProblem {
  if (view.byteLength < 16) return "truncated";
  let encoding = view.getUint16(0, true);
  if (encoding === FORMAT_EXTENSIBLE) {
    if (view.byteLength < 40) return "truncated";
    encoding = view.getUint16(24, true); // the sub-format's first field is a plain format code (RFC 2361)
  }
  const bitsWanted = encoding === FORMAT_PCM ? 16 : encoding === FORMAT_MU_LAW ? 8 : 0;
  if (bitsWanted === 0 || view.getUint16(14, true) !== bitsWanted) return "unsupported-encoding";
  const channels = view.getUint16(2, true);
  if (channels !== 1 && channels !== 2) return "unsupported-channels";
  const sampleRate = view.getUint32(4, true);
  return WAV_RATES.includes(sampleRate) ? { encoding, channels, sampleRate } : "unsupported-rate";
}

function decodeData(data: Uint8Array, format: Format): WavResult {
  const all = format.encoding === FORMAT_MU_LAW ? decodeMuLaw(data) : decodePcm(data);
  return { ok: true, value: { sampleRate: format.sampleRate, samples: format.channels === 2 ? mixDown(all) : all } };
}

function decodePcm(data: Uint8Array): Int16Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const samples = new Int16Array(Math.floor(data.length / 2));
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true);
  return samples;
}

function mixDown(interleaved: Int16Array): Int16Array {
  const mono = new Int16Array(Math.floor(interleaved.length / 2));
  for (let i = 0; i < mono.length; i++)
    mono[i] = ((interleaved[2 * i] as number) + (interleaved[2 * i + 1] as number)) >> 1;
  return mono;
}

function refuseWav(problem: WavProblem): WavResult {
  return { ok: false, problem };
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

function setTag(view: DataView, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
}
