import type { Clock } from "@earshot/core";

/** A message that nothing has come back on after so long is sent another way. A ring takes well under a second. */
export const RESEND_MS = 2_000;
/** Two homes on each side make two pairings; a third covers three. */
const MAX_ROUNDS = 2;
/** The set-up and its first candidates. */
const MAX_MESSAGES = 8;

/** Sends the same message another way. */
export type Resend = () => Promise<void>;

/**
 * What was sent to one device that has not been heard from. A supernode may say that it took a message, and drop it: so all
 * is sent once more by other ways, until something comes back.
 */
export class Unanswered {
  readonly #clock: Clock;
  readonly #onProblem: (error: unknown) => void;
  #messages: Resend[] = [];
  #rounds = 0;
  #cancel: (() => void) | undefined;
  #over = false;

  constructor(clock: Clock, onProblem: (error: unknown) => void) {
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  /** A home took this one. */
  sent(resend: Resend): void {
    if (this.#over || this.#messages.length >= MAX_MESSAGES) return;
    this.#messages.push(resend);
    this.#cancel ??= this.#clock.setTimer(RESEND_MS, () => this.#again());
  }

  /** Something came back, or the call has ended. */
  stop(): void {
    this.#over = true;
    this.#cancel?.();
    this.#messages = [];
  }

  #again(): void {
    for (const resend of this.#messages) resend().catch(this.#onProblem);
    this.#rounds += 1;
    if (this.#rounds < MAX_ROUNDS) this.#cancel = this.#clock.setTimer(RESEND_MS, () => this.#again());
    else this.stop();
  }
}
