import { EarshotError } from "@earshot/core";

/** Runs asynchronous work one piece after the other, in the order it was given; at most `limit` pieces wait. */
export class SerialQueue {
  readonly #limit: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Rejects with `queue-full` at the limit, and with whatever `work` rejects with. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#limit) return Promise.reject(new EarshotError("queue-full", "too much work is waiting"));
    this.#waiting += 1;
    const result = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Settles once everything given so far has run. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
