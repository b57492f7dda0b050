/**
 * How a worker and the core speak of the worker's connections, over one stream between the two processes:
 *
 *     connection id u32 ‖ kind u8 ‖ length u32 ‖ bytes
 *
 * Flow of one connection: `knock` (the peer's address, UTF-8) is answered `admit` or `shed` (retry-after ms u32). An admitted
 * one is `open` once its WebSocket is, or `closed`. While it is open: `message`, `text`, `ping` (its payload), `heard`, `broken` and
 * `taken` (bytes u32 that the peer's kernel took) to the core; `send`, `ask` (a ping), `pong` (a ping's payload), `close` (code
 * u16) and `terminate` to the worker. `closed` is the last of a connection, always. Ids are the worker's and used once at a time.
 */
import { accept, MAX_FRAME_BYTES, refuse, type Result } from "@earshot/core";

export const MUX_KINDS = {
  // worker to core
  knock: 0x01,
  open: 0x02,
  message: 0x03,
  text: 0x04,
  ping: 0x05,
  heard: 0x06,
  broken: 0x07,
  taken: 0x08,
  closed: 0x09,
  // core to worker
  admit: 0x41,
  shed: 0x42,
  send: 0x43,
  ask: 0x44,
  pong: 0x45,
  close: 0x46,
  terminate: 0x47,
} as const;

export type MuxKind = keyof typeof MUX_KINDS;

export interface MuxFrame {
  readonly connection: number;
  readonly kind: MuxKind;
  readonly body: Uint8Array;
}

export const MUX_HEADER_BYTES = 9;
/** Whole edge messages are the largest. */
export const MAX_MUX_BODY_BYTES = MAX_FRAME_BYTES;

const KIND_OF: ReadonlyMap<number, MuxKind> = new Map(
  Object.entries(MUX_KINDS).map(([name, number]) => [number, name as MuxKind]),
);
const NOTHING = new Uint8Array(0);

/** A frame's bytes. Throws RangeError for a body beyond the bound: nothing that long came in. */
export function encodeMux(connection: number, kind: MuxKind, body: Uint8Array = NOTHING): Buffer {
  const frame = Buffer.allocUnsafe(MUX_HEADER_BYTES + body.length);
  writeMux(frame, 0, connection, kind, body);
  return frame;
}

/** Writes a frame into `into`, which has room for it, and gives where the next begins. Throws as {@link encodeMux} does. */
export function writeMux(into: Buffer, at: number, connection: number, kind: MuxKind, body: Uint8Array): number {
  if (body.length > MAX_MUX_BODY_BYTES) throw new RangeError(`a mux body of ${body.length} bytes`);
  into.writeUInt32BE(connection, at);
  into[at + 4] = MUX_KINDS[kind];
  into.writeUInt32BE(body.length, at + 5);
  into.set(body, at + MUX_HEADER_BYTES);
  return at + MUX_HEADER_BYTES + body.length;
}

export function muxU32(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(Math.min(0xffff_ffff, Math.max(0, Math.ceil(value))));
  return bytes;
}

export function muxU16(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** The number in a body of 2 or 4 bytes; undefined for any other length. */
export function muxNumber(body: Uint8Array): number | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length === 4) return bytes.readUInt32BE();
  return bytes.length === 2 ? bytes.readUInt16BE() : undefined;
}

/**
 * Cuts a stream of chunks into frames. Keeps less than one frame (`MAX_MUX_BODY_BYTES` and its header). Once it has refused something it refuses
 * everything: where the next frame begins is not known.
 */
export class MuxDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #broken = false;

  /** Bytes kept of a frame that is not whole yet. */
  get keptBytes(): number {
    return this.#rest.length;
  }

  /** Calls `onFrame` for each frame that is whole; bodies are views into the chunk. Refuses `too-large` and `unknown-type`. */
  push(chunk: Uint8Array, onFrame: (frame: MuxFrame) => void): Result<void> {
    if (this.#broken) return refuse("bad-frame");
    const added = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#rest.length === 0 ? added : Buffer.concat([this.#rest, added]);
    let at = 0;
    while (bytes.length - at >= MUX_HEADER_BYTES) {
      const kind = KIND_OF.get(bytes.readUInt8(at + 4));
      const length = bytes.readUInt32BE(at + 5);
      if (kind === undefined) return this.#break("unknown-type");
      if (length > MAX_MUX_BODY_BYTES) return this.#break("too-large");
      const end = at + MUX_HEADER_BYTES + length;
      if (end > bytes.length) break;
      onFrame({ connection: bytes.readUInt32BE(at), kind, body: bytes.subarray(at + MUX_HEADER_BYTES, end) });
      at = end;
    }
    // A copy, so that what is kept holds no larger chunk in memory.
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    return accept(undefined);
  }

  #break(code: "unknown-type" | "too-large"): Result<void> {
    this.#broken = true;
    this.#rest = Buffer.alloc(0);
    return refuse(code);
  }
}
