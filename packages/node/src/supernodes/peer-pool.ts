/**
 * One authenticated stream to each supernode that this one forwards to, kept while it is used. A peer that is slow, silent
 * or gone costs those who ask for it a bounded time, and nobody else anything.
 */
import {
  type AnswerTo,
  type Clock,
  type EdgeAnswer,
  type EdgeRefusal,
  type EdgeRequest,
  type EdgeSession,
  EdgeSessionError,
  EarshotError,
  type SupernodeRef,
  toHex,
} from "@earshot/core";
import { type Dialer } from "./dialer.ts";
import { sessionOver } from "./edge-client.ts";
import { FailedDials } from "./failed-dials.ts";
import { SupernodeBusyError } from "./ws-dial.ts";

/** What one supernode asks of another. */
export type PeerRequest = Extract<EdgeRequest, { type: "deliver" | "put-bundle" | "get-bundle" }>;

/** An answer later than this ends the stream; less than what a client waits, so that it hears of it. */
const REQUEST_TIMEOUT_MS = 4_000;
/** Until a stream is there and greeted; it may go on being opened for whoever asks later. */
const OPEN_TIMEOUT_MS = 5_000;
const SWEEP_EVERY_MS = 10_000;
/** Where nothing better is known. */
const RETRY_MS = 2_000;

export interface PeerPoolLimits {
  /** Streams held and being opened. */
  readonly maxPeers: number;
  /** Requests that one peer has not answered yet. */
  readonly maxPendingPerPeer: number;
  readonly maxPeerDials: number;
  readonly peerIdleMs: number;
}

export interface PeerPoolPorts {
  readonly clock: Clock;
  readonly dialer: Dialer;
  /** Our own, fresh: what peers are told who we are. */
  descriptor(): Uint8Array;
  /** Seed of the descriptor's key. */
  readonly supernodeSeed: Uint8Array;
}

interface Peer {
  readonly name: string;
  /** Undefined once it is there or has failed. */
  opening: Promise<EdgeSession> | undefined;
  session: EdgeSession | undefined;
  pending: number;
  lastUsedAt: number;
}

export class PeerPool {
  readonly #ports: PeerPoolPorts;
  readonly #limits: PeerPoolLimits;
  /** By key, the one used longest ago first. */
  readonly #peers = new Map<string, Peer>();
  readonly #failed = new FailedDials();
  #dialling = 0;
  #cancelSweep: () => void;
  #closed = false;

  constructor(ports: PeerPoolPorts, limits: PeerPoolLimits) {
    this.#ports = ports;
    this.#limits = limits;
    this.#cancelSweep = this.#scheduleSweep();
  }

  /** Open ones. */
  get count(): number {
    let count = 0;
    for (const peer of this.#peers.values()) if (peer.session) count++;
    return count;
  }

  /** A stream to it is open. */
  has(supernodeKey: Uint8Array): boolean {
    return this.#peers.get(toHex(supernodeKey))?.session !== undefined;
  }

  /**
   * The supernode's answer or refusal, unchanged; `unknown-supernode` with retry-after where it is not reached or does not
   * answer, `server-busy` where too much is under way. Never rejects.
   */
  async ask<R extends PeerRequest>(ref: SupernodeRef, request: R): Promise<EdgeAnswer<AnswerTo<R["type"]>>> {
    const reused = this.has(ref.supernodeKey);
    const answer = await this.#askOnce(ref, request);
    // A stream that had died unnoticed is no news of the peer: once more, on a new one.
    return answer === "lost" && reused ? unlost(await this.#askOnce(ref, request)) : unlost(answer);
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep();
    for (const peer of this.#peers.values()) peer.session?.close();
    this.#peers.clear();
  }

  async #askOnce<R extends PeerRequest>(
    ref: SupernodeRef,
    request: R,
  ): Promise<EdgeAnswer<AnswerTo<R["type"]>> | "lost"> {
    const { clock } = this.#ports;
    const peer = this.#peerOf(ref);
    if ("code" in peer) return peer;
    if (peer.pending >= this.#limits.maxPendingPerPeer) return refusal("server-busy", RETRY_MS);
    peer.pending++;
    try {
      const session = peer.session ?? (await within(clock, OPEN_TIMEOUT_MS, peer.opening as Promise<EdgeSession>));
      return await session.request(request);
    } catch (error) {
      if (error instanceof EdgeSessionError && peer.session !== undefined) return "lost";
      if (error instanceof SupernodeBusyError) return refusal("server-busy", error.retryAfterMs);
      return refusal("unknown-supernode", Math.max(RETRY_MS, this.#failed.waitMs(ref, clock.now())));
    } finally {
      peer.pending--;
      peer.lastUsedAt = clock.now();
    }
  }

  #peerOf(ref: SupernodeRef): Peer | EdgeRefusal {
    const name = toHex(ref.supernodeKey);
    const known = this.#peers.get(name);
    if (known) {
      this.#peers.delete(name);
      this.#peers.set(name, known);
      return known;
    }
    const now = this.#ports.clock.now();
    const waitMs = this.#failed.waitMs(ref, now);
    if (waitMs > 0) return refusal("unknown-supernode", waitMs);
    if (this.#closed || this.#dialling >= this.#limits.maxPeerDials || !this.#makeRoom())
      return refusal("server-busy", RETRY_MS);
    const peer: Peer = { name, opening: undefined, session: undefined, pending: 0, lastUsedAt: now };
    this.#peers.set(name, peer);
    this.#open(peer, ref);
    return peer;
  }

  #open(peer: Peer, ref: SupernodeRef): void {
    this.#dialling++;
    peer.opening = this.#greet(peer, ref).finally(() => this.#dialling--);
    peer.opening.then(
      (session) => {
        peer.session = session;
        this.#failed.succeeded(ref);
      },
      (error: unknown) => {
        this.#drop(peer);
        this.#failed.failed(ref, this.#ports.clock.now(), error instanceof SupernodeBusyError ? error.retryAfterMs : 0);
      },
    );
  }

  async #greet(peer: Peer, ref: SupernodeRef): Promise<EdgeSession> {
    const { clock, dialer, supernodeSeed } = this.#ports;
    const stream = await dialer.dial(ref);
    let busyMs = 0;
    const session = sessionOver(stream, {
      clock,
      supernodeKey: ref.supernodeKey,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      onProblem: (retryAfterMs) => {
        busyMs = retryAfterMs;
      },
      onClosed: (reason) => {
        this.#drop(peer);
        // A peer that takes what it is asked and says nothing is left alone for a while, as one that is not there.
        if (reason === "timeout") this.#failed.failed(ref, clock.now());
      },
    });
    try {
      const welcome = await session.hello();
      const accepted = welcome.ok ? await session.peerHello(this.#ports.descriptor(), supernodeSeed) : welcome;
      if (!accepted.ok) throw new EarshotError(accepted.code, "the supernode does not take us for a peer");
      if (this.#closed) throw new EarshotError("stopped", "the pool is closed");
      return session;
    } catch (error) {
      session.close();
      throw busyMs > 0 ? new SupernodeBusyError(busyMs) : error;
    }
  }

  #drop(peer: Peer): void {
    if (this.#peers.get(peer.name) === peer) this.#peers.delete(peer.name);
  }

  /** Closes the one used longest ago of which nothing is awaited. */
  #makeRoom(): boolean {
    if (this.#peers.size < this.#limits.maxPeers) return true;
    for (const peer of this.#peers.values()) {
      if (peer.pending > 0 || !peer.session) continue;
      peer.session.close();
      return true;
    }
    return false;
  }

  #scheduleSweep(): () => void {
    return this.#ports.clock.setTimer(SWEEP_EVERY_MS, () => {
      const idleSince = this.#ports.clock.now() - this.#limits.peerIdleMs;
      for (const peer of [...this.#peers.values()])
        if (peer.pending === 0 && peer.lastUsedAt < idleSince) peer.session?.close();
      this.#cancelSweep = this.#scheduleSweep();
    });
  }
}

function refusal(code: "unknown-supernode" | "server-busy", retryAfterMs: number): EdgeRefusal {
  return { ok: false, code, retryAfterMs };
}

function unlost<T>(answer: EdgeAnswer<T> | "lost"): EdgeAnswer<T> {
  return answer === "lost" ? refusal("unknown-supernode", RETRY_MS) : answer;
}

/** Rejects when it takes longer; what it waits for goes on. */
function within<T>(clock: Clock, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(timeoutMs, () => reject(new EarshotError("timeout", "not opened in time")));
    promise.then(resolve, reject).finally(cancel);
  });
}
