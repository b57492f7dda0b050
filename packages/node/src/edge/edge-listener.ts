/**
 * The edge connections of this node, whatever they came in over. Everything that can turn a newcomer away is asked by
 * `admit`, before anything is spent on it.
 */
import { MAX_DRAIN_SUPERNODES, type Rate, TokenBucket } from "@earshot/core";
import type { PrefixLimits, PrefixUse } from "../prefix-limits.ts";
import { EdgeConnection, type EdgeOrigin } from "./edge-connection.ts";
import type { EdgeServices } from "./edge-services.ts";
import type { EdgeStream, EdgeTransport } from "./edge-stream.ts";

/** How often the silent are looked for. */
const CHECK_EVERY_MS = 1_000;
/** For supernodes, beyond the places of clients and their rate: a crowd must not cut its homes off from the others. */
const PEER_PLACES = 64;
const PEER_HANDSHAKES: Rate = { perSecond: 20, burst: 64 };
/** Told to those turned away for their prefix's sake. */
const PREFIX_RETRY_MS = 10_000;

/** What became of a newcomer. One that was admitted is counted: it is either added or released. */
export type Admittance =
  | { readonly admitted: true; readonly prefix: PrefixUse | undefined }
  | { readonly admitted: false; readonly retryAfterMs: number };

export class EdgeListener {
  readonly #services: EdgeServices;
  readonly #prefixes: PrefixLimits;
  readonly #connections = new Set<EdgeConnection>();
  readonly #peerHandshakes: TokenBucket;
  #cancelCheck: () => void;
  #draining = false;

  constructor(services: EdgeServices, prefixes: PrefixLimits) {
    this.#services = services;
    this.#prefixes = prefixes;
    this.#peerHandshakes = new TokenBucket(PEER_HANDSHAKES, services.clock.now());
    this.#cancelCheck = this.#scheduleCheck();
  }

  get count(): number {
    return this.#connections.size;
  }

  /** Whether a newcomer from `address` may come in: full, its prefix's share, the rate of handshakes. */
  admit(address: string): Admittance {
    const { admission, clock, limits, metrics } = this.#services;
    const now = clock.now();
    const prefix = this.#prefixes.of(address, now);
    const retryAfterMs = this.#checkPrefix(prefix, now);
    if (retryAfterMs > 0 || prefix === "full") return this.turnAway(retryAfterMs);
    const decision = admission.admit(now, this.#draining || this.#connections.size >= limits.maxConnections);
    if (!decision.admitted && !this.#admitsPeer(address, now)) return this.turnAway(decision.retryAfterMs);
    metrics.handshake("admitted");
    // Counted from here, so that many at once cannot slip past the bound.
    if (prefix) prefix.counts.connections++;
    return { admitted: true, prefix };
  }

  /** It comes from where a supernode was found, and there is room for those. */
  #admitsPeer(address: string, now: number): boolean {
    const { overlay, limits } = this.#services;
    if (this.#draining || this.#connections.size >= limits.maxConnections + PEER_PLACES) return false;
    return overlay?.isSupernodeAt(address) === true && this.#peerHandshakes.tryTake(now);
  }

  /** Counts a newcomer for whom there is no place. */
  turnAway(retryAfterMs: number): Admittance {
    this.#services.metrics.handshake("shed");
    this.#services.metrics.refused("server-busy");
    return { admitted: false, retryAfterMs };
  }

  /** An admitted newcomer that did not become a connection. */
  release(prefix: PrefixUse | undefined): void {
    if (prefix) prefix.counts.connections--;
  }

  /** Serves an admitted newcomer until its stream is closed. */
  add(stream: EdgeStream, prefix: PrefixUse | undefined, transport: EdgeTransport, host = ""): void {
    this.open(stream, prefix, transport, host);
  }

  /** As {@link add}, for who has more to do with it. `spare`: on a place that is kept for supernodes. */
  open(
    stream: EdgeStream,
    prefix: PrefixUse | undefined,
    transport: EdgeTransport,
    host: string,
    spare = false,
  ): EdgeConnection {
    const origin: EdgeOrigin = { transport, prefix, host, spare };
    const connection = new EdgeConnection(stream, this.#services, origin, (gone) => {
      this.#connections.delete(gone);
      this.release(prefix);
    });
    this.#connections.add(connection);
    this.#services.log.debug("connection-opened", { connections: this.#connections.size });
    return connection;
  }

  /** Drains everybody and stops. Takes no newcomers meanwhile. */
  async close(graceMs: number, retryAfterMs: number): Promise<void> {
    this.#draining = true;
    await this.drain(graceMs, retryAfterMs, () => true);
    this.#cancelCheck();
  }

  /** Asks those that came from there to move, names others to go to, and closes what is left after the grace time. */
  async drain(graceMs: number, retryAfterMs: number, which: (origin: EdgeOrigin) => boolean): Promise<void> {
    const { clock, overlay } = this.#services;
    const descriptors = overlay?.descriptors(MAX_DRAIN_SUPERNODES) ?? [];
    const there = () => [...this.#connections].filter(({ origin }) => which(origin));
    for (const connection of there())
      if (connection.greeted) connection.send({ type: "drain", graceMs, retryAfterMs, descriptors });
      else connection.close("shutdown");
    const deadline = clock.now() + graceMs;
    while (there().length > 0 && clock.now() < deadline) await this.#moment();
    for (const connection of there()) connection.close("shutdown");
    // Soon: a closed connection hangs up by itself where its peer does not.
    while (there().length > 0) await this.#moment();
  }

  /** Connections that came from there, or have shown to be another supernode's. */
  countOf(which: (origin: EdgeOrigin, isPeer: boolean) => boolean): number {
    let count = 0;
    for (const { origin, peerKey } of this.#connections) if (which(origin, peerKey !== undefined)) count++;
    return count;
  }

  #moment(): Promise<void> {
    return new Promise((resolve) => this.#services.clock.setTimer(20, resolve));
  }

  #checkPrefix(prefix: PrefixUse | undefined | "full", now: number): number {
    if (prefix === undefined) return 0;
    if (prefix === "full" || prefix.counts.connections >= this.#services.limits.maxConnectionsPerPrefix)
      return PREFIX_RETRY_MS;
    const waitMs = prefix.handshakes.waitMs(now);
    if (waitMs === 0) prefix.handshakes.tryTake(now);
    return waitMs;
  }

  #scheduleCheck(): () => void {
    return this.#services.clock.setTimer(CHECK_EVERY_MS, () => {
      const now = this.#services.clock.now();
      for (const connection of this.#connections) connection.checkAlive(now);
      this.#services.sendBuffers.look(this.#connections);
      this.#cancelCheck = this.#scheduleCheck();
    });
  }
}
