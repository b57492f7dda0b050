import type { Unsubscribe } from "./api.ts";

/** Listeners for one kind of event at one emitter; more is a leak. */
const MAX_LISTENERS = 1000;

/** Typed events. A listener that throws is reported and does not keep the others from hearing. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on<K extends keyof Events>(event: K, listener: (value: Events[K]) => void): Unsubscribe {
    let listeners = this.#listeners.get(event);
    if (!listeners) {
      listeners = new Set();
      this.#listeners.set(event, listeners);
    }
    if (listeners.size >= MAX_LISTENERS)
      throw new RangeError(`more than ${MAX_LISTENERS} listeners for ${String(event)}`);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** How many listen. */
  count(event: keyof Events): number {
    return this.#listeners.get(event)?.size ?? 0;
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as (value: Events[K]) => void)(value);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
