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
import { connectUrgently } from "./urgent-connect.ts";

/** A connection that lasted this long starts the back-off afresh; shorter ones count as failures. */
const STABLE_MS = 5_000;
/** How long a request waits for the link to come up, by default. */
const DEFAULT_WAIT_MS = 10_000;
/** A try without an answer for this long is given up where the network has changed: over the old one none may come. */
const STUCK_MS = 1_000;
/** One that came up just now is given as long to prove itself before it is asked whether it still is. */
const FRESH_MS = 5_000;
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
  /** Counts tries: what an earlier one still brings is dropped. */
  #turn = 0;
  /** Of the try that is under way, since … */
  #trying = false;
  #triedAt = 0;
  /** Ends a try that begins anew again and again; undefined where none does. */
  #urgentTry: AbortController | undefined;
  #checking: EdgeSession | undefined;
  /** From its connection on, and … */
  #greeting: EdgeSession | undefined;
  /** … from its welcome on. */
  #session: EdgeSession | undefined;
  #stopped = true;
  /** The next try waits for as long as the supernode asked. */
  #heeding = false;
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
    this.#giveUp();
  }

  /**
   * The network has just come back, or is another: tries at once if it waits for its next try, or for an answer that is late. Not where
   * a supernode said when to come: it said so to many. A connection that is up is asked whether it is.
   */
  hurry(): void {
    // Its time-out closes the session.
    this.#session?.request({ type: "ping" }).catch(() => {});
    const isUnderWay = this.#trying && this.#ports.clock.now() - this.#triedAt < STUCK_MS;
    if (this.#stopped || this.#session || this.#heeding || isUnderWay) return;
    this.#giveUp();
    this.#attempt = 0;
    void this.#connect();
  }

  /**
   * Something waits for this connection while the network is away, and says so every second: one that is up is given up where it
   * does not answer at once, and one that is not is tried as often. Not where a supernode said when to come.
   */
  urge(): void {
    if (this.#stopped || this.#heeding || this.#urgentTry) return;
    if (this.#session) return this.#check(this.#session);
    if (this.#trying && this.#ports.clock.now() - this.#triedAt < STUCK_MS) return;
    this.#giveUp();
    this.#attempt = 0;
    void this.#connect(new AbortController());
  }

  /** Closes a session that does not answer within {@link STUCK_MS}, and connects anew. */
  #check(session: EdgeSession): void {
    const { clock } = this.#ports;
    if (this.#checking === session || clock.now() - this.#upAt < FRESH_MS) return;
    this.#checking = session;
    const cancel = clock.setTimer(STUCK_MS, () => {
      session.close();
      this.urge();
    });
    void session
      .request({ type: "ping" })
      .catch(() => {})
      .finally(() => {
        cancel();
        if (this.#checking === session) this.#checking = undefined;
      });
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

  /** Ends the try that is under way, or the connection, without a word to the owner. */
  #giveUp(): void {
    this.#turn++;
    this.#trying = false;
    this.#endUrgentTry();
    this.#heeding = false;
    this.#cancelRetry();
    if (this.#session) this.#noteStable();
    this.#greeting?.close();
    this.#greeting = undefined;
    this.#session = undefined;
  }

  #endUrgentTry(): void {
    this.#urgentTry?.abort();
    this.#urgentTry = undefined;
  }

  #open(urgent: AbortController | undefined): Promise<Connection> {
    const { clock, transport } = this.#ports;
    if (!urgent) return transport.connect(this.#node());
    return connectUrgently(clock, (signal) => transport.connect(this.#node(), signal), urgent.signal);
  }

  async #connect(urgent?: AbortController): Promise<void> {
    const turn = ++this.#turn;
    this.#cancelRetry();
    this.#trying = true;
    this.#urgentTry = urgent;
    this.#heeding = false;
    this.#triedAt = this.#ports.clock.now();
    const isOver = () => turn !== this.#turn;
    let connection: Connection;
    try {
      connection = await this.#open(urgent);
    } catch (error) {
      if (isOver()) return;
      if (error instanceof NodeError) this.#retryAfterMs = Math.max(this.#retryAfterMs, error.retryAfterMs);
      return this.#failed(codeOf(error));
    }
    if (isOver()) return connection.close();
    const session = this.#sessionOver(connection, isOver);
    this.#greeting = session;
    try {
      const answer = await session.hello();
      if (isOver()) return;
      if (answer.ok) return this.#up(session, answer.value);
      this.#retryAfterMs = answer.retryAfterMs;
      session.close();
    } catch {
      session.close(); // `closed` was or is now handled
    }
  }

  #sessionOver(connection: Connection, isOver: () => boolean): EdgeSession {
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
      (event) => isOver() || this.#handle(event),
      { ...(supernodeKey ? { supernodeKey } : {}), ...(isOverDatagrams ? DATAGRAM_KEEP_ALIVE : {}) },
    );
    connection.onMessage = (message) => session.handleMessage(message);
    connection.onClose = (reason) => session.handleClosed(reason);
    return session;
  }

  #up(session: EdgeSession, welcome: Welcome): void {
    if (session.closed) return;
    this.#trying = false;
    this.#urgentTry = undefined;
    this.#session = session;
    this.#upAt = this.#ports.clock.now();
    this.#handlers.onUp?.(session, welcome);
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter(session);
  }

  #handle(event: EdgeEvent): void {
    if (event.type === "closed") {
      if (this.#session) this.#noteStable();
      this.#failed(event.reason === "transport" ? "node-unreachable" : event.reason);
    } else if (event.type === "problem") {
      this.#retryAfterMs = Math.max(this.#retryAfterMs, event.retryAfterMs);
    } else {
      if (event.type === "drain") this.#retryAfterMs = Math.max(this.#retryAfterMs, event.retryAfterMs);
      this.#handlers.onPush?.(event);
    }
  }

  #noteStable(): void {
    if (this.#ports.clock.now() - this.#upAt >= STABLE_MS) this.#attempt = 0;
  }

  #failed(problem: string): void {
    this.#trying = false;
    this.#endUrgentTry();
    this.#greeting = undefined;
    this.#session = undefined;
    const unit = unitFromBytes(this.#ports.random.bytes(4));
    const delayMs = backoffDelayMs(this.#attempt++, unit, this.#retryAfterMs, this.#backoff);
    this.#heeding = this.#retryAfterMs > 0;
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
