/**
 * Takes WebSocket upgrades at /edge and keeps the connections. Everything that can turn a newcomer away is asked before
 * the upgrade, where it is cheapest.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { EDGE_SUBPROTOCOL, MAX_FRAME_BYTES } from "@earshot/core";
import { type WebSocket, WebSocketServer } from "ws";
import type { Access } from "../http/access.ts";
import { refuseUpgrade } from "../http/responses.ts";
import type { WaitingSockets } from "../http/waiting-sockets.ts";
import type { PrefixLimits, PrefixUse } from "../prefix-limits.ts";
import { EdgeConnection } from "./edge-connection.ts";
import type { EdgeServices } from "./edge-services.ts";

/** How often the silent are looked for. */
const CHECK_EVERY_MS = 1_000;
/** Told to those turned away for their prefix's sake. */
const PREFIX_RETRY_MS = 10_000;

export interface EdgeListenerOptions {
  readonly access: Access;
  readonly prefixes: PrefixLimits;
  readonly waiting: WaitingSockets;
  readonly needsToken: boolean;
  /** The peer's address, or what a trusted proxy says it is. */
  addressOf(request: IncomingMessage): string;
}

export class EdgeListener {
  readonly #services: EdgeServices;
  readonly #options: EdgeListenerOptions;
  readonly #connections = new Set<EdgeConnection>();
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    clientTracking: false,
    autoPong: false,
    handleProtocols: () => EDGE_SUBPROTOCOL,
  });
  #cancelCheck: () => void;
  #draining = false;

  constructor(services: EdgeServices, options: EdgeListenerOptions) {
    this.#services = services;
    this.#options = options;
    this.#cancelCheck = this.#scheduleCheck();
  }

  get count(): number {
    return this.#connections.size;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) {
      this.#services.metrics.handshake("refused");
      return refuseUpgrade(socket, refusal);
    }
    const { admission, clock, limits, metrics } = this.#services;
    const now = clock.now();
    const prefix = this.#options.prefixes.of(this.#options.addressOf(request), now);
    const retryAfterMs = this.#checkPrefix(prefix, now);
    if (retryAfterMs > 0 || prefix === "full") return this.#shed(socket, retryAfterMs);
    const decision = admission.admit(now, this.#draining || this.#connections.size >= limits.maxConnections);
    if (!decision.admitted) return this.#shed(socket, decision.retryAfterMs);
    metrics.handshake("admitted");
    // Counted from here, not from the end of the upgrade, so that many at once cannot slip past the bound.
    this.#options.waiting.upgraded(socket);
    if (prefix) prefix.counts.connections++;
    let upgraded = false;
    socket.once("close", () => {
      if (!upgraded && prefix) prefix.counts.connections--;
    });
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      upgraded = true;
      this.#add(webSocket, socket, prefix);
    });
  }

  /** Asks all clients to move, then closes what is left after the grace time. Takes no newcomers meanwhile. */
  async drain(graceMs: number, retryAfterMs: number): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections)
      if (connection.greeted) connection.send({ type: "drain", graceMs, retryAfterMs, supernodes: [] });
      else connection.close("shutdown");
    const deadline = this.#services.clock.now() + graceMs;
    while (this.#connections.size > 0 && this.#services.clock.now() < deadline) await this.#moment();
    for (const connection of [...this.#connections]) connection.close("shutdown");
    // Soon: a closed connection hangs up by itself where its peer does not.
    while (this.#connections.size > 0) await this.#moment();
    this.#cancelCheck();
  }

  #moment(): Promise<void> {
    return new Promise((resolve) => this.#services.clock.setTimer(20, resolve));
  }

  /** The HTTP status under which the request is refused, if it is. */
  #refusalOf(request: IncomingMessage): number | undefined {
    const { access, needsToken } = this.#options;
    if (!access.isHostAllowed(request)) return 421;
    if (!access.isOriginAllowed(request)) return 403;
    if (request.url !== "/edge") return 404;
    if (!access.asksForEdge(request)) return 400;
    if (needsToken && !access.hasProtocolToken(request)) return 401;
    return undefined;
  }

  #checkPrefix(prefix: PrefixUse | undefined | "full", now: number): number {
    if (prefix === undefined) return 0;
    if (prefix === "full" || prefix.counts.connections >= this.#services.limits.maxConnectionsPerPrefix)
      return PREFIX_RETRY_MS;
    const waitMs = prefix.handshakes.waitMs(now);
    if (waitMs === 0) prefix.handshakes.tryTake(now);
    return waitMs;
  }

  #shed(socket: Duplex, retryAfterMs: number): void {
    this.#services.metrics.handshake("shed");
    this.#services.metrics.refused("server-busy");
    refuseUpgrade(socket, 503, retryAfterMs);
  }

  #add(webSocket: WebSocket, stream: Duplex, prefix: PrefixUse | undefined): void {
    const connection = new EdgeConnection(webSocket, stream, this.#services, prefix, (gone) => {
      this.#connections.delete(gone);
      if (prefix) prefix.counts.connections--;
    });
    this.#connections.add(connection);
    this.#services.log.debug("connection-opened", { connections: this.#connections.size });
  }

  #scheduleCheck(): () => void {
    return this.#services.clock.setTimer(CHECK_EVERY_MS, () => {
      const now = this.#services.clock.now();
      for (const connection of this.#connections) connection.checkAlive(now);
      this.#cancelCheck = this.#scheduleCheck();
    });
  }
}
