/**
 * Writes a WebSocket server's messages: unmasked binary frames (RFC 6455 section 5.2), as few writes as there are turns of the
 * event loop. `ws` makes two writes and half a dozen objects of each message, a third of what a forwarded envelope cost.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { flushAtTurnEnd, type Gathering } from "./turn-end.ts";

/** FIN and the opcode of a binary message. */
const BINARY = 0x82;
/** The longest length that fits the frame's second byte. */
const MAX_SHORT = 125;
const LENGTH_IS_U16 = 126;
const MAX_LENGTH = 0xffff;
/** More than this is not gathered first: it is copied once more while it is. */
const MAX_GATHERED_BYTES = 64 * 1024;

export class WsFrameWriter implements Gathering {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  #messages: Uint8Array[] = [];
  #bytes = 0;

  /** `socket` as the server of a handshake without extensions, and the stream that it was made on. */
  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  /** Sent and not taken by the kernel. */
  get bufferedBytes(): number {
    return this.#bytes + this.#socket.bufferedAmount;
  }

  /** One message, not to be changed in this turn. Dropped once the socket is closing. RangeError above 65,535 bytes. */
  send(message: Uint8Array): void {
    if (message.length > MAX_LENGTH) throw new RangeError(`a message of ${message.length} bytes`);
    if (this.#messages.push(message) === 1) flushAtTurnEnd(this);
    this.#bytes += headerBytes(message.length) + message.length;
    if (this.#bytes >= MAX_GATHERED_BYTES) this.flush();
  }

  /** Hands what was gathered to the stream: before the socket is closed, so that it comes before the close frame. */
  flush(): void {
    const messages = this.#messages;
    if (messages.length === 0) return;
    const frames = Buffer.allocUnsafe(this.#bytes);
    this.#messages = [];
    this.#bytes = 0;
    // Nothing may follow a close frame.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    let at = 0;
    for (const message of messages) {
      at = writeHeader(frames, at, message.length);
      frames.set(message, at);
      at += message.length;
    }
    this.#stream.write(frames);
  }
}

function headerBytes(length: number): number {
  return length > MAX_SHORT ? 4 : 2;
}

/** Where the payload begins. */
function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = BINARY;
  if (length <= MAX_SHORT) {
    frames[at + 1] = length;
    return at + 2;
  }
  frames[at + 1] = LENGTH_IS_U16;
  frames[at + 2] = length >>> 8;
  frames[at + 3] = length;
  return at + 4;
}
