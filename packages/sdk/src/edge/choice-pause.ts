import { type BackoffOptions, backoffDelayMs, type Clock } from "@earshot/core";

/** Each look costs a few supernodes a connection: where all have failed, they are mostly pressed by many who look. */
const PAUSE: BackoffOptions = { baseMs: 2_000, maxMs: 60_000 };

/** How long candidates for a home that have all failed before are not tried again: longer each time, with jitter. */
export class ChoicePause {
  readonly #clock: Clock;
  readonly #unit: () => number;
  #failures = 0;
  #until = -Infinity;

  /** `unit`: random numbers in [0, 1). */
  constructor(clock: Clock, unit: () => number) {
    this.#clock = clock;
    this.#unit = unit;
  }

  /** 0: they may be tried now. */
  get leftMs(): number {
    return Math.max(0, this.#until - this.#clock.now());
  }

  failed(): void {
    this.#until = this.#clock.now() + backoffDelayMs(this.#failures++, this.#unit(), 0, PAUSE);
  }

  /** One was found, or things are different now. */
  end(): void {
    this.#failures = 0;
    this.#until = -Infinity;
  }
}
