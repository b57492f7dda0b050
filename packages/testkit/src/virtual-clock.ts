import type { Clock } from "@earshot/core";

/** Timers fired by one `runAll` at most: a timer that re-arms itself for ever is a fault in the test, not a hang. */
const MAX_TIMERS_PER_RUN = 100_000;

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Lets every promise that can settle without a timer do so: microtasks, and work that comes back from a thread pool. */
export async function settle(turns = 4): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

/**
 * A clock that stands still until a test moves it. Timers fire in the order of their times, those of one instant in the
 * order in which they were set, and promises settle in between.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** `startMs`: Unix time in milliseconds; by default 2026-01-01T12:00:00Z. */
  constructor(startMs = Date.UTC(2026, 0, 1, 12)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, fire: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are set and neither fired nor cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward by `ms`, firing what falls due. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle(1);
    for (let due = this.#next(end); due; due = this.#next(end)) {
      this.#fire(due);
      await settle(1);
    }
    this.#now = end;
    await settle(1);
  }

  /** As {@link advance}, without letting promises settle in between: for code that has none. */
  advanceSync(ms: number): void {
    const end = this.#now + ms;
    for (let due = this.#next(end); due; due = this.#next(end)) this.#fire(due);
    this.#now = end;
  }

  /** Fires timers until none is left. Throws when they don't come to an end. */
  async runAll(): Promise<void> {
    await settle(1);
    for (let fired = 0; ; fired++) {
      const due = this.#next(Number.POSITIVE_INFINITY);
      if (!due) return;
      if (fired >= MAX_TIMERS_PER_RUN) throw new Error("timers keep re-arming themselves");
      this.#fire(due);
      await settle(1);
    }
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
  }
}
