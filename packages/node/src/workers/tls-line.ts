/**
 * Who may begin a TLS handshake, and when: connections that have said something, in the order in which they did. Where more come at once than a
 * worker can serve, they wait here, which costs a socket, instead of being hung up on, which would cost them another try and the worker another
 * connection. A client gives up after ten seconds: nobody waits so long that the handshake would be for one who has gone.
 */
import type { Socket } from "node:net";
import type { Clock } from "@earshot/core";

/**
 * Handshakes under way: what a core does in about half a second (600 a second were measured). All that are under way share the time, so without the
 * bound none would be done when it is due.
 */
export const MAX_SHAKING = 256;
/** One that takes longer makes room for others: round trips of a slow network, and no more. */
const SHAKES_FOR_MS = 3_000;
/** What a core that does nothing else gets through in `WAITS_FOR_MS`, less what the pages' places leave. */
export const MAX_IN_LINE = 1_024;
/** From the connection to the handshake, its first bytes included. */
const WAITS_FOR_MS = 5_000;

export interface TlsLineOptions {
  readonly clock: Clock;
  /** Its turn has come. `done` is to be called when the handshake is over, well or not. */
  shake(raw: Socket, done: () => void): void;
  /** No handshake begins: the line is full, or it stood too long. It is destroyed. */
  shed(): void;
}

export class TlsLine {
  readonly #options: TlsLineOptions;
  /** Since when, the longest first: has said nothing yet. */
  readonly #silent = new Map<Socket, number>();
  /** Since when they are connected; in the order of their first bytes. */
  readonly #line = new Map<Socket, number>();
  /** Since when they shake, the longest first. */
  readonly #shaking = new Map<Socket, number>();

  constructor(options: TlsLineOptions) {
    this.#options = options;
  }

  /** A new connection, which may have been destroyed before it was taken. */
  add(raw: Socket): void {
    if (this.#silent.size + this.#line.size >= MAX_IN_LINE) return this.#shed(raw);
    this.#silent.set(raw, this.#options.clock.now());
    raw.once("close", () => this.#forget(raw));
    raw.once("readable", () => {
      const since = this.#silent.get(raw);
      if (since === undefined) return;
      if (raw.readableLength === 0) return void raw.destroy(); // it ended
      this.#silent.delete(raw);
      this.#line.set(raw, since);
      this.#next();
    });
  }

  /** Looks for those who have stood, or shaken, for too long. To be called every second or so. */
  check(): void {
    const due = this.#options.clock.now() - WAITS_FOR_MS;
    for (const waiting of [this.#silent, this.#line])
      for (const [raw, since] of waiting) if (since <= due) this.#shed(raw);
    this.#next();
  }

  #next(): void {
    for (const [raw] of this.#line) {
      if (!this.#hasRoom()) return;
      this.#line.delete(raw);
      this.#shaking.set(raw, this.#options.clock.now());
      this.#options.shake(raw, () => {
        if (this.#shaking.delete(raw)) this.#next();
      });
    }
  }

  #hasRoom(): boolean {
    if (this.#shaking.size < MAX_SHAKING) return true;
    const [oldest] = this.#shaking;
    if (oldest === undefined) return true;
    const [raw, since] = oldest;
    if (this.#options.clock.now() - since < SHAKES_FOR_MS) return false;
    this.#shaking.delete(raw);
    raw.destroy();
    return true;
  }

  #forget(raw: Socket): void {
    this.#silent.delete(raw);
    this.#line.delete(raw);
  }

  #shed(raw: Socket): void {
    this.#forget(raw);
    this.#options.shed();
    raw.destroy();
  }
}
