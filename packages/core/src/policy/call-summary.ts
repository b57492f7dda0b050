/** What a call was like, put together while it lasts: for the person alone. Bounded: sums, not a history. */
import type { LinkSample } from "./link-sample.ts";
import type { QualityVerdict } from "./quality.ts";

/** Shares are 0..1; undefined where nothing was measured. */
export interface CallSummary {
  readonly seconds: number;
  /** Of the other side's packets, those that did not arrive. */
  readonly lost?: number;
  /** Of this side's packets, those that the other side said it lacked: the mean of its reports. */
  readonly lostThere?: number;
  /** Of the sound that was played here, what had to be made up. */
  readonly concealed?: number;
  readonly roundTripMs?: { readonly mean: number; readonly most: number };
  /** How often the call took another path. */
  readonly pathChanges: number;
  /** Seconds for which a relay carried it. */
  readonly relayed: number;
  /** For a while it was relayed though a direct path worked. */
  readonly directShouldHaveWorked: boolean;
  /** Seconds for which each verdict was shown. */
  readonly shown: Readonly<Record<QualityVerdict, number>>;
}

/** What a summary says of a path. */
export interface SummedPath {
  /** Anything that differs from path to path. */
  readonly name: string;
  readonly relayed: boolean;
  readonly directShouldHaveWorked: boolean;
}

/** Longest time that one sample stands for: a device that slept did not talk. */
const SAMPLE_MAX_MS = 5_000;
/** Longer than a call lives without a path. */
const PATHLESS_MAX_MS = 120_000;

class Mean {
  #sum = 0;
  #weight = 0;
  most = 0;
  add(value: number | undefined, weight = 1): void {
    if (value === undefined || weight <= 0) return;
    this.#sum += value * weight;
    this.#weight += weight;
    this.most = Math.max(this.most, value);
  }
  get value(): number | undefined {
    return this.#weight === 0 ? undefined : this.#sum / this.#weight;
  }
}

/** Adds up one call. */
export class CallSumming {
  readonly #lost = new Mean();
  readonly #lostThere = new Mean();
  readonly #concealed = new Mean();
  readonly #roundTrip = new Mean();
  readonly #shown: Record<QualityVerdict, number> = { good: 0, fair: 0, poor: 0, lost: 0 };
  #atMs: number | undefined;
  #path: SummedPath | undefined;
  #pathChanges = 0;
  #relayedMs = 0;
  #directUnused = false;

  /** `shown`: the verdict that was on the screen since the sample before. */
  observe(sample: LinkSample, shown: QualityVerdict): void {
    const passedMs = this.#spend(sample.atMs, shown);
    if (this.#path?.relayed) this.#relayedMs += passedMs;
    const packets = sample.arrived + sample.missing;
    if (packets > 0) this.#lost.add(sample.missing / packets, packets);
    this.#lostThere.add(sample.missingThere);
    if (sample.arrived > 0) this.#concealed.add(sample.concealed);
    this.#roundTrip.add(sample.roundTripMs);
  }

  /** Until now there was no path, and no sample. */
  pathless(atMs: number): void {
    this.#spend(atMs, "lost", PATHLESS_MAX_MS);
  }

  /** Before the first sample that travelled by it. */
  onPath(path: SummedPath): void {
    if (this.#path !== undefined && this.#path.name !== path.name) this.#pathChanges += 1;
    if (path.directShouldHaveWorked) this.#directUnused = true;
    this.#path = path;
  }

  /** `seconds`: from the answer to the end. */
  summary(seconds: number): CallSummary {
    const [lost, lostThere, concealed, mean] = [
      this.#lost.value,
      this.#lostThere.value,
      this.#concealed.value,
      this.#roundTrip.value,
    ];
    return {
      seconds,
      ...(lost === undefined ? {} : { lost }),
      ...(lostThere === undefined ? {} : { lostThere }),
      ...(concealed === undefined ? {} : { concealed }),
      ...(mean === undefined ? {} : { roundTripMs: { mean, most: this.#roundTrip.most } }),
      pathChanges: this.#pathChanges,
      relayed: this.#relayedMs / 1_000,
      directShouldHaveWorked: this.#directUnused,
      shown: {
        good: this.#shown.good / 1_000,
        fair: this.#shown.fair / 1_000,
        poor: this.#shown.poor / 1_000,
        lost: this.#shown.lost / 1_000,
      },
    };
  }

  /** Gives the time that it counted. */
  #spend(atMs: number, shown: QualityVerdict, mostMs = SAMPLE_MAX_MS): number {
    const passedMs = this.#atMs === undefined ? 0 : Math.max(0, Math.min(mostMs, atMs - this.#atMs));
    this.#shown[shown] += passedMs;
    this.#atMs = atMs;
    return passedMs;
  }
}
