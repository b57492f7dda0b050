import {
  type AnswerTo,
  type BackoffOptions,
  backoffDelayMs,
  type Clock,
  DEFAULT_BACKOFF,
  type EdgeAnswer,
  type EdgeEvent,
  type EdgeRequest,
  EdgeSession,
  type RandomSource,
  type SignatureBackend,
  unitFromBytes,
  type Welcome,
} from "@earshot/core";
import type { Connection, NodeAddress, Transport } from "../api.ts";
import { codeOf, NodeError } from "../errors.ts";

/** A connection that lasted this long starts the back-off afresh; shorter ones count as failures. */
const STABLE_MS = 5_000;
/** How long a request waits for the link to come up, by default. */
const DEFAULT_WAIT_MS = 10_000;
/** One's own daemon on this machine has no crowd to protect it from: it is tried often. */
const LOOPBACK_BACKOFF: BackoffOptions = { baseMs: 250, maxMs: 4_000 };

export interface EdgeLinkPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
  readonly transport: Transport;
}

/** What a link tells its owner. */
export interface EdgeLinkHandlers {
  /** Welcomed; called for each connection anew. */
  onUp?(session: EdgeSession, welcome: Welcome): void;
  onDown?(problem: string, retryInMs: number): void;
  onPush?(event: Extract<EdgeEvent, { type: "envelope" | "moved" | "drain" }>): void;
}

/**
 * Over HyperDHT nothing tells of a supernode that died, whereas a TCP connection to a dead process is reset. Its clients are a
 * volunteer's few.
 */
const DATAGRAM_KEEP_ALIVE = { keepAliveMs: 5_000, keepAliveTimeoutMs: 4_000 };

/** Options beyond the address. */
export interface EdgeLinkOptions {
  /** Asked for at each connection: refuses any other supernode. */
  readonly expectedKey?: () => Uint8Array | undefined;
}

/** One connection to a supernode that comes back by itself, with jittered back-off, until it is stopped. */
export class EdgeLink {
  readonly #ports: EdgeLinkPorts;
  readonly #node: () => NodeAddress;
  readonly #handlers: EdgeLinkHandlers;
  readonly #options: EdgeLinkOptions;
  readonly #backoff: BackoffOptions;
  readonly #waiters = new Set<(session: EdgeSession) => void>();
  #session: EdgeSession | undefined;
  #connection: Connection | undefined;
  #stopped = true;
  #attempt = 0;
  #retryAfterMs = 0;
  #upAt = 0;
  #cancelRetry: () => void = () => {};

  /** `node`: asked for at each connection. */
  constructor(
    ports: EdgeLinkPorts,
    node: () => NodeAddress,
    handlers: EdgeLinkHandlers = {},
    options: EdgeLinkOptions = {},
  ) {
    this.#ports = ports;
    this.#node = node;
    this.#handlers = handlers;
    this.#options = options;
    this.#backoff = isOnMachine(node()) ? LOOPBACK_BACKOFF : DEFAULT_BACKOFF;
  }

  /** The session, while welcomed. */
  get session(): EdgeSession | undefined {
    return this.#session;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
    this.#session?.close();
    this.#connection?.close();
    this.#session = undefined;
  }

  /** Tries at once if it waits for its next try: the network has just come back. */
  hurry(): void {
    if (this.#stopped || this.#session || this.#connection) return;
    this.#cancelRetry();
    this.#attempt = 0;
    void this.#connect();
  }

  /** Lets go of the connection, and comes back no sooner than that. */
  pause(ms: number): void {
    this.#retryAfterMs = Math.max(this.#retryAfterMs, ms);
    this.#session?.close();
  }

  /** Connects anew if it is connected; what is under way breaks off. */
  renew(): void {
    if (!this.#session) return;
    this.stop();
    this.start();
  }

  /** The session, at once or when it comes within `waitMs`. Throws {@link NodeError} `offline`. */
  whenUp(waitMs = DEFAULT_WAIT_MS): Promise<EdgeSession> {
    if (this.#session) return Promise.resolve(this.#session);
    return new Promise((resolve, reject) => {
      const waiter = (session: EdgeSession) => {
        cancel();
        resolve(session);
      };
      const cancel = this.#ports.clock.setTimer(waitMs, () => {
        this.#waiters.delete(waiter);
        reject(
          new NodeError("offline", "There is no connection to the node. Check that it runs; Earshot keeps trying."),
        );
      });
      this.#waiters.add(waiter);
    });
  }

  /** Sends once the link is up. Throws {@link NodeError} `offline`, or EdgeSessionError when the connection breaks meanwhile. */
  async request<R extends EdgeRequest>(request: R, waitMs = DEFAULT_WAIT_MS): Promise<EdgeAnswer<AnswerTo<R["type"]>>> {
    const session = await this.whenUp(waitMs);
    return session.request(request);
  }

  async #connect(): Promise<void> {
    let connection: Connection;
    try {
      connection = await this.#ports.transport.connect(this.#node());
    } catch (error) {
      return this.#failed(codeOf(error));
    }
    if (this.#stopped) return connection.close();
    this.#connection = connection;
    const { clock, random, signatures } = this.#ports;
    const supernodeKey = this.#options.expectedKey?.();
    const isOverDatagrams = this.#node().tunnelTo?.url === "";
    const session = new EdgeSession(
      {
        clock,
        random,
        signatures,
        send: (message) => connection.send(message),
        close: () => connection.close(),
      },
      (event) => this.#handle(session, event),
      { ...(supernodeKey ? { supernodeKey } : {}), ...(isOverDatagrams ? DATAGRAM_KEEP_ALIVE : {}) },
    );
    connection.onMessage = (message) => session.handleMessage(message);
    connection.onClose = (reason) => session.handleClosed(reason);
    try {
      const answer = await session.hello();
      if (answer.ok) return this.#up(session, answer.value);
      this.#retryAfterMs = answer.retryAfterMs;
      session.close();
    } catch {
      session.close(); // `closed` was or is now handled
    }
  }

  #up(session: EdgeSession, welcome: Welcome): void {
    if (this.#stopped || session.closed) return;
    this.#session = session;
    this.#upAt = this.#ports.clock.now();
    this.#handlers.onUp?.(session, welcome);
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter(session);
  }

  #handle(session: EdgeSession, event: EdgeEvent): void {
    if (event.type === "closed") {
      if (this.#session === session && this.#ports.clock.now() - this.#upAt >= STABLE_MS) this.#attempt = 0;
      this.#session = undefined;
      this.#failed(event.reason === "transport" ? "node-unreachable" : event.reason);
    } else if (event.type === "problem") {
      this.#retryAfterMs = Math.max(this.#retryAfterMs, event.retryAfterMs);
    } else {
      if (event.type === "drain") this.#retryAfterMs = Math.max(this.#retryAfterMs, event.retryAfterMs);
      this.#handlers.onPush?.(event);
    }
  }

  #failed(problem: string): void {
    this.#connection = undefined;
    if (this.#stopped) return;
    const unit = unitFromBytes(this.#ports.random.bytes(4));
    const delayMs = backoffDelayMs(this.#attempt++, unit, this.#retryAfterMs, this.#backoff);
    this.#retryAfterMs = 0;
    this.#cancelRetry = this.#ports.clock.setTimer(delayMs, () => void this.#connect());
    this.#handlers.onDown?.(problem, delayMs);
  }
}

/** What answers is this machine's, not a supernode that many come back to. */
function isOnMachine({ url, tunnelTo }: NodeAddress): boolean {
  return tunnelTo === undefined && isLoopback(url);
}

export function isLoopback(url: string): boolean {
  try {
    const host = new URL(url).hostname;
    return host === "localhost" || host === "[::1]" || host.startsWith("127.");
  } catch {
    return false;
  }
}
