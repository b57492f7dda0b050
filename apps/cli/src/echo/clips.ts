/** Echo's recorded voice: assets/echo, made by tools/make-echo-voice.sh. */
import { fileURLToPath } from "node:url";
import { FRAME_MS, FRAME_SAMPLES, framesOf } from "../audio/frames.ts";
import { readWavFile } from "../audio/wav-file.ts";
import { CLIP_NAMES, type ClipName } from "./phrases.ts";

/** From src/echo as from dist/echo. */
const CLIPS_FOLDER = fileURLToPath(new URL("../../assets/echo/", import.meta.url));

export type Clips = ReadonlyMap<ClipName, readonly Int16Array[]>;

/** Reads every clip as 48 kHz frames (5 MB in all). Throws `WavError` where one is missing. */
export async function loadClips(folder = CLIPS_FOLDER): Promise<Clips> {
  return new Map(
    await Promise.all(
      CLIP_NAMES.map(async (name) => [name, [...framesOf(await readWavFile(`${folder}${name}.wav`))]] as const),
    ),
  );
}

/** The frames of a phrase, clip after clip. */
export function* framesOfPhrase(clips: Clips, phrase: readonly ClipName[]): Generator<Int16Array> {
  for (const name of phrase) yield* clips.get(name) ?? [];
}

/** Silence of about `ms`. */
export function* pause(ms: number): Generator<Int16Array> {
  for (let at = 0; at < ms; at += FRAME_MS) yield new Int16Array(FRAME_SAMPLES);
}
