/** The options of `call` and `answer`, checked before anything rings. */
import { type Sound } from "./audio/wav.ts";
import { readWavFile } from "./audio/wav-file.ts";
import { WavWriter } from "./audio/wav-writer.ts";
import { FRAME_RATE_HZ } from "./audio/frames.ts";
import type { CommonOptions } from "./common-options.ts";
import { UsageError } from "./usage-error.ts";

export interface CallOptions extends CommonOptions {
  readonly play?: string;
  readonly loop?: boolean;
  readonly record?: string;
  readonly seconds?: string;
}

/** What is said and kept in one call. */
export interface CallSound {
  readonly play?: { readonly path: string; readonly sound: Sound; readonly loop: boolean };
  readonly record?: { readonly path: string; readonly writer: WavWriter };
  /** Hang up so long after the call has become active. */
  readonly hangUpAfterMs?: number;
}

/** A day: longer than any call here, and far below what timers hold. */
const MAX_SECONDS = 86_400;

/** Reads and opens the files that the options name. Throws {@link UsageError}, `WavError` or `record-failed`. */
export async function openCallSound(options: CallOptions): Promise<CallSound> {
  const seconds = options.seconds === undefined ? undefined : parseSeconds("--seconds", options.seconds);
  if (options.loop && options.play === undefined)
    throw new UsageError("--loop needs --play FILE: what should be repeated?");
  const play =
    options.play === undefined
      ? undefined
      : { path: options.play, sound: await readWavFile(options.play), loop: options.loop === true };
  return {
    ...(play === undefined ? {} : { play }),
    ...(options.record === undefined
      ? {}
      : { record: { path: options.record, writer: new WavWriter(options.record, FRAME_RATE_HZ) } }),
    ...(seconds === undefined ? {} : { hangUpAfterMs: seconds * 1000 }),
  };
}

/** A number of seconds above 0, fractions included. Throws {@link UsageError} that names the option. */
export function parseSeconds(option: string, text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds > 0 && seconds <= MAX_SECONDS))
    throw new UsageError(`${option} takes a number of seconds from above 0 to ${MAX_SECONDS}, not "${text}".`);
  return seconds;
}
