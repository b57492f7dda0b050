/**
 * What an edge connection speaks over: an ordered duplex stream of whole messages. Implemented by a WebSocket
 * (ws-edge-stream.ts), a HyperDHT stream (dht-edge-stream.ts) and a worker's end of one (workers/).
 */

/** Told by the stream; set once by the connection. Nothing is told after `onClosed`. */
export interface EdgeStreamHandlers {
  /** One whole message. */
  onMessage(message: Uint8Array): void;
  /** A message that was text, where the transport has such. */
  onText(): void;
  /** The peer asks for a sign of life; true: the stream may answer. */
  onPing(): boolean;
  /** A sign of life that is no message. */
  onHeard(): void;
  /** The peer broke the transport's rules, or the transport broke: it closes by itself. */
  onBroken(): void;
  /** Exactly once, and last: until then it takes a place. */
  onClosed(): void;
}

export interface EdgeStream {
  handlers: EdgeStreamHandlers;
  /** Sent and not yet taken by the peer. */
  readonly bufferedBytes: number;
  /** One whole message. Dropped once the stream is closing. */
  send(message: Uint8Array): void;
  /** Calls back once the peer has taken what was sent, or the stream has ended; never before it returns. */
  onceDrained(callback: () => void): void;
  /** Asks the other side for a sign of life. May do nothing where the transport keeps alive by itself. */
  ping(): void;
  /** Orderly, with a WebSocket close code (RFC 6455 section 7.4.1), which other transports ignore. */
  close(code: number): void;
  /** At once. */
  terminate(): void;
}

/** A stream whose messages can be held back, so that they are read as fast as they are passed on. */
export interface PausableStream extends EdgeStream {
  /** The other side's address; empty where it is not known. */
  readonly remoteHost: string;
  /** No further messages once those under way have come, until `resume`. */
  pause(): void;
  resume(): void;
}

/** For a stream that nobody handles yet. */
export const NO_HANDLERS: EdgeStreamHandlers = {
  onMessage: () => {},
  onText: () => {},
  onPing: () => false,
  onHeard: () => {},
  onBroken: () => {},
  onClosed: () => {},
};

/** How a connection came in. */
export type EdgeTransport = "websocket" | "dht" | "worker";
