/**
 * Edge frames: `type u8 ‖ request id u32 ‖ body`, at most MAX_FRAME_BYTES, one per message of the stream.
 * docs/protocol/edge.md. Types 0x01.. are the client's, 0x81.. the supernode's.
 */
import { ByteWriter, decodeBytes } from "../bytes.ts";
import { accept, type Result, refuse } from "../errors.ts";
import { type ClientFrame, type EdgeFrame, type EdgeReply, MAX_FRAME_BYTES, type ServerFrame } from "./frame-types.ts";
import { type AllocateBytes, encodeEmpty, encodeEnvelope, REPLY_TYPES, readReply, writeReply } from "./reply-codec.ts";
import { REQUEST_TYPES, readRequest, writeRequest } from "./request-codec.ts";

export * from "./frame-types.ts";

/** Throws RangeError for fields of wrong length or beyond their bounds: the caller's mistake. */
export function encodeFrame(frame: EdgeFrame): Uint8Array {
  if (!isRequest(frame)) return encodeReply(frame, frame.requestId);
  if (frame.requestId === 0) throw new RangeError("a client's request id is not zero");
  const w = new ByteWriter().u8(REQUEST_TYPES[frame.type]).u32(frame.requestId);
  writeRequest(w, frame);
  return bounded(w.finish());
}

/**
 * A supernode's frame. `allocate` may give the bytes that envelopes and empty answers are written to: a supernode sends so
 * many that it matters where they come from. Throws as {@link encodeFrame} does.
 */
export function encodeReply(frame: EdgeReply, requestId: number, allocate: AllocateBytes = newBytes): Uint8Array {
  if (frame.type === "envelope") return bounded(encodeEnvelope(frame, requestId, allocate));
  if (frame.type === "ok" || frame.type === "pong") return encodeEmpty(frame, requestId, allocate);
  const w = new ByteWriter().u8(REPLY_TYPES[frame.type]).u32(requestId);
  writeReply(w, frame);
  return bounded(w.finish());
}

const newBytes: AllocateBytes = (length) => new Uint8Array(length);

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_FRAME_BYTES) throw new RangeError("frame too large");
  return bytes;
}

/** Refuses `too-large`, `bad-frame`, `unknown-type`, `too-many` and `bad-text`. Byte fields are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Result<EdgeFrame> {
  if (bytes.length > MAX_FRAME_BYTES) return refuse("too-large", "frame");
  return decodeBytes(bytes, (r): Result<EdgeFrame> => {
    const type = r.u8();
    const requestId = r.u32();
    const request = readRequest(type, r);
    if (request !== undefined) {
      if (!request.ok) return request;
      return requestId === 0 ? refuse("bad-frame", "request id 0") : accept({ ...request.value, requestId });
    }
    const reply = readReply(type, r);
    if (reply === undefined) return refuse("unknown-type", "frame type");
    return reply.ok ? accept({ ...reply.value, requestId }) : reply;
  });
}

/** The request id of a frame that may not decode, so that its refusal can name it; 0 where there is none. */
export function peekRequestId(bytes: Uint8Array): number {
  if (bytes.length < 5) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1);
}

/** A frame that a client may send. */
export function isRequest(frame: EdgeFrame): frame is ClientFrame {
  return frame.type in REQUEST_TYPES;
}

/** Decodes what a client is allowed to receive; a client's frame is refused as `unknown-type`. */
export function decodeServerFrame(bytes: Uint8Array): Result<ServerFrame> {
  const frame = decodeFrame(bytes);
  if (!frame.ok) return frame;
  return isRequest(frame.value) ? refuse("unknown-type", "a client's frame") : accept(frame.value);
}

/** Decodes what a supernode is allowed to receive; a supernode's frame is refused as `unknown-type`. */
export function decodeClientFrame(bytes: Uint8Array): Result<ClientFrame> {
  const frame = decodeFrame(bytes);
  if (!frame.ok) return frame;
  return isRequest(frame.value) ? accept(frame.value) : refuse("unknown-type", "a supernode's frame");
}
export { encodeWelcome } from "./reply-codec.ts";
