/** One end of the stream between a worker and the core: frames in, and frames out, gathered over one turn of the event loop. */
import type { Duplex } from "node:stream";
import { encodeMux, MuxDecoder, type MuxFrame, type MuxKind } from "./mux.ts";

/** What waits for the other process; beyond it that process is stuck, and the link is given up. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** From here on more should not be taken from clients. */
const BUSY_BYTES = 4 * 1024 * 1024;

export interface MuxLinkHandlers {
  onFrame(frame: MuxFrame): void;
  /** What waited has been taken after `busy` was true. */
  onDrained(): void;
  /** Once: ended, broken, or it spoke nonsense. */
  onLost(): void;
}

export class MuxLink {
  readonly #stream: Duplex;
  readonly #handlers: MuxLinkHandlers;
  readonly #decoder = new MuxDecoder();
  #corked = false;
  #lost = false;

  constructor(stream: Duplex, handlers: MuxLinkHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    stream.on("data", (chunk: Buffer) => this.#handleChunk(chunk));
    stream.on("drain", () => handlers.onDrained());
    stream.on("error", () => {});
    stream.once("end", () => this.destroy());
    stream.once("close", () => this.#lose());
  }

  /** More waits for the other process than it takes at once. */
  get busy(): boolean {
    return this.#stream.writableLength > BUSY_BYTES;
  }

  send(connection: number, kind: MuxKind, body?: Uint8Array): void {
    if (this.#lost) return;
    if (this.#stream.writableLength > MAX_WAITING_BYTES) return this.destroy();
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#stream.uncork();
      });
    }
    this.#stream.write(encodeMux(connection, kind, body));
  }

  destroy(): void {
    this.#stream.destroy();
    this.#lose();
  }

  #handleChunk(chunk: Buffer): void {
    if (this.#lost) return;
    const taken = this.#decoder.push(chunk, (frame) => {
      if (!this.#lost) this.#handlers.onFrame(frame);
    });
    if (!taken.ok) this.destroy();
  }

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#handlers.onLost();
  }
}
