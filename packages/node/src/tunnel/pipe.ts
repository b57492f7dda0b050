/** Two streams made one: messages pass both ways, unread, as fast as they are taken; either's end is the other's. */
import type { EdgeStreamHandlers, PausableStream } from "../edge/edge-stream.ts";

/** What passes on may wait for its reader up to this; then its writer is not read from until it has been taken. */
const MAX_PIPE_BYTES = 128 * 1024;
/** WebSocket close codes (RFC 6455 section 7.4.1). */
const CLOSE_NORMAL = 1000;
const CLOSE_BINARY_ONLY = 1003;
/** What the far side says before the near one has spoken waits for so long: see {@link pipeStreams}. */
const FIRST_WORD_MS = 1_000;
/** What a side gets to hang up after the other has gone. */
const HANG_UP_MS = 1_000;

export interface PipePorts {
  setTimer(delayMs: number, fire: () => void): () => void;
  /** Once, when both sides are closed. */
  onEnd(): void;
}

/** Closes both sides. */
export type ClosePipe = () => void;

/**
 * `one` asked for it and speaks first. What `other` says before, such as that it takes nobody, is kept until then: in some clients
 * nobody listens yet in the moment in which their connection opens.
 */
export function pipeStreams(one: PausableStream, other: PausableStream, ports: PipePorts): ClosePipe {
  let left = 2;
  let closing = false;
  let cancelHangUp: (() => void) | undefined;
  let hasSpoken = false;
  const spoke = () => {
    if (hasSpoken) return;
    hasSpoken = true;
    cancelWait();
    other.resume();
  };
  const cancelWait = ports.setTimer(FIRST_WORD_MS, spoke);
  const close = (code = CLOSE_NORMAL) => {
    if (closing) return;
    closing = true;
    cancelWait();
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
      if (from === one) spoke();
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
  other.pause();
  return () => close();
}
