/** Two streams made one: messages pass both ways, unread, as fast as they are taken; either's end is the other's. */
import type { EdgeStreamHandlers, PausableStream } from "../edge/edge-stream.ts";

/** What passes on may wait for its reader up to this; then its writer is not read from until it has been taken. */
const MAX_PIPE_BYTES = 128 * 1024;
/** WebSocket close codes (RFC 6455 section 7.4.1). */
const CLOSE_NORMAL = 1000;
const CLOSE_BINARY_ONLY = 1003;
/** What a side gets to hang up after the other has gone. */
const HANG_UP_MS = 1_000;

export interface PipePorts {
  setTimer(delayMs: number, fire: () => void): () => void;
  /** Once, when both sides are closed. */
  onEnd(): void;
}

/** Closes both sides. */
export type ClosePipe = () => void;

export function pipeStreams(one: PausableStream, other: PausableStream, ports: PipePorts): ClosePipe {
  let left = 2;
  let closing = false;
  let cancelHangUp: (() => void) | undefined;
  const close = (code = CLOSE_NORMAL) => {
    if (closing) return;
    closing = true;
    for (const stream of [one, other]) {
      stream.resume();
      stream.close(code);
    }
    cancelHangUp = ports.setTimer(HANG_UP_MS, () => {
      one.terminate();
      other.terminate();
    });
  };
  const handlers = (from: PausableStream, to: PausableStream): EdgeStreamHandlers => ({
    onMessage: (message) => {
      if (closing) return;
      to.send(message);
      if (to.bufferedBytes <= MAX_PIPE_BYTES) return;
      from.pause();
      to.onceDrained(() => from.resume());
    },
    onText: () => close(CLOSE_BINARY_ONLY),
    onPing: () => !closing,
    onHeard: () => {},
    onBroken: () => close(),
    onClosed: () => {
      close();
      left--;
      if (left > 0) return;
      cancelHangUp?.();
      ports.onEnd();
    },
  });
  one.handlers = handlers(one, other);
  other.handlers = handlers(other, one);
  return () => close();
}
