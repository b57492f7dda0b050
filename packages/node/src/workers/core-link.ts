/** The core's end of one worker: makes its connections edge streams of the listener. */
import type { Duplex } from "node:stream";
import type { EdgeListener } from "../edge/edge-listener.ts";
import type { PrefixUse } from "../prefix-limits.ts";
import { type MuxFrame, muxU32, muxNumber } from "./mux.ts";
import { MuxLink } from "./mux-link.ts";
import { WorkerEdgeStream } from "./worker-edge-stream.ts";

/** Admitted, and not open yet. */
interface Pending {
  readonly prefix: PrefixUse | undefined;
  readonly host: string;
}

export interface CoreLinkOptions {
  readonly listener: Pick<EdgeListener, "admit" | "release" | "add">;
  /** A worker that holds more, admitted ones included, breaks the rules. */
  readonly maxConnections: number;
  /** Once: the worker is gone, and so are its connections. */
  onLost(): void;
}

export class CoreLink {
  readonly #options: CoreLinkOptions;
  readonly #link: MuxLink;
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, WorkerEdgeStream>();

  constructor(stream: Duplex, options: CoreLinkOptions) {
    this.#options = options;
    this.#link = new MuxLink(stream, {
      onFrame: (frame) => this.#handle(frame),
      onDrained: () => {},
      onLost: () => this.#handleLost(),
    });
  }

  /** Open connections, and admitted ones that are not open yet. */
  get count(): number {
    return this.#streams.size + this.#pending.size;
  }

  /** Ends the link and with it all its connections. */
  destroy(): void {
    this.#link.destroy();
  }

  #handle(frame: MuxFrame): void {
    const { connection, kind, body } = frame;
    if (kind === "knock") return this.#handleKnock(connection, body);
    if (kind === "open") return this.#handleOpen(connection);
    const stream = this.#streams.get(connection);
    if (kind === "closed") return this.#handleClosed(connection, stream);
    // One that the core has let go of may still have sent something.
    if (stream === undefined) return;
    if (kind === "message") stream.handlers.onMessage(body);
    else if (kind === "text") stream.handlers.onText();
    else if (kind === "ping") this.#handlePing(connection, stream, body);
    else if (kind === "heard") stream.handlers.onHeard();
    else if (kind === "broken") stream.handlers.onBroken();
    else if (kind === "taken") stream.taken(muxNumber(body) ?? 0);
    else this.#link.destroy();
  }

  #handleKnock(connection: number, address: Uint8Array): void {
    if (this.#pending.has(connection) || this.#streams.has(connection) || this.count >= this.#options.maxConnections)
      return this.#link.destroy();
    const host = Buffer.from(address).toString("utf8");
    const admittance = this.#options.listener.admit(host);
    if (!admittance.admitted) return this.#link.send(connection, "shed", muxU32(admittance.retryAfterMs));
    this.#pending.set(connection, { prefix: admittance.prefix, host });
    this.#link.send(connection, "admit");
  }

  #handleOpen(connection: number): void {
    const pending = this.#pending.get(connection);
    if (pending === undefined) return this.#link.destroy();
    this.#pending.delete(connection);
    const stream = new WorkerEdgeStream(this.#link, connection);
    this.#streams.set(connection, stream);
    this.#options.listener.add(stream, pending.prefix, "worker", pending.host);
  }

  #handlePing(connection: number, stream: WorkerEdgeStream, payload: Uint8Array): void {
    if (stream.handlers.onPing()) this.#link.send(connection, "pong", payload);
  }

  #handleClosed(connection: number, stream: WorkerEdgeStream | undefined): void {
    const pending = this.#pending.get(connection);
    this.#pending.delete(connection);
    this.#streams.delete(connection);
    if (pending !== undefined) this.#options.listener.release(pending.prefix);
    stream?.closed();
  }

  #handleLost(): void {
    for (const { prefix } of this.#pending.values()) this.#options.listener.release(prefix);
    this.#pending.clear();
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.closed();
    this.#options.onLost();
  }
}
