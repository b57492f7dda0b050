import { type Clock, toHex } from "@earshot/core";

/** What was announced may have expired, or a handler may hang: being online does not wait longer than this for the next. */
export const STALL_MS = 10_000;

/** What waited at the home when mailboxes were opened, counted down as it is handled. */
export class Backlog {
  readonly #clock: Clock;
  /** By mailbox. Below zero where envelopes are handled before their number is told, or new ones come. */
  readonly #left = new Map<string, number>();
  #resolve: (() => void) | undefined;
  #over = false;
  #cancelStall: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(mailboxId: Uint8Array, count: number): void {
    this.#add(mailboxId, count);
  }

  handled(mailboxId: Uint8Array): void {
    this.#add(mailboxId, -1);
    if (this.#resolve) this.#look();
  }

  /** Whether all that was expected of this mailbox has been handled. */
  isEmpty(mailboxId: Uint8Array): boolean {
    return (this.#left.get(toHex(mailboxId)) ?? 0) <= 0;
  }

  /** Once all is expected that will be. Resolves when it is handled, when nothing was for {@link STALL_MS}, or when given up. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#over) return resolve();
      this.#resolve = resolve;
      this.#look();
    });
  }

  /** The connection broke: nothing more comes. */
  giveUp(): void {
    this.#over = true;
    this.#cancelStall();
    this.#resolve?.();
    this.#resolve = undefined;
  }

  #add(mailboxId: Uint8Array, count: number): void {
    const name = toHex(mailboxId);
    this.#left.set(name, (this.#left.get(name) ?? 0) + count);
  }

  #look(): void {
    this.#cancelStall();
    if ([...this.#left.values()].every((left) => left <= 0)) this.giveUp();
    else this.#cancelStall = this.#clock.setTimer(STALL_MS, () => this.giveUp());
  }
}
