import type { Clock, TimerName } from "@earshot/core";

/** The call machine's named timers: one of each name at most. */
export class NamedTimers {
  readonly #clock: Clock;
  readonly #fired: (name: TimerName) => void;
  readonly #running = new Map<TimerName, () => void>();

  constructor(clock: Clock, fired: (name: TimerName) => void) {
    this.#clock = clock;
    this.#fired = fired;
  }

  /** Replaces a running timer of that name. */
  start(name: TimerName, delayMs: number): void {
    this.stop(name);
    this.#running.set(
      name,
      this.#clock.setTimer(delayMs, () => {
        this.#running.delete(name);
        this.#fired(name);
      }),
    );
  }

  stop(name: TimerName): void {
    this.#running.get(name)?.();
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const cancel of this.#running.values()) cancel();
    this.#running.clear();
  }
}
