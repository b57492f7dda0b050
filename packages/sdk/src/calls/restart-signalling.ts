import type { CallState, Clock } from "@earshot/core";

/** Between two looks whether the homes can be reached: a voice that is away is back within two seconds of the network. */
const URGE_MS = 1_000;

/** The connections to the homes, as far as calls look after them. */
export interface CallsHomes {
  /** Whether anything can be sent by one of them now. */
  canSend(): boolean;
  /** Looks whether they are still there, and tries again at once. */
  urge(): void;
}
const ALWAYS_THERE: CallsHomes = { canSend: () => true, urge: () => {} };

/**
 * While a call has lost its path, what restarts it goes by the homes, over the same network: they are asked again and again
 * whether they are there. Bounded by how long a call waits for its path.
 */
export class RestartSignalling {
  readonly #clock: Clock;
  readonly #homes: CallsHomes;
  readonly #waiting = new Set<string>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, homes: CallsHomes = ALWAYS_THERE) {
    this.#clock = clock;
    this.#homes = homes;
  }

  canSend(): boolean {
    return this.#homes.canSend();
  }

  /** What a call is at now. */
  note(callId: string, phase: CallState["phase"]): void {
    if (phase === "reconnecting") this.#waiting.add(callId);
    else this.#waiting.delete(callId);
    if (this.#waiting.size === 0) this.#stop();
    else if (!this.#cancel) this.#again();
  }

  #again(): void {
    this.#cancel = this.#clock.setTimer(URGE_MS, () => this.#again());
    this.#homes.urge();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
