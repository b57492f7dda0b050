/** The options of `call` and `answer`, checked before anything rings. */
import { statSync } from "node:fs";
import type { EarshotError } from "@earshot/core";
import type { CallSettings, RelayConsent } from "@earshot/sdk";
import { type Sound } from "./audio/wav.ts";
import { readWavFile } from "./audio/wav-file.ts";
import { WavWriter } from "./audio/wav-writer.ts";
import { FRAME_RATE_HZ } from "./audio/frames.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface CallOptions extends CommonOptions {
  readonly play?: string;
  readonly loop?: boolean;
  readonly record?: string;
  readonly seconds?: string;
  /** Which relays may carry this one call: `never`, `trusted` or `any`. */
  readonly relay?: string;
  readonly hideAddress?: boolean;
  readonly lowData?: boolean;
}

export const RELAY_LEVELS: readonly RelayConsent[] = ["never", "trusted", "any"];

/** What holds for this call in place of what is kept. Throws {@link UsageError}. */
export function callSettingsOf({ relay, hideAddress, lowData }: CallOptions): Partial<CallSettings> {
  const relayConsent = RELAY_LEVELS.find((level) => level === relay);
  if (relay !== undefined && relayConsent === undefined)
    throw new UsageError(`--relay takes ${RELAY_LEVELS.join(", ")}, not "${relay}".`);
  if (hideAddress && relayConsent === "never")
    throw new UsageError("--hide-address takes a relay, and --relay never allows none: leave one of them out.");
  return {
    ...(relayConsent === undefined ? {} : { relayConsent }),
    ...(hideAddress ? { hideAddress: "everyone" as const } : {}),
    ...(lowData ? { lowData } : {}),
  };
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

/**
 * Reads the files that the options name and checks those that will be written. Throws {@link UsageError}, `WavError` or
 * `record-failed`; a recording that fails later is told on `terminal`, and the call goes on.
 */
export async function openCallSound(options: CallOptions, terminal: Terminal): Promise<CallSound> {
  const seconds = options.seconds === undefined ? undefined : parseSeconds("--seconds", options.seconds);
  if (options.loop && options.play === undefined)
    throw new UsageError("--loop needs --play FILE: what should be repeated?");
  const play =
    options.play === undefined
      ? undefined
      : { path: options.play, sound: await readWavFile(options.play), loop: options.loop === true };
  const record = options.record === undefined ? undefined : openRecord(options.record, options.play, terminal);
  return {
    ...(play === undefined ? {} : { play }),
    ...(record === undefined ? {} : { record }),
    ...(seconds === undefined ? {} : { hangUpAfterMs: seconds * 1000 }),
  };
}

function openRecord(path: string, play: string | undefined, terminal: Terminal): CallSound["record"] {
  if (play !== undefined && isSameFile(play, path))
    throw new UsageError(`--play and --record name the same file, ${path}: the recording would replace it.`);
  const onFailed = ({ message }: EarshotError): void => {
    terminal.emit({ event: "record-failed", file: path, message });
    terminal.note(terminal.warn(`! The recording has stopped: ${message}. The call goes on.`));
  };
  return { path, writer: new WavWriter(path, FRAME_RATE_HZ, onFailed) };
}

/** Also by way of links. */
function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/** A number of seconds above 0, fractions included. Throws {@link UsageError} that names the option. */
export function parseSeconds(option: string, text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds > 0 && seconds <= MAX_SECONDS))
    throw new UsageError(`${option} takes a number of seconds from above 0 to ${MAX_SECONDS}, not "${text}".`);
  return seconds;
}
