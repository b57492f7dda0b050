/** A worker's end of one client: its WebSocket on one side, the core's frames on the other. Keeps nothing but counts. */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { flushAtTurnEnd, type Gathering } from "../edge/turn-end.ts";
import { WsFrameWriter } from "../edge/ws-frame-writer.ts";
import { muxNumber, type MuxFrame, muxU32 } from "./mux.ts";
import type { MuxLink } from "./mux-link.ts";
import { REPORT_TAKEN_BYTES } from "./worker-edge-stream.ts";

const GOING_AWAY = 1001;

export interface FrontConnectionOptions {
  readonly link: MuxLink;
  /** Sent and not taken by the peer's kernel; beyond it the connection is cut, whatever the core thinks. */
  readonly maxBufferedBytes: number;
  /** The core is behind: nothing is read from this client until `resume`. */
  onPaused(connection: FrontConnection): void;
  /** Its socket is closed. */
  onGone(connection: FrontConnection): void;
}

export class FrontConnection implements Gathering {
  readonly id: number;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #writer: WsFrameWriter;
  readonly #options: FrontConnectionOptions;
  #unreported = 0;
  #willReport = false;
  #waitsForDrain = false;

  constructor(id: number, socket: WebSocket, stream: Duplex, options: FrontConnectionOptions) {
    this.id = id;
    this.#socket = socket;
    this.#stream = stream;
    this.#writer = new WsFrameWriter(socket, stream);
    this.#options = options;
    const { link } = options;
    socket.on("message", (data, isBinary) => this.#handleMessage(data as Buffer, isBinary));
    socket.on("ping", (data) => link.send(id, "ping", data));
    socket.on("pong", () => link.send(id, "heard"));
    socket.on("error", () => link.send(id, "broken"));
    stream.once("close", () => {
      link.send(id, "closed");
      options.onGone(this);
    });
    link.send(id, "open");
  }

  /** A frame of the core's for this connection. */
  handle({ kind, body }: MuxFrame): void {
    if (kind === "send") this.#send(body);
    else if (kind === "ask") this.#socket.ping();
    else if (kind === "pong") this.#socket.pong(body);
    else if (kind === "close") this.#close(muxNumber(body) ?? GOING_AWAY);
    else if (kind === "terminate") this.#socket.terminate();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The core is gone. */
  end(): void {
    this.#close(GOING_AWAY);
  }

  /** A turn in which something was sent is over. */
  flush(): void {
    this.#willReport = false;
    this.#writer.flush();
    this.#reportTaken();
  }

  #close(code: number): void {
    this.#writer.flush();
    this.#socket.close(code);
  }

  #handleMessage(data: Buffer, isBinary: boolean): void {
    const { link } = this.#options;
    if (isBinary) link.send(this.id, "message", data);
    else link.send(this.id, "text");
    if (!link.busy) return;
    this.#socket.pause();
    this.#options.onPaused(this);
  }

  #send(message: Uint8Array): void {
    if (this.#stream.destroyed) return;
    if (this.#writer.bufferedBytes > this.#options.maxBufferedBytes) return this.#socket.terminate();
    this.#unreported += message.length;
    this.#writer.send(message);
    if (this.#unreported < REPORT_TAKEN_BYTES || this.#willReport) return;
    this.#willReport = true;
    flushAtTurnEnd(this);
  }

  /** Tells the core what the kernel took: in steps, and not while more waits than the stream's own mark. */
  #reportTaken(): void {
    if (this.#unreported < REPORT_TAKEN_BYTES || this.#waitsForDrain) return;
    if (this.#stream.writableNeedDrain) {
      this.#waitsForDrain = true;
      this.#stream.once("drain", () => {
        this.#waitsForDrain = false;
        this.#reportTaken();
      });
      return;
    }
    this.#options.link.send(this.id, "taken", muxU32(this.#unreported));
    this.#unreported = 0;
  }
}
