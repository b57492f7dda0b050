import {
  type CallQuality,
  type CallSummary,
  CallSumming,
  type MediaWish,
  QualityJudge,
  type SendPlan,
  SendPlanner,
  type SendPlanOptions,
  type SummedPath,
} from "@earshot/core";
import { type KnownOfLink, LinkSampler } from "./link-sampler.ts";

/** One call's quality, as its statistics tell it: what to show, what to send, and what to say at the end. */
export class QualityWatch {
  readonly #judge = new QualityJudge();
  readonly #planner: SendPlanner;
  readonly #summing = new CallSumming();
  #sampler = new LinkSampler();

  constructor(options: SendPlanOptions) {
    this.#planner = new SendPlanner(options);
  }

  get quality(): CallQuality {
    return this.#judge.quality;
  }

  get plan(): SendPlan {
    return this.#planner.plan;
  }

  /** Takes the statistics of this moment, about once a second, and what the other side asks to be sent. */
  look(report: RTCStatsReport, known: KnownOfLink, path: SummedPath | undefined, wish: MediaWish): void {
    const shown = this.quality.verdict;
    const sample = this.#sampler.sample(report, known);
    if (path !== undefined) this.#summing.onPath(path);
    if (!sample) return;
    this.#summing.observe(sample, shown);
    this.#judge.observe(sample);
    this.#planner.observe(sample, wish);
  }

  pathLost(): void {
    this.#judge.pathLost();
    this.#sampler = new LinkSampler();
  }

  pathFound(atMs: number): void {
    if (this.quality.verdict === "lost") this.#summing.pathless(atMs);
    this.#judge.pathFound();
  }

  summary(seconds: number): CallSummary {
    return this.#summing.summary(seconds);
  }
}
