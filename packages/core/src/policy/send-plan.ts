/**
 * What a call sends at present: the voice first, and of the picture what the link then carries. Pure; driven by the same
 * samples as the verdict. Down at once, up slowly, and slower after each step up that did not hold.
 */
import type { MediaWish, PictureWish } from "../call/call-types.ts";
import type { VoiceSending } from "../call/sdp-build.ts";
import type { LinkSample } from "./link-sample.ts";

/** Of the picture: largest first. `paused`: nothing, so that the voice gets through. */
export type PictureStep = "full" | "half" | "quarter" | "paused";

export interface SendPlan {
  readonly voice: VoiceSending;
  readonly picture: PictureStep;
}

export interface PictureLimits {
  readonly maxKbps: number;
  /** Width and height are divided by this. */
  readonly scaleDownBy: number;
  readonly maxFrameRate: number;
}

/** What each step of the picture may take. */
export const PICTURE_LIMITS: Readonly<Record<Exclude<PictureStep, "paused">, PictureLimits>> = {
  full: { maxKbps: 1_700, scaleDownBy: 1, maxFrameRate: 30 },
  half: { maxKbps: 500, scaleDownBy: 2, maxFrameRate: 24 },
  quarter: { maxKbps: 150, scaleDownBy: 4, maxFrameRate: 15 },
};

const STEPS: readonly PictureStep[] = ["full", "half", "quarter", "paused"];
/** The best step that each wish of the other side leaves. */
const WISHED: Readonly<Record<PictureWish, PictureStep>> = { full: "full", small: "quarter", none: "paused" };

/** Sent twice, with packets' heads, a full voice takes about 90: a link with less than this gets the lean one. */
const LEAN_BELOW_KBPS = 100;
const LEAN_UNTIL_KBPS = 130;
/** A picture at this step is not worth it with less. */
const NEEDED_KBPS: Readonly<Record<PictureStep, number>> = { full: 450, half: 220, quarter: 120, paused: 0 };

/** RED comes on with a report of this much loss: at 2 % in-band FEC alone still hides nearly all of it. */
const REDUNDANT_FROM = 0.03;
const REDUNDANT_UNTIL = 0.01;
/** So long without a reason before the voice is sent as before: each change costs the ear some 100 ms, as WebRTC starts to listen anew. */
const VOICE_HOLD_MS = 30_000;

/** With such loss or delay the picture gives way. */
const PICTURE_LOSS = 0.1;
const PICTURE_ROUND_TRIP_MS = 800;
/** One step down after this long in trouble; WebRTC's own rate control acts within that time, and often suffices. */
const DOWN_AFTER_MS = 2_000;
/** One step up after this long without; doubled each time a step up did not hold for as long, up to the most. */
const UP_AFTER_MS = 8_000;
const UP_AFTER_MAX_MS = 64_000;

export interface SendPlanOptions {
  /** The person wants little data used: a lean voice, nothing in silence, a small picture if any. */
  readonly lowData: boolean;
}

/** What a side that wants little data used asks of the other: of the picture nothing, or `withPicture` a small one. */
export function lowDataWish(withPicture: boolean): MediaWish {
  return { leanVoice: true, picture: withPicture ? "small" : "none" };
}

/** Plans what one call sends. */
export class SendPlanner {
  readonly #options: SendPlanOptions;
  /** What the other side asks to be sent. */
  #wish: MediaWish = { leanVoice: false, picture: "full" };
  #plan: SendPlan;
  #step: number;
  #lossAtMs = Number.NEGATIVE_INFINITY;
  #narrowAtMs = Number.NEGATIVE_INFINITY;
  #troubleSinceMs: number | undefined;
  #calmSinceMs: number | undefined;
  /** When the last step up was taken, while it holds. */
  #raisedAtMs: number | undefined;
  #upAfterMs = UP_AFTER_MS;
  #isHeldByWish = false;

  constructor(options: SendPlanOptions) {
    this.#options = options;
    this.#step = this.#best;
    this.#plan = this.#made(false, false);
  }

  get plan(): SendPlan {
    return this.#plan;
  }

  /**
   * Takes the next sample and what the other side asks for, and gives the plan from now on; the same object where nothing changed.
   * A wish makes it less, never more: nobody can be asked to fill the link, or to fall silent between words, which tells those who
   * see the packets when somebody speaks.
   */
  observe(sample: LinkSample, wish: MediaWish = this.#wish): SendPlan {
    this.#wish = wish;
    this.#stepPicture(sample);
    const next = this.#made(this.#isRedundant(sample), this.#isLean(sample));
    if (JSON.stringify(next) !== JSON.stringify(this.#plan)) this.#plan = next;
    return this.#plan;
  }

  #made(redundant: boolean, lean: boolean): SendPlan {
    const { lowData } = this.#options;
    return {
      voice: { redundant, lean: lean || lowData || this.#wish.leanVoice, sparse: lowData },
      picture: STEPS[this.#step] ?? "paused",
    };
  }

  /** As a place in {@link STEPS}. */
  get #best(): number {
    return Math.max(STEPS.indexOf(WISHED[this.#wish.picture]), this.#options.lowData ? STEPS.indexOf("quarter") : 0);
  }

  #isLean({ atMs, sendableKbps = Number.POSITIVE_INFINITY }: LinkSample): boolean {
    const border = this.#plan.voice.lean ? LEAN_UNTIL_KBPS : LEAN_BELOW_KBPS;
    if (sendableKbps < border) this.#narrowAtMs = atMs;
    return atMs - this.#narrowAtMs < VOICE_HOLD_MS;
  }

  #isRedundant({ atMs, missingThere = 0 }: LinkSample): boolean {
    if (missingThere >= REDUNDANT_FROM) this.#lossAtMs = atMs;
    if (!this.#plan.voice.redundant) return missingThere >= REDUNDANT_FROM;
    if (missingThere >= REDUNDANT_UNTIL) this.#lossAtMs = atMs;
    return atMs - this.#lossAtMs < VOICE_HOLD_MS;
  }

  #stepPicture(sample: LinkSample): void {
    const { atMs } = sample;
    const best = this.#best;
    // Asked for less: at once. Asked for more again: from the smallest picture on, as after any pause.
    if (this.#step < best) this.#step = best;
    else if (this.#isHeldByWish && best < this.#step) this.#step = Math.max(best, STEPS.indexOf("quarter"));
    this.#isHeldByWish = STEPS[best] === "paused";
    if (!sample.wantsPicture || this.#isHeldByWish) {
      this.#troubleSinceMs = this.#calmSinceMs = undefined;
      return;
    }
    if (this.#isTrouble(sample)) {
      this.#calmSinceMs = undefined;
      this.#troubleSinceMs ??= atMs;
      if (atMs - this.#troubleSinceMs >= DOWN_AFTER_MS) this.#lower(atMs);
      return;
    }
    this.#troubleSinceMs = undefined;
    this.#calmSinceMs ??= atMs;
    if (atMs - this.#calmSinceMs >= this.#upAfterMs && this.#mayRaise(sample)) this.#raise(atMs);
    else if (this.#raisedAtMs !== undefined && atMs - this.#raisedAtMs >= UP_AFTER_MAX_MS)
      this.#upAfterMs = UP_AFTER_MS;
  }

  #isTrouble({ missingThere = 0, roundTripMs = 0, sendableKbps = Number.POSITIVE_INFINITY }: LinkSample): boolean {
    if (missingThere >= PICTURE_LOSS || roundTripMs >= PICTURE_ROUND_TRIP_MS) return true;
    const step = STEPS[this.#step] ?? "paused";
    return step !== "paused" && sendableKbps < NEEDED_KBPS[step];
  }

  #mayRaise({ sendableKbps = Number.POSITIVE_INFINITY }: LinkSample): boolean {
    if (this.#step <= this.#best) return false;
    // While nothing is sent, what could be is a guess from before: only trying tells.
    return STEPS[this.#step] === "paused" || sendableKbps >= NEEDED_KBPS[STEPS[this.#step - 1] ?? "full"];
  }

  #lower(atMs: number): void {
    if (this.#step >= STEPS.length - 1) return;
    this.#step += 1;
    this.#troubleSinceMs = atMs;
    const heldMs = this.#raisedAtMs === undefined ? Number.POSITIVE_INFINITY : atMs - this.#raisedAtMs;
    if (heldMs < this.#upAfterMs) this.#upAfterMs = Math.min(UP_AFTER_MAX_MS, this.#upAfterMs * 2);
    this.#raisedAtMs = undefined;
  }

  #raise(atMs: number): void {
    this.#step -= 1;
    this.#calmSinceMs = this.#raisedAtMs = atMs;
  }
}
