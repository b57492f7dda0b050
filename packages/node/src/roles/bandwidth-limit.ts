/** Holds the bytes of all strangers' streams together below a rate: what is sent waits, and what is received is read later. */
import type { Clock } from "@earshot/core";
import { type EdgeStream, type EdgeStreamHandlers, NO_HANDLERS, type PausableStream } from "../edge/edge-stream.ts";

/** This much of a second may be used at once. */
const BURST_SECONDS = 1;

export class BandwidthLimit {
  readonly #clock: Clock;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  /** What may be used now; below zero it is owed. */
  #allowance = 0;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Infinity: no limit. */
  set bytesPerSecond(rate: number) {
    this.#refill();
    this.#bytesPerSecond = rate;
    this.#allowance = Number.isFinite(rate) ? Math.min(this.#allowance, rate * BURST_SECONDS) : 0;
  }

  /** Takes what has been used. */
  spend(bytes: number): void {
    this.#refill();
    if (Number.isFinite(this.#bytesPerSecond)) this.#allowance -= bytes;
  }

  /** Until something may be used again; 0 for now. */
  waitMs(): number {
    this.#refill();
    if (this.#allowance >= 0 || !Number.isFinite(this.#bytesPerSecond)) return 0;
    return Math.max(1, Math.ceil((-this.#allowance / this.#bytesPerSecond) * 1_000));
  }

  #refill(): void {
    const now = this.#clock.now();
    const elapsedMs = Math.max(0, now - this.#at);
    this.#at = now;
    if (!Number.isFinite(this.#bytesPerSecond)) return;
    const grown = this.#allowance + (elapsedMs / 1_000) * this.#bytesPerSecond;
    this.#allowance = Math.min(this.#bytesPerSecond * BURST_SECONDS, grown);
  }
}

/**
 * First byte of a frame that hands an envelope on (docs/protocol/edge.md): it leaves again, mostly over a stream of our own to another
 * supernode, which is not under this limit.
 */
const DELIVER = 0x04;

/** A stream that keeps to a shared limit. */
export class LimitedEdgeStream implements EdgeStream {
  readonly #stream: PausableStream;
  readonly #limit: BandwidthLimit;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #onceSent: (() => void)[] = [];
  #paused = false;
  #cancel: (() => void) | undefined;
  #handlers: EdgeStreamHandlers = NO_HANDLERS;

  constructor(stream: PausableStream, limit: BandwidthLimit) {
    this.#stream = stream;
    this.#limit = limit;
  }

  get handlers(): EdgeStreamHandlers {
    return this.#handlers;
  }
  set handlers(handlers: EdgeStreamHandlers) {
    this.#handlers = handlers;
    this.#stream.handlers = {
      onMessage: (message) => {
        this.#limit.spend(message[0] === DELIVER ? 2 * message.length : message.length);
        this.#holdBack();
        handlers.onMessage(message);
      },
      onText: () => handlers.onText(),
      onPing: () => handlers.onPing(),
      onHeard: () => handlers.onHeard(),
      onBroken: () => handlers.onBroken(),
      onClosed: () => {
        this.#forget();
        handlers.onClosed();
      },
    };
  }

  /** What waits here counts: whoever does not get its turn is told apart from nobody. */
  get bufferedBytes(): number {
    return this.#queuedBytes + this.#stream.bufferedBytes;
  }

  send(message: Uint8Array): void {
    if (this.#queue.length === 0 && this.#limit.waitMs() === 0) return this.#sendNow(message);
    this.#queue.push(message);
    this.#queuedBytes += message.length;
    this.#wake();
  }

  onceDrained(callback: () => void): void {
    if (this.#queue.length === 0) this.#stream.onceDrained(callback);
    else this.#onceSent.push(callback);
  }

  ping(): void {
    this.#stream.ping();
  }

  /** What waits is sent first, and owed. */
  close(code: number): void {
    for (const message of this.#queue) this.#sendNow(message);
    this.#forget();
    this.#stream.close(code);
  }

  terminate(): void {
    this.#forget();
    this.#stream.terminate();
  }

  #sendNow(message: Uint8Array): void {
    this.#limit.spend(message.length);
    this.#stream.send(message);
  }

  #holdBack(): void {
    if (this.#paused || this.#limit.waitMs() === 0) return;
    this.#paused = true;
    this.#stream.pause();
    this.#wake();
  }

  #wake(): void {
    this.#cancel ??= this.#limit.clock.setTimer(Math.max(1, this.#limit.waitMs()), () => {
      this.#cancel = undefined;
      this.#takeTurn();
    });
  }

  #takeTurn(): void {
    while (this.#queue.length > 0 && this.#limit.waitMs() === 0) {
      const message = this.#queue.shift() as Uint8Array;
      this.#queuedBytes -= message.length;
      this.#sendNow(message);
    }
    if (this.#queue.length === 0) {
      const callbacks = this.#onceSent;
      this.#onceSent = [];
      for (const callback of callbacks) this.#stream.onceDrained(callback);
    }
    if (this.#paused && this.#limit.waitMs() === 0) {
      this.#paused = false;
      this.#stream.resume();
    }
    if (this.#paused || this.#queue.length > 0) this.#wake();
  }

  #forget(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
    const callbacks = this.#onceSent;
    this.#onceSent = [];
    for (const callback of callbacks) this.#stream.onceDrained(callback);
  }
}
