const WAIT_LIMIT_MS = 30_000;

/** What happened and when, until somebody asks for it. */
export class EventQueue<Name extends string> {
  readonly #events: { readonly name: Name; readonly at: number }[] = [];
  readonly #waiting = new Set<() => void>();

  put(name: Name, at: number): void {
    this.#events.push({ name, at });
    for (const look of [...this.#waiting]) look();
  }

  /** The times of all such events so far that nobody has taken. */
  takeAll(wanted: Name): number[] {
    const taken = this.#events.filter(({ name }) => name === wanted).map(({ at }) => at);
    this.#events.splice(0, Infinity, ...this.#events.filter(({ name }) => name !== wanted));
    return taken;
  }

  clear(): void {
    this.#events.length = 0;
  }

  /** The time of the next such event that nobody has taken yet, past or to come; rejects when none comes. */
  take(wanted: Name): Promise<number> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle();
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`waited for ${wanted} in vain`))), WAIT_LIMIT_MS);
      const look = () => {
        const index = this.#events.findIndex(({ name }) => name === wanted);
        const [found] = index < 0 ? [] : this.#events.splice(index, 1);
        if (found) finish(() => resolve(found.at));
      };
      this.#waiting.add(look);
      look();
    });
  }
}
