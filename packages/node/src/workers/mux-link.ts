/** One end of the stream between a worker and the core: frames in, and frames out, gathered over one turn of the event loop. */
import type { Duplex } from "node:stream";
import { flushAtTurnEnd, type Gathering } from "../edge/turn-end.ts";
import { MUX_HEADER_BYTES, MuxDecoder, type MuxFrame, type MuxKind, writeMux } from "./mux.ts";

/** What waits for the other process; beyond it that process is stuck, and the link is given up. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** From here on more should not be taken from clients. */
const BUSY_BYTES = 4 * 1024 * 1024;
/** Frames are written into pieces of this, one after the other: the next turn's follow the last one's. Several of the largest frame fit. */
const PIECE_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);

export interface MuxLinkHandlers {
  onFrame(frame: MuxFrame): void;
  /** What waited has been taken after `busy` was true. */
  onDrained(): void;
  /** Once: ended, broken, or it spoke nonsense. */
  onLost(): void;
}

export class MuxLink implements Gathering {
  readonly #stream: Duplex;
  readonly #handlers: MuxLinkHandlers;
  readonly #decoder = new MuxDecoder();
  /** Frames of this turn are in `#piece` from `#from` to `#to`; what comes before is on its way. */
  #piece: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
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

  /** `body` is copied at once. */
  send(connection: number, kind: MuxKind, body: Uint8Array = NOTHING): void {
    if (this.#lost) return;
    if (this.#stream.writableLength > MAX_WAITING_BYTES) return this.destroy();
    if (this.#to + MUX_HEADER_BYTES + body.length > this.#piece.length) {
      this.flush();
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#from = this.#to = 0;
    }
    if (this.#from === this.#to) flushAtTurnEnd(this);
    this.#to = writeMux(this.#piece, this.#to, connection, kind, body);
  }

  flush(): void {
    if (this.#from === this.#to) return;
    const frames = this.#piece.subarray(this.#from, this.#to);
    this.#from = this.#to;
    if (!this.#lost) this.#stream.write(frames);
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
