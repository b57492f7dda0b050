/** A HyperDHT stream as an edge stream: the same messages, with Noise under them instead of TLS. */
import type { DhtStream } from "../backbone/dht-stream.ts";
import { type EdgeStreamHandlers, NO_HANDLERS, type PausableStream } from "./edge-stream.ts";

export class DhtEdgeStream implements PausableStream {
  readonly #stream: DhtStream;
  #handlers: EdgeStreamHandlers = NO_HANDLERS;
  #started = false;

  /** Messages flow from when `handlers` is set. */
  constructor(stream: DhtStream) {
    this.#stream = stream;
  }

  get handlers(): EdgeStreamHandlers {
    return this.#handlers;
  }
  set handlers(handlers: EdgeStreamHandlers) {
    this.#handlers = handlers;
    if (this.#started) return;
    this.#started = true;
    this.#stream.start({
      onMessage: (message) => this.#handlers.onMessage(message),
      onClose: (broken) => {
        if (broken) this.#handlers.onBroken();
        this.#handlers.onClosed();
      },
    });
  }

  get remoteHost(): string {
    return this.#stream.remoteHost;
  }

  get bufferedBytes(): number {
    return this.#stream.bufferedBytes;
  }

  send(message: Uint8Array): void {
    this.#stream.send(message);
  }

  onceDrained(callback: () => void): void {
    this.#stream.onceDrained(callback);
  }

  /** The stream keeps itself alive, and the edge protocol's clients ping. */
  ping(): void {}

  close(_code: number): void {
    this.#stream.end();
  }

  terminate(): void {
    this.#stream.destroy();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }
}
