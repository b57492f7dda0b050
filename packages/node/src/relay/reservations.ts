/** Ports that were asked for with their even neighbours, until they are taken or half a minute has gone (RFC 8656 section 7.2). */
import type { Clock, RandomSource } from "@earshot/core";
import type { RelayFamily, RelaySocket } from "./relay-ports.ts";

const KEPT_MS = 30_000;
const MAX_KEPT = 64;
const TOKEN_BYTES = 8;

interface Reservation {
  readonly socket: RelaySocket;
  readonly family: RelayFamily;
  readonly username: string;
  readonly expiresAt: number;
}

export class Reservations {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  /** By token, the oldest first. */
  readonly #kept = new Map<string, Reservation>();

  constructor(clock: Clock, random: RandomSource) {
    this.#clock = clock;
    this.#random = random;
  }

  get isFull(): boolean {
    return this.#kept.size >= MAX_KEPT;
  }

  /** The token by which `username` can have it. */
  keep(socket: RelaySocket, family: RelayFamily, username: string): Uint8Array {
    const token = this.#random.bytes(TOKEN_BYTES);
    this.#kept.set(hex(token), { socket, family, username, expiresAt: this.#clock.now() + KEPT_MS });
    return token;
  }

  /** Once. */
  take(token: Uint8Array, username: string): { socket: RelaySocket; family: RelayFamily } | undefined {
    const reservation = this.#kept.get(hex(token));
    if (reservation?.username !== username) return undefined;
    this.#kept.delete(hex(token));
    return reservation;
  }

  /** Closes those that nobody came for. */
  check(): void {
    for (const [token, { socket, expiresAt }] of this.#kept) {
      if (expiresAt > this.#clock.now()) return;
      this.#kept.delete(token);
      socket.close();
    }
  }

  close(): void {
    for (const { socket } of this.#kept.values()) socket.close();
    this.#kept.clear();
  }
}

function hex(token: Uint8Array): string {
  return Buffer.from(token).toString("hex");
}
