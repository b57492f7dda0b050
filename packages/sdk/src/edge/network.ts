import type { AnswerTo, Clock, EdgeAnswer, EdgeRequest } from "@earshot/core";
import type { ScoutFault, ScoutLink, Scouts } from "../directory/scouts.ts";
import { NodeError } from "../errors.ts";
import type { HomeSlot } from "./home-slot.ts";
import type { Roaming } from "./roaming.ts";

/** Until the next try to load; doubled each time. In a page it is a file of its own, and its server may be restarting. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** How long a look-up waits until it is known who there is. */
const WAIT_MS = 10_000;

/** Homes and scouts, chosen by what is loaded once connecting begins: in a page, the first screen does not wait for it. */
export class Network implements Scouts {
  readonly #load: () => Promise<Roaming>;
  readonly #clock: Clock;
  readonly #onProblem: (error: unknown) => void;
  #roaming: Roaming | undefined;
  #stopped = true;
  /** Counts starts: what an earlier one still loads is not begun. */
  #turn = 0;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: () => void = () => {};
  readonly #waiters = new Set<() => void>();
  /** In the place of the scouts until there are some. */
  readonly #waiting: ScoutLink = { request: (request, waitMs) => this.#requestLater(request, waitMs) };

  constructor(load: () => Promise<Roaming>, clock: Clock, onProblem: (error: unknown) => void) {
    this.#load = load;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  /** Undefined until it is loaded. */
  get roaming(): Roaming | undefined {
    return this.#roaming;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    void this.#begin(++this.#turn);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
    this.#roaming?.stop();
  }

  /** The clock jumped: asks anew. */
  renew(): void {
    void this.#roaming?.refresh(true);
  }

  /** Tries at once what waits for its next try. */
  hurry(): void {
    this.#roaming?.scouts.hurry();
    void this.#roaming?.refresh();
  }

  changed(): void {
    this.#roaming?.changed();
  }

  draining(slot: HomeSlot, descriptors: readonly Uint8Array[]): void {
    slot.drainingAt = this.#clock.now();
    this.#roaming?.draining(slot, descriptors);
  }

  links(): readonly ScoutLink[] {
    const links = this.#roaming?.scouts.links() ?? [];
    return links.length > 0 ? links : [this.#waiting];
  }

  report(link: ScoutLink, fault: ScoutFault): void {
    this.#roaming?.scouts.report(link, fault);
  }

  /** As {@link Scouts.another}. */
  another(asked: readonly ScoutLink[]): ScoutLink | undefined {
    return this.#roaming?.scouts.another(asked);
  }

  async #begin(turn: number): Promise<void> {
    const isOver = () => this.#stopped || turn !== this.#turn;
    try {
      const roaming = await this.#load();
      if (isOver()) return;
      this.#roaming = roaming;
      roaming.start();
      await roaming.ready;
      for (const waiter of [...this.#waiters]) waiter();
    } catch (error) {
      this.#onProblem(error);
      if (isOver()) return;
      this.#cancelRetry = this.#clock.setTimer(this.#retryMs, () => void this.#begin(turn));
      this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    }
  }

  async #requestLater<R extends EdgeRequest>(request: R, waitMs = WAIT_MS): Promise<EdgeAnswer<AnswerTo<R["type"]>>> {
    await this.#known(waitMs);
    const [link] = this.#roaming?.scouts.links() ?? [];
    if (!link) throw new NodeError("offline", "No supernode is known to look up through. Earshot keeps trying.");
    return link.request(request, waitMs);
  }

  /** Resolves when somebody is known, or after that time. */
  #known(waitMs: number): Promise<void> {
    if ((this.#roaming?.scouts.links().length ?? 0) > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#waiters.delete(done);
        resolve();
      };
      const cancel = this.#clock.setTimer(waitMs, done);
      this.#waiters.add(done);
    });
  }
}
