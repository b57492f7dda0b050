/**
 * Who may begin a TLS handshake, and when: connections that have said something, in the order in which they did. Where more come at once than a
 * worker can serve, they wait here, which costs a socket, instead of being hung up on, which would cost them another try and the worker another
 * connection. A client gives up after ten seconds: nobody waits so long that the handshake would be for one who has gone.
 */
import type { Socket } from "node:net";
import type { Clock } from "@earshot/core";
import { PartyCounts } from "../party-counts.ts";

/**
 * Handshakes under way, at most: what a core does in about half a second (600 a second were measured). All that are under way share the time, so
 * where they take long there are fewer, one less for each that was slow, down to so few that they are no crowd.
 */
export const MAX_SHAKING = 256;
const MIN_SHAKING = 32;
const SLOW_MS = 1_000;
/** One that takes longer makes room for others: round trips of a slow network, and no more. */
const SHAKES_FOR_MS = 3_000;
/** The same where even a few take long: the machine is slow, and to begin others in their place would finish none. */
const SHAKES_FOR_WHERE_SLOW_MS = 9_000;
/** Of the places, and of the line, at most this part for one address prefix: who is slow on purpose is slow alone. */
const PARTY_SHARE = 1 / 4;
/** What a core that does nothing else gets through in `WAITS_FOR_MS`, less what the pages' places leave. */
export const MAX_IN_LINE = 1_024;
/** The line is no longer than what was done lately will have served in time; but so many. */
const MIN_IN_LINE = 64;
/** From the connection to the handshake, its first bytes included. */
const WAITS_FOR_MS = 5_000;

export interface TlsLineOptions {
  readonly clock: Clock;
  /** Whose connection it is; undefined where many share an address legitimately. */
  partyOf(raw: Socket): string | undefined;
  /** Its turn has come. `done` is to be called when the handshake is over, and told whether well. */
  shake(raw: Socket, done: (well: boolean) => void): void;
  /** No handshake begins: the line is full, or it stood too long. It is destroyed. */
  shed(): void;
}

interface Standing {
  /** In the line: since it is connected; then since it shakes. */
  readonly since: number;
  readonly party: string | undefined;
}

export class TlsLine {
  readonly #options: TlsLineOptions;
  /** Has said nothing yet; the longest first. */
  readonly #silent = new Map<Socket, Standing>();
  /** In the order of their first bytes. */
  readonly #line = new Map<Socket, Standing>();
  /** The longest first. */
  readonly #shaking = new Map<Socket, Standing>();
  /** How many of those who wait, and of those who shake, are one party's. */
  readonly #waitingOf = new PartyCounts();
  readonly #shakingOf = new PartyCounts();
  /** How many may. */
  #places = MAX_SHAKING;
  /** Handshakes done since the last look, and how long a line those of the time before would have served. */
  #done = 0;
  #checkedAt: number;
  #reach = MAX_IN_LINE;

  constructor(options: TlsLineOptions) {
    this.#options = options;
    this.#checkedAt = options.clock.now();
  }

  /** A new connection, which may have been destroyed before it was taken. */
  add(raw: Socket): void {
    const party = this.#options.partyOf(raw);
    const isFull = this.#silent.size + this.#line.size >= this.#reach;
    if (isFull || this.#waitingOf.of(party) >= this.#reach * PARTY_SHARE) return this.#shed(raw);
    this.#waitingOf.add(party, 1);
    this.#silent.set(raw, { since: this.#options.clock.now(), party });
    raw.once("close", () => this.#forget(raw));
    raw.once("readable", () => {
      const standing = this.#silent.get(raw);
      if (standing === undefined) return;
      if (raw.readableLength === 0) return void raw.destroy(); // it ended
      this.#silent.delete(raw);
      this.#line.set(raw, standing);
      this.#next();
    });
  }

  /** Looks for those who have stood, or shaken, for too long. To be called every second or so. */
  check(): void {
    const now = this.#options.clock.now();
    for (const waiting of [this.#silent, this.#line])
      for (const [raw, { since }] of waiting) if (since <= now - WAITS_FOR_MS) this.#shed(raw);
    this.#measure(now);
    this.#next();
  }

  /** Where nobody is kept waiting, nothing is known of how fast it could be. */
  #measure(now: number): void {
    const elapsedMs = now - this.#checkedAt;
    if (elapsedMs <= 0) return;
    const served = Math.max(MIN_IN_LINE, Math.round((this.#done / elapsedMs) * WAITS_FOR_MS));
    // Half of what was: one slow second is not the rule.
    this.#reach = this.#line.size === 0 ? MAX_IN_LINE : Math.min(MAX_IN_LINE, Math.round((this.#reach + served) / 2));
    this.#done = 0;
    this.#checkedAt = now;
  }

  #next(): void {
    for (const [raw, { party }] of this.#line) {
      if (!this.#hasRoom()) return;
      if (this.#shakingOf.of(party) >= this.#places * PARTY_SHARE) continue;
      this.#forget(raw);
      this.#begin(raw, party);
    }
  }

  #begin(raw: Socket, party: string | undefined): void {
    const since = this.#options.clock.now();
    this.#shaking.set(raw, { since, party });
    this.#shakingOf.add(party, 1);
    this.#options.shake(raw, (well) => {
      if (!this.#leave(raw)) return;
      if (well) this.#note(this.#options.clock.now() - since);
      this.#next();
    });
  }

  /** False where it had left before. */
  #leave(raw: Socket): boolean {
    const shaking = this.#shaking.get(raw);
    if (shaking === undefined) return false;
    this.#shaking.delete(raw);
    this.#shakingOf.add(shaking.party, -1);
    return true;
  }

  #note(tookMs: number): void {
    this.#done++;
    this.#places = tookMs > SLOW_MS ? Math.max(MIN_SHAKING, this.#places - 1) : Math.min(MAX_SHAKING, this.#places + 1);
  }

  #hasRoom(): boolean {
    if (this.#shaking.size < this.#places) return true;
    const [oldest] = this.#shaking;
    if (oldest === undefined) return true;
    const [raw, { since }] = oldest;
    const patienceMs = this.#places > MIN_SHAKING ? SHAKES_FOR_MS : SHAKES_FOR_WHERE_SLOW_MS;
    if (this.#options.clock.now() - since < patienceMs) return false;
    this.#leave(raw);
    raw.destroy();
    return this.#shaking.size < this.#places;
  }

  #forget(raw: Socket): void {
    const standing = this.#silent.get(raw) ?? this.#line.get(raw);
    if (standing === undefined) return;
    this.#waitingOf.add(standing.party, -1);
    this.#silent.delete(raw);
    this.#line.delete(raw);
  }

  #shed(raw: Socket): void {
    this.#forget(raw);
    this.#options.shed();
    raw.destroy();
  }
}
