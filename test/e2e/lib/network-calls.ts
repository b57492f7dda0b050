/** Calls that go on and on while something is done to the network: every one of them must ring. */
import type { Person } from "../sdk-people.ts";
import { rings } from "./network-people.ts";

/** Between two calls. */
const PAUSE_MS = 500;

export class CallsThroughout {
  readonly #people: readonly [Person, Person];
  /** Milliseconds until each rang. */
  readonly rangAfterMs: number[] = [];
  readonly failures: string[] = [];
  #since = performance.now();
  #from: Person;
  #over = false;
  readonly #done: Promise<void>;

  /** They call each other in turn from now on. */
  constructor(one: Person, other: Person) {
    this.#people = [one, other];
    this.#from = one;
    this.#done = this.#run();
  }

  /** The call that is under way, for whoever waits in vain for the next. */
  get now(): string {
    const [one, other] = this.#people.map(({ client }) =>
      client
        .calls()
        .map((call) => call.phase)
        .join(),
    );
    const whose = this.#from === this.#people[0] ? "the first's" : "the second's";
    return `${whose}, for ${Math.round(performance.now() - this.#since)} ms: ${one || "none"} and ${other || "none"}`;
  }

  /** Resolves once the last call has ended. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    const [one, other] = this.#people;
    for (let count = 0; !this.#over; count++) {
      const [from, to] = count % 2 === 0 ? [one, other] : [other, one];
      [this.#from, this.#since] = [from, performance.now()];
      try {
        this.rangAfterMs.push(await rings(from, to));
      } catch (error) {
        this.failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
