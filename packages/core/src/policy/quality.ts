/**
 * How a call is, in a word that a person can act on: judged from samples about once a second. Pure: the time is in the
 * samples. Bad news after two samples, good news after five, so that the word does not flicker.
 *
 * Whose side: what arrives with gaps was most likely lost on the way out of the other side, and what the other side says it
 * lacks, on the way out of this one, since the narrow part of a connection is its upstream. What both miss is on both, and
 * the time a packet takes there and back belongs to nobody.
 */
import type { LinkSample } from "./link-sample.ts";

export type QualityVerdict = "good" | "fair" | "poor" | "lost";

/** Stable codes. `loss`: packets do not arrive. `jitter`: they come unevenly, so that sound has to be made up. `delay`: they come late. `silence`: none come. */
export type QualityProblem = "loss" | "jitter" | "delay" | "silence";

/** `side`: where the trouble most likely is; null where nothing is wrong, or where that cannot be said. */
export interface CallQuality {
  readonly verdict: QualityVerdict;
  readonly side: "mine" | "theirs" | "both" | null;
  readonly problem: QualityProblem | null;
}

export const GOOD_QUALITY: CallQuality = { verdict: "good", side: null, problem: null };
/** Whether it is their upstream, the way or our downstream cannot be told from nothing. */
const SILENT: CallQuality = { verdict: "lost", side: null, problem: "silence" };

/** From these on it is fair, and poor. With redundancy, 2 % of lost packets are not heard; 8 % are, now and then. */
const LOSS = [0.02, 0.08] as const;
/** Concealed sound is heard: 1 % as a crackle now and then, 5 % as holes in words. */
const CONCEALED = [0.015, 0.06] as const;
/** ITU-T G.114: up to 150 ms one way most people notice nothing, above 400 ms a conversation is hard. */
const ROUND_TRIP_MS = [350, 800] as const;
const JITTER_MS = [40, 100] as const;

/** So long nothing at all has come where a voice is expected. */
export const SILENCE_AFTER_MS = 3_000;
/** Samples in a row that it takes to say worse, and better. */
const WORSE_AFTER = 2;
const BETTER_AFTER = 5;
/** A share of less packets than this is chance. */
const ENOUGH_PACKETS = 20;
/** Weight of the newest sample: single bad seconds count, without ruling. */
const NEWEST = 0.4;

const RANK: Readonly<Record<QualityVerdict, number>> = { good: 0, fair: 1, poor: 2, lost: 3 };

/** Judges one call. */
export class QualityJudge {
  #shown: CallQuality = GOOD_QUALITY;
  #differing = 0;
  #missing: number | undefined;
  #concealed: number | undefined;
  #lastArrivalMs: number | undefined;

  get quality(): CallQuality {
    return this.#shown;
  }

  /** Takes the next sample and gives what to show now; the same object where nothing changed. */
  observe(sample: LinkSample): CallQuality {
    const found = this.#judge(sample);
    if (same(found, this.#shown)) {
      this.#differing = 0;
      return this.#shown;
    }
    this.#differing += 1;
    const isWorse = RANK[found.verdict] > RANK[this.#shown.verdict];
    const isBetter = RANK[found.verdict] < RANK[this.#shown.verdict];
    // Silence has waited long enough by itself.
    const needed = found.problem === "silence" ? 1 : isBetter ? BETTER_AFTER : isWorse ? WORSE_AFTER : BETTER_AFTER;
    if (this.#differing >= needed) this.#show(found);
    return this.#shown;
  }

  /** The path is gone, and is being looked for: known without samples. What follows it is judged anew. */
  pathLost(): CallQuality {
    this.#missing = this.#concealed = this.#lastArrivalMs = undefined;
    this.#show(SILENT);
    return this.#shown;
  }

  /** The path is there again: nothing bad is known of it. */
  pathFound(): CallQuality {
    if (this.#shown.verdict === "lost") this.#show(GOOD_QUALITY);
    return this.#shown;
  }

  #show(quality: CallQuality): void {
    this.#shown = quality;
    this.#differing = 0;
  }

  #judge(sample: LinkSample): CallQuality {
    if (sample.arrived > 0 || !sample.expectsVoice) this.#lastArrivalMs = sample.atMs;
    this.#lastArrivalMs ??= sample.atMs;
    if (sample.atMs - this.#lastArrivalMs >= SILENCE_AFTER_MS) return SILENT;
    const packets = sample.arrived + sample.missing;
    if (packets >= ENOUGH_PACKETS) {
      this.#missing = blend(this.#missing, sample.missing / packets);
      this.#concealed = blend(this.#concealed, sample.concealed ?? 0);
    }
    return worst(this.#missing ?? 0, this.#concealed ?? 0, sample);
  }
}

function worst(missing: number, concealed: number, sample: LinkSample): CallQuality {
  const lossHere = level(missing, LOSS);
  const gapsHere = level(concealed, CONCEALED);
  const lossThere = level(sample.missingThere ?? 0, LOSS);
  const here = Math.max(lossHere, gapsHere);
  const late = level(sample.roundTripMs ?? 0, ROUND_TRIP_MS);
  // Uneven arrival that the jitter buffer makes up for is not heard: it counts for no more than fair by itself.
  const uneven = Math.min(1, level(sample.jitterMs ?? 0, JITTER_MS));
  const rank = Math.max(here, lossThere, late, uneven);
  if (rank === 0) return GOOD_QUALITY;
  const verdict = rank === 1 ? "fair" : "poor";
  if (here === rank || lossThere === rank) {
    const side = here === lossThere ? "both" : here > lossThere ? "theirs" : "mine";
    // Gaps without loss: packets came too late to be played.
    const isJitter = side === "theirs" && lossHere === 0;
    return { verdict, side, problem: isJitter ? "jitter" : "loss" };
  }
  return late === rank ? { verdict, side: null, problem: "delay" } : { verdict, side: "theirs", problem: "jitter" };
}

/** 0 fine, 1 from the first threshold on, 2 from the second. */
function level(value: number, [fair, poor]: readonly [number, number]): 0 | 1 | 2 {
  return value >= poor ? 2 : value >= fair ? 1 : 0;
}

function blend(before: number | undefined, newest: number): number {
  return before === undefined ? newest : before + NEWEST * (newest - before);
}

function same(a: CallQuality, b: CallQuality): boolean {
  return a.verdict === b.verdict && a.side === b.side && a.problem === b.problem;
}
