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

/** Work that is done anew whenever it is asked for. Whoever asks while one turn waits in the queue has that one. */
export class Repeated<T> {
  readonly #queue: SerialQueue;
  readonly #work: () => Promise<T>;
  #waiting: Promise<T> | undefined;

  constructor(queue: SerialQueue, work: () => Promise<T>) {
    this.#queue = queue;
    this.#work = work;
  }

  /** As {@link SerialQueue.run}. */
  run(): Promise<T> {
    if (this.#waiting) return this.#waiting;
    const begins = () => {
      if (this.#waiting === turn) this.#waiting = undefined;
    };
    const turn: Promise<T> = this.#queue.run(() => {
      begins();
      return this.#work();
    });
    this.#waiting = turn;
    turn.catch(begins); // it may never have begun
    return turn;
  }
}
