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
  /** Seconds for which each verdict was shown. */
  readonly shown: Readonly<Record<QualityVerdict, number>>;
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
  #path: string | undefined;
  #pathChanges = 0;

  /** `shown`: the verdict that was on the screen since the sample before. */
  observe(sample: LinkSample, shown: QualityVerdict): void {
    this.#spend(sample.atMs, shown);
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

  /** `path`: anything that differs from path to path. */
  onPath(path: string): void {
    if (this.#path !== undefined && this.#path !== path) this.#pathChanges += 1;
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
      shown: {
        good: this.#shown.good / 1_000,
        fair: this.#shown.fair / 1_000,
        poor: this.#shown.poor / 1_000,
        lost: this.#shown.lost / 1_000,
      },
    };
  }

  #spend(atMs: number, shown: QualityVerdict, mostMs = SAMPLE_MAX_MS): void {
    if (this.#atMs !== undefined) this.#shown[shown] += Math.max(0, Math.min(mostMs, atMs - this.#atMs));
    this.#atMs = atMs;
  }
}
