/** Real speech for the tests: espeak-ng speaks, sox makes it 48 kHz mono 16-bit. */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWav, type Sound } from "./sound.ts";

/** Voices that differ in language model, pitch and speed, so that no two resemble each other. */
const VOICES = {
  ann: ["-v", "en-us+f3", "-p", "75", "-s", "165"],
  ben: ["-v", "en-gb+m3", "-p", "25", "-s", "150"],
  cleo: ["-v", "en-gb-scotland+f5", "-p", "55", "-s", "180"],
} as const;

export type Speaker = keyof typeof VOICES;

/** Half a minute of text each, with no sentence in common: continuous, so that every window holds speech. */
const TEXTS: Record<Speaker, string> = {
  ann:
    "Good morning, this is Ann. The river behind our house rose again last night, and the children counted seven ducks on the meadow. " +
    "I walked to the bakery before sunrise, bought two loaves of rye bread, and met the postman, who told me a story about a lost parcel from Portugal. " +
    "Tomorrow we want to climb the old tower, if the weather stays dry, and look for the ships that pass the lighthouse at noon. " +
    "My brother repaired the radio, so in the evening there will be music in the kitchen while the soup gets warm.",
  ben:
    "Hello, here speaks Ben from the workshop. Somebody left a heavy wooden box with forty brass screws and a broken clock near the door. " +
    "We measured the table twice, cut the longest board, and still the left corner would not fit under the window frame. " +
    "Later a train of nineteen wagons stopped on the bridge, whistled three times, and vanished slowly into thick yellow fog. " +
    "If you call again on Thursday, bring the blue drawing, a pencil, and your patience, because glue needs its hours to harden.",
  cleo:
    "Cleo on the line. Under the glacier a team of divers photographed strange white shrimps beside a field of mussels. " +
    "Their captain kept a diary in which every page begins with the wind and ends with a joke about coffee. " +
    "Far north the polar night is loud with cracking ice, humming engines, and dogs that answer each other across the bay. " +
    "When the sun returned in February, all of them stood on deck for an hour and nobody said a word.",
};

export interface Speech {
  readonly path: string;
  readonly sound: Sound;
}

let folder: string | undefined;
const made = new Map<string, Speech>();

/** A WAV file of one speaker's voice, silence trimmed away, about 25 s; made once in each process. */
export function speech(speaker: Speaker, text = TEXTS[speaker]): Speech {
  const key = `${speaker} ${text}`;
  const known = made.get(key);
  if (known) return known;
  folder ??= mkdtempSync(join(tmpdir(), "earshot-speech-"));
  const raw = join(folder, `${speaker}-${made.size}-raw.wav`);
  const path = join(folder, `${speaker}-${made.size}.wav`);
  execFileSync("espeak-ng", [...VOICES[speaker], "-g", "0", "-w", raw, text], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const trim = ["silence", "1", "0.05", "0.5%", "norm", "-3"];
  execFileSync("sox", [raw, "-r", "48000", "-c", "1", "-b", "16", path, ...trim], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const spoken = { path, sound: readWav(path) };
  made.set(key, spoken);
  return spoken;
}
