/** A stream of whole messages between two nodes over HyperDHT (Noise IK, UDX), as the rest of the daemon sees it. */

/** Told by the stream. */
export interface DhtStreamHandlers {
  /** One whole message of 1 to MAX_FRAME_BYTES bytes. */
  onMessage(message: Uint8Array): void;
  /** Exactly once, and last. `broken`: the peer broke a rule, or the transport broke. */
  onClose(broken: boolean): void;
}

export interface DhtStream {
  /** IPv4, as the stream's packets come from it. */
  readonly remoteHost: string;
  readonly remotePort: number;
  /** The other side's Noise static key: a supernode's own, or a dialler's key of this one stream. */
  readonly remoteKey: Uint8Array;
  readonly closed: boolean;
  /** Sent and not yet acknowledged by the peer. */
  readonly bufferedBytes: number;
  /** Once: from here on messages flow; those that came before wait in the stream. */
  start(handlers: DhtStreamHandlers): void;
  /** One whole message. Dropped once the stream is closed. */
  send(message: Uint8Array): void;
  /** Calls back, later, once the peer has acknowledged what was sent so far, or the stream has closed. */
  onceDrained(callback: () => void): void;
  /** No further messages until `resume`: the other side's are not read. */
  pause(): void;
  resume(): void;
  /** Orderly: what was sent is still delivered, for at most {@link CLOSE_GRACE_MS}. */
  end(): void;
  /** At once. */
  destroy(): void;
}

/** How long an orderly close waits for the peer to take what was sent. */
export const CLOSE_GRACE_MS = 3_000;
