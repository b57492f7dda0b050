/** A WebSocket as an edge stream. All that is sent in one turn of the event loop goes to the kernel at once. */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { type EdgeStreamHandlers, NO_HANDLERS, type PausableStream } from "./edge-stream.ts";
import { WsFrameWriter } from "./ws-frame-writer.ts";

export class WsEdgeStream implements PausableStream {
  handlers: EdgeStreamHandlers = NO_HANDLERS;
  readonly #socket: WebSocket;
  /** The stream under it. */
  readonly #stream: Duplex;
  /** Of a server's end; a client must mask what it sends, and leaves that to `ws`. */
  readonly #writer: WsFrameWriter | undefined;
  #corked = false;
  #onDrained: (() => void)[] | undefined;

  /**
   * `socket` without pongs of its own (`autoPong: false`), and the TCP or TLS stream that it was made on. `isServer`: it accepted
   * the handshake, without extensions, so that its frames can be written at less cost.
   */
  constructor(socket: WebSocket, stream: Duplex, isServer = false) {
    this.#socket = socket;
    this.#stream = stream;
    this.#writer = isServer ? new WsFrameWriter(socket, stream) : undefined;
    socket.on("message", (data, isBinary) =>
      isBinary ? this.handlers.onMessage(data as Buffer) : this.handlers.onText(),
    );
    socket.on("ping", (data) => this.handlers.onPing() && socket.pong(data));
    socket.on("pong", () => this.handlers.onHeard());
    // ws reports a peer's broken frames, too, as errors, and closes by itself.
    socket.on("error", () => this.handlers.onBroken());
    // Of the stream, and not sooner: until then it takes a place.
    stream.once("close", () => {
      this.#drained();
      this.handlers.onClosed();
    });
  }

  get remoteHost(): string {
    return (this.#stream as Duplex & { readonly remoteAddress?: string }).remoteAddress ?? "";
  }

  get bufferedBytes(): number {
    return this.#writer?.bufferedBytes ?? this.#socket.bufferedAmount;
  }

  send(message: Uint8Array): void {
    if (this.#writer) return this.#writer.send(message);
    this.#cork();
    this.#socket.send(message);
  }

  onceDrained(callback: () => void): void {
    if (!this.#stream.writableNeedDrain) return void setImmediate(callback);
    if (this.#onDrained) return void this.#onDrained.push(callback);
    this.#onDrained = [callback];
    this.#stream.once("drain", () => this.#drained());
  }

  ping(): void {
    this.#socket.ping();
  }

  close(code: number): void {
    this.#writer?.flush();
    this.#socket.close(code);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #drained(): void {
    const waiting = this.#onDrained;
    this.#onDrained = undefined;
    for (const callback of waiting ?? []) callback();
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }
}
