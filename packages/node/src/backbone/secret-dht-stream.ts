/** A {@link DhtStream} over hyperdht's encrypted stream. */
import type { Clock } from "@earshot/core";
import { CLOSE_GRACE_MS, type DhtStream, type DhtStreamHandlers } from "./dht-stream.ts";
import { guardFrames } from "./frame-guard.ts";
import type { SecretStream } from "./hyperdht.ts";

export interface StreamTimes {
  readonly streamKeepAliveMs: number;
  readonly streamTimeoutMs: number;
}

export class SecretDhtStream implements DhtStream {
  readonly #stream: SecretStream;
  readonly #clock: Clock;
  #handlers: DhtStreamHandlers | undefined;
  /** Came before {@link start}: a few at most, since the stream stands still till then. */
  #early: Uint8Array[] = [];
  #broken = false;
  #closed = false;
  #told = false;
  #buffered = 0;
  #flushing = false;
  #drains: (() => void)[] = [];
  #cancelGrace: (() => void) | undefined;

  /** To be made in the turn in which `stream` was: see guardFrames. */
  constructor(stream: SecretStream, clock: Clock, times: StreamTimes) {
    this.#stream = stream;
    this.#clock = clock;
    guardFrames(stream, () => this.#break());
    stream.setKeepAlive(times.streamKeepAliveMs);
    stream.setTimeout(times.streamTimeoutMs);
    stream.on("error", () => {
      this.#broken = true;
    });
    // The other side says no more: neither do we.
    stream.on("end", () => this.end());
    stream.once("close", () => this.#onClose());
  }

  /** What the two ends, and nobody else, know of this stream; there once it is open. */
  get handshakeHash(): Uint8Array {
    return this.#stream.handshakeHash ?? new Uint8Array(0);
  }
  get opened(): Promise<boolean> {
    return this.#stream.opened;
  }
  get remoteHost(): string {
    return this.#stream.rawStream?.remoteHost ?? "";
  }
  get remotePort(): number {
    return this.#stream.rawStream?.remotePort ?? 0;
  }
  get remoteKey(): Uint8Array {
    return this.#stream.remotePublicKey;
  }
  get closed(): boolean {
    return this.#closed;
  }
  get bufferedBytes(): number {
    return this.#buffered;
  }

  start(handlers: DhtStreamHandlers): void {
    this.#handlers = handlers;
    if (this.#closed) {
      queueMicrotask(() => this.#tellClosed());
      return;
    }
    const early = this.#early;
    this.#early = [];
    for (const message of early) handlers.onMessage(message);
    this.#flow();
  }

  /** The first message alone; the stream stands still after it. */
  takeFirst(onFirst: (message: Uint8Array) => void): void {
    this.#handlers = {
      onMessage: (message) => {
        this.#handlers = undefined;
        this.#stream.pause();
        onFirst(message);
      },
      onClose: () => {},
    };
    this.#flow();
  }

  send(message: Uint8Array): void {
    if (this.#closed || !this.#stream.writable) return;
    this.#buffered += message.length;
    this.#stream.write(message);
    if (!this.#flushing) void this.#watchFlush();
  }

  onceDrained(callback: () => void): void {
    if (this.#closed || this.#buffered === 0) queueMicrotask(callback);
    else this.#drains.push(callback);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (this.#handlers) this.#stream.resume();
  }

  end(): void {
    if (this.#closed || this.#cancelGrace) return;
    this.#cancelGrace = this.#clock.setTimer(CLOSE_GRACE_MS, () => this.#stream.destroy());
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #flow(): void {
    if (this.#stream.listenerCount("data") === 0) this.#stream.on("data", (data: Buffer) => this.#onData(data));
    this.#stream.resume();
  }

  #onData(data: Buffer): void {
    if (this.#closed) return;
    if (this.#handlers) this.#handlers.onMessage(data);
    else this.#early.push(data);
  }

  /** One flush at a time: what was sent meanwhile waits for the next. */
  async #watchFlush(): Promise<void> {
    this.#flushing = true;
    while (this.#buffered > 0 && !this.#closed) {
      const sent = this.#buffered;
      const drains = this.#drains;
      this.#drains = [];
      const taken = await Promise.race([this.#stream.flush(), this.#closing]);
      this.#buffered -= sent;
      for (const callback of drains) callback();
      if (!taken) break;
    }
    this.#flushing = false;
  }

  #close: (value: boolean) => void = () => {};
  readonly #closing = new Promise<boolean>((resolve) => {
    this.#close = resolve;
  });

  #break(): void {
    this.#broken = true;
    this.#stream.destroy();
  }

  #onClose(): void {
    this.#closed = true;
    this.#buffered = 0;
    this.#cancelGrace?.();
    this.#close(false);
    const drains = this.#drains;
    this.#drains = [];
    for (const callback of drains) callback();
    this.#tellClosed();
  }

  #tellClosed(): void {
    if (this.#told || !this.#handlers) return;
    this.#told = true;
    this.#handlers.onClose(this.#broken);
  }
}
