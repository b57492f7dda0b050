/** What Echo says, as names of clips in assets/echo. */

/** Clips other than the numbers; `tools/make-echo-voice.sh` makes one file for each. */
const WORDS = [
  "greeting",
  "your-turn",
  "again",
  "not-heard",
  "round-trip",
  "millisecond",
  "milliseconds",
  "lost",
  "percent",
  "nothing-lost",
  "less-than-one",
  "thousand",
  "hundred",
  "tone",
] as const;
const NUMBERS = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 30, 40, 50, 60, 70, 80, 90,
] as const;

export type ClipName = (typeof WORDS)[number] | `${(typeof NUMBERS)[number]}`;
export const CLIP_NAMES: readonly ClipName[] = [...WORDS, ...NUMBERS.map((n) => `${n}` as const)];

/** Echo counts to here. */
const LARGEST_NUMBER = 99_999;

/** What was measured of a call; absent parts are not mentioned. */
export interface Measured {
  readonly roundTripMs?: number;
  /** Of the person's packets, 0 to 100. */
  readonly lossPercent?: number;
}

export const GREETING: readonly ClipName[] = ["greeting", "your-turn", "tone"];
export const ONCE_MORE: readonly ClipName[] = ["again", "tone"];
export const NOT_HEARD: readonly ClipName[] = ["not-heard", "your-turn", "tone"];

/** "The round trip took 12 milliseconds. I lost 3 percent of your sound." */
export function measuredPhrase(measured: Measured): ClipName[] {
  const phrase: ClipName[] = [];
  if (measured.roundTripMs !== undefined)
    phrase.push("round-trip", ...amount(measured.roundTripMs, "millisecond", "milliseconds"));
  if (measured.lossPercent === 0) phrase.push("nothing-lost");
  else if (measured.lossPercent !== undefined)
    phrase.push("lost", ...amount(measured.lossPercent, "percent", "percent"));
  return phrase;
}

function amount(value: number, one: ClipName, many: ClipName): ClipName[] {
  const rounded = Math.round(value);
  if (rounded < 1) return ["less-than-one", one];
  return [...numberClips(rounded), rounded === 1 ? one : many];
}

/** A whole number from 1 on in English words; larger than {@link LARGEST_NUMBER} is said as that. */
export function numberClips(value: number): ClipName[] {
  const n = Math.min(LARGEST_NUMBER, Math.floor(value));
  if (n < 1) return [];
  if (n >= 1000) return [...numberClips(n / 1000), "thousand", ...numberClips(n % 1000)];
  if (n >= 100) return [...numberClips(n / 100), "hundred", ...numberClips(n % 100)];
  if (n <= 20) return [`${n}` as ClipName];
  return [`${n - (n % 10)}` as ClipName, ...numberClips(n % 10)];
}
