/** The asking side of the edge protocol, between nodes: a session over any stream. */
import { randomBytes } from "node:crypto";
import { type Clock, type EdgeCloseReason, EdgeSession, type RandomSource } from "@earshot/core";
import { nodeSignatures } from "../crypto.ts";
import type { EdgeStream } from "../edge/edge-stream.ts";

/** What a peer gets to hang up after we did. */
const HANG_UP_MS = 1_000;
const CLOSE_NORMAL = 1000;
/** Frames that nobody asked for, while a connection lasts. An honest supernode sends a node one or two, before it closes. */
export const MAX_UNASKED_FRAMES = 16;

const systemRandom: RandomSource = { bytes: (length) => new Uint8Array(randomBytes(length)) };

export interface EdgeClientOptions {
  readonly clock: Clock;
  /** Whoever else answers is hung up on. */
  readonly supernodeKey: Uint8Array;
  readonly requestTimeoutMs: number;
  /** It says why it is about to close, and how long it asks to be left alone; 0: it does not say. */
  onProblem?(retryAfterMs: number): void;
  /** Once, however it ended. */
  onClosed?(reason: EdgeCloseReason): void;
}

/** Before its hello. Pushes of the other side are not for nodes: they are dropped, and whoever goes on with them is hung up on. */
export function sessionOver(stream: EdgeStream, options: EdgeClientOptions): EdgeSession {
  const { clock, supernodeKey, requestTimeoutMs } = options;
  let cancelHangUp: (() => void) | undefined;
  let unasked = 0;
  const session = new EdgeSession(
    {
      clock,
      random: systemRandom,
      signatures: nodeSignatures,
      send: (message) => stream.send(message),
      close: () => {
        cancelHangUp = clock.setTimer(HANG_UP_MS, () => stream.terminate());
        stream.close(CLOSE_NORMAL);
      },
    },
    (event) => {
      if (event.type === "closed") return options.onClosed?.(event.reason);
      if (++unasked > MAX_UNASKED_FRAMES) return pourer();
      if (event.type === "problem") options.onProblem?.(event.retryAfterMs);
    },
    { supernodeKey, requestTimeoutMs },
  );
  // At once: it would go on pouring into what is being closed.
  const pourer = () => {
    session.close();
    stream.terminate();
  };
  stream.handlers = {
    onMessage: (message) => session.handleMessage(message),
    onText: () => session.close(),
    onPing: () => true,
    onHeard: () => {},
    onBroken: () => {},
    onClosed: () => {
      cancelHangUp?.();
      session.handleClosed("the stream ended");
    },
  };
  return session;
}
