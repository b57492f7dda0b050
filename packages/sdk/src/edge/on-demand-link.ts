import type { AnswerTo, Clock, EdgeAnswer, EdgeRequest } from "@earshot/core";
import type { EdgeLink } from "./edge-link.ts";

/** Closed after so long without a request: it leaves room there for others, and tells nobody how long this device is on. */
export const IDLE_MS = 60_000;

/** A link that is there while it is used. */
export class OnDemandLink {
  readonly #clock: Clock;
  readonly #link: EdgeLink;
  readonly #waitMs: number;
  readonly #onIdle: () => void;
  #using = 0;
  #cancelIdle: () => void = () => {};

  /** `waitMs`: how long a request waits for the connection, where it does not say. */
  constructor(clock: Clock, link: EdgeLink, waitMs: number, onIdle = () => {}) {
    this.#onIdle = onIdle;
    this.#clock = clock;
    this.#link = link;
    this.#waitMs = waitMs;
  }

  /** As {@link EdgeLink.request}. */
  async request<R extends EdgeRequest>(request: R, waitMs?: number): Promise<EdgeAnswer<AnswerTo<R["type"]>>> {
    this.#cancelIdle();
    this.#using += 1;
    this.#link.start();
    try {
      return await this.#link.request(request, waitMs ?? this.#waitMs);
    } finally {
      this.#using -= 1;
      if (this.#using === 0) this.#cancelIdle = this.#clock.setTimer(IDLE_MS, () => this.stop());
    }
  }

  /** Tries at once if it waits for its next try. */
  hurry(): void {
    this.#link.hurry();
  }

  /** Connects anew with the next request. */
  stop(): void {
    this.#cancelIdle();
    this.#link.stop();
    if (this.#using === 0) this.#onIdle();
  }
}
