import { clampCorrection, type Clock, CLOCK_SKEW_MS } from "@earshot/core";

/** How often the clock is compared with the time that has passed. */
const WATCH_MS = 60_000;
/** Timers are late under load by less than this; what is more was a jump, or sleep. */
const JUMP_MS = 10_000;

/** What the check tells its owner. */
export interface ClockCheckHandlers {
  /** {@link ClockCheck.wrong} changed. */
  onChange(): void;
  /** The clock was set, or the device slept: what is known of it is out of date. Should lead to another {@link ClockCheck.note}. */
  onJump(): void;
}

/** Compares this device's clock with what the supernode says at each welcome. docs/protocol/envelope.md section 5. */
export class ClockCheck {
  readonly #clock: Clock;
  readonly #handlers: ClockCheckHandlers;
  #offsetMs = 0;
  #cancel: () => void = () => {};

  constructor(clock: Clock, handlers: ClockCheckHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /** How far the supernode's clock is ahead of this device's, as far as it is believed: at most `CLOCK_SKEW_MS` either way. */
  get correctionMs(): number {
    return clampCorrection(this.#offsetMs);
  }

  /** The two are further apart than others forgive: calls will fail. Only the supernode's word, so only told. */
  get wrong(): boolean {
    return Math.abs(this.#offsetMs) > CLOCK_SKEW_MS;
  }

  /** The time in a welcome that has just come, Unix milliseconds. Watches the clock from then on. */
  note(supernodeTime: number): void {
    const before = this.wrong;
    this.#offsetMs = supernodeTime - this.#clock.now();
    this.#watch();
    if (this.wrong !== before) this.#handlers.onChange();
  }

  stop(): void {
    this.#cancel();
  }

  #watch(): void {
    this.#cancel();
    const expected = this.#clock.now() + WATCH_MS;
    this.#cancel = this.#clock.setTimer(WATCH_MS, () => {
      this.#watch();
      if (Math.abs(this.#clock.now() - expected) > JUMP_MS) this.#handlers.onJump();
    });
  }
}
