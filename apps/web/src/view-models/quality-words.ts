/** How a call is and was, in plain words: what is wrong, most likely on whose side, and what helps. Fetched with the call's screen. */
import type { CallQuality, CallSummary } from "@earshot/sdk";
import { percentText, roundTripText, spanText } from "./quantities.ts";

/** `bars`: of 4, as on a phone; the words say the same. */
export interface QualityWords {
  readonly bars: 0 | 1 | 2 | 4;
  readonly headline: string;
  /** What it means and what helps; nothing where all is well. */
  readonly detail?: string;
}

const BARS = { good: 4, fair: 2, poor: 1, lost: 0 } as const;

/** Says how the call with `name` is. */
export function qualityWords(quality: CallQuality, name: string): QualityWords {
  const bars = BARS[quality.verdict];
  if (quality.problem === null) return { bars, headline: "Good connection" };
  const isPoor = quality.verdict === "poor";
  switch (quality.problem) {
    case "loss":
      return { bars, ...lossWords(quality.side, isPoor, name) };
    case "jitter":
      return {
        bars,
        headline: isPoor ? `Unsteady connection on ${name}’s side` : `Slightly unsteady on ${name}’s side`,
        detail: `What ${name} says arrives unevenly. Most likely something else uses their connection, or their Wi‑Fi is weak.`,
      };
    case "delay":
      return {
        bars,
        headline: isPoor ? "Long delay" : "Some delay",
        detail: "You hear each other late. Leave pauses, so that you don’t talk at the same time.",
      };
    case "silence":
      return {
        bars,
        headline: `Nothing arrives from ${name}`,
        detail: "Earshot goes on listening and looks for another way. You need not do anything.",
      };
  }
}

function lossWords(side: CallQuality["side"], isPoor: boolean, name: string) {
  const weak = isPoor ? "Weak connection" : "Slightly weak connection";
  if (side === "mine")
    return {
      headline: `${weak} on your side`,
      detail: `Part of what you say does not reach ${name}. Move closer to your Wi‑Fi, or stop big downloads and uploads.`,
    };
  if (side === "theirs")
    return {
      headline: `${weak} on ${name}’s side`,
      detail: `Part of what ${name} says is lost on its way to you. Most likely their connection is weak or busy.`,
    };
  return {
    headline: `${weak} on both sides`,
    detail: "Parts are lost in both directions. It helps to turn the cameras off, and to move closer to the Wi‑Fi.",
  };
}

/** Said while this side's picture is held back. */
export function pictureHeldText(why: "for-voice" | "not-asked-for", name: string): string {
  return why === "for-voice"
    ? "Your picture is paused so that your voice gets through. It comes back by itself when there is room."
    : `${name} wants to use little data and has not asked for your picture. It is sent once they do.`;
}

/** In a call in which little data is to be used. */
export function lowDataText(pictureWanted: boolean, name: string): string {
  return pictureWanted
    ? `${name} is asked for a plain voice and a small picture.`
    : `${name} is asked for a plain voice and no picture.`;
}

/** What the call was like, as rows of a table. */
export function summaryRows(summary: CallSummary): readonly (readonly [label: string, value: string])[] {
  const { lost, lostThere, concealed, roundTripMs, shown, relayed } = summary;
  const troubled = shown.fair + shown.poor;
  return [
    ["Length", spanText(summary.seconds)],
    ["Connection", connectionText(summary)],
    ...(troubled < 1 ? [] : [["With trouble for", spanText(troubled)] as const]),
    ...(lost === undefined ? [] : [["Lost on the way to you", shareText(lost)] as const]),
    ...(lostThere === undefined ? [] : [["Lost on the way to them", shareText(lostThere)] as const]),
    ...(concealed === undefined ? [] : [["Of what you heard, made up", shareText(concealed)] as const]),
    ...(roundTripMs === undefined
      ? []
      : [
          ["There and back", `${roundTripText(roundTripMs.mean)}, at most ${roundTripText(roundTripMs.most)}`] as const,
        ]),
    ["Changes of path", String(summary.pathChanges)],
    ...(relayed < 1 ? [] : [["Through a relay for", relayedText(summary)] as const]),
    ...(shown.lost < 1 ? [] : [["Without any connection for", spanText(shown.lost)] as const]),
  ];
}

function relayedText({ relayed, directShouldHaveWorked }: CallSummary): string {
  return `${spanText(relayed)}${directShouldHaveWorked ? ", though a direct path worked for a while" : ""}`;
}

function connectionText({ shown }: CallSummary): string {
  const all = shown.good + shown.fair + shown.poor + shown.lost;
  if (all === 0) return "not measured";
  const good = shown.good / all;
  if (good > 0.95) return "good throughout";
  if (good > 0.7) return "good most of the time";
  return (shown.poor + shown.lost) / all > 0.5 ? "poor most of the time" : "troubled at times";
}

/** Small shares are told apart: between no loss and one percent is where redundancy hides it. */
function shareText(share: number): string {
  return share > 0 && share < 0.1 ? `${Number((100 * share).toFixed(1))} %` : percentText(share);
}

/** The summary as a file that the person may give to somebody: figures alone, without names, ids and addresses. */
export function summaryFile(summary: CallSummary): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ earshotCallSummary: 1, ...summary }, null, 2)}\n`);
}
