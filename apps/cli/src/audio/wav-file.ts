/** Reading a WAV file by path, for `--play` and Echo's clips. */
import { readFile, stat } from "node:fs/promises";
import { EarshotError } from "@earshot/core";
import { decodeWav, MAX_WAV_BYTES, type Sound, WAV_RATES, type WavProblem } from "./wav.ts";

/** The file cannot be played. `code` is `wav-missing` or `wav-unusable`; the message says what to do. */
export class WavError extends EarshotError {}

const ADVICE: Record<WavProblem, string> = {
  "not-wav": "it is not a WAV file",
  truncated: "it ends too early; was it copied completely?",
  "too-large": `it is larger than ${MAX_WAV_BYTES / 2 ** 20} MiB`,
  "unsupported-encoding": "its samples are neither 16-bit PCM nor mu-law; convert it with: sox in.wav -b 16 out.wav",
  "unsupported-rate": `its sample rate is none of ${WAV_RATES.join(", ")} Hz; convert it with: sox in.wav -r 48000 out.wav`,
  "unsupported-channels": "it has more than two channels; convert it with: sox in.wav -c 1 out.wav",
};

/** Reads `path` as mono sound. Throws {@link WavError}. */
export async function readWavFile(path: string): Promise<Sound> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > MAX_WAV_BYTES) throw new WavError("wav-unusable", `${path} cannot be played: ${ADVICE["too-large"]}.`);
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof WavError) throw error;
    throw new WavError("wav-missing", `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const decoded = decodeWav(bytes);
  if (decoded.ok) return decoded.value;
  throw new WavError("wav-unusable", `${path} cannot be played: ${ADVICE[decoded.problem]}.`);
}
