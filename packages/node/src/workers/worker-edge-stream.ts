/** A client's connection that a worker process holds, as an edge stream of the core. One small object for each client. */
import { type EdgeStream, type EdgeStreamHandlers, NO_HANDLERS } from "../edge/edge-stream.ts";
import { muxU16, type MuxKind } from "./mux.ts";

/** A worker tells what was taken in steps of this, so that small answers cost no report each. */
export const REPORT_TAKEN_BYTES = 16 * 1024;

/** Where its frames go. */
export interface WorkerPort {
  send(connection: number, kind: MuxKind, body?: Uint8Array): void;
}

export class WorkerEdgeStream implements EdgeStream {
  handlers: EdgeStreamHandlers = NO_HANDLERS;
  readonly #port: WorkerPort;
  readonly #connection: number;
  /** Sent and not reported taken: at most `REPORT_TAKEN_BYTES` of it may be with the peer already. */
  #outstanding = 0;
  #ended = false;
  #onDrained: (() => void)[] | undefined;

  constructor(port: WorkerPort, connection: number) {
    this.#port = port;
    this.#connection = connection;
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#outstanding - REPORT_TAKEN_BYTES);
  }

  send(message: Uint8Array): void {
    if (this.#ended) return;
    this.#outstanding += message.length;
    this.#port.send(this.#connection, "send", message);
  }

  onceDrained(callback: () => void): void {
    if (this.#ended || this.bufferedBytes === 0) return void setImmediate(callback);
    (this.#onDrained ??= []).push(callback);
  }

  ping(): void {
    if (!this.#ended) this.#port.send(this.#connection, "ask");
  }

  close(code: number): void {
    if (!this.#ended) this.#port.send(this.#connection, "close", muxU16(code));
  }

  terminate(): void {
    if (!this.#ended) this.#port.send(this.#connection, "terminate");
  }

  /** The worker says that the peer's kernel took so many more bytes. */
  taken(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes);
    if (this.bufferedBytes === 0) this.#drained();
  }

  /** The worker says that it is closed, or the worker is gone. */
  closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#drained();
    this.handlers.onClosed();
  }

  #drained(): void {
    const waiting = this.#onDrained;
    this.#onDrained = undefined;
    for (const callback of waiting ?? []) callback();
  }
}
