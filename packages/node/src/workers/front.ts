/**
 * One worker of a dedicated supernode, without its process: takes clients in, and relays their messages to the core. It holds no key of the
 * supernode, reads no message, and keeps nothing but counts.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { SecureContext } from "node:tls";
import { Admission, type Clock } from "@earshot/core";
import { edgeWebSocketServer } from "../edge/ws-upgrades.ts";
import { HostedApp } from "../hosted/hosted-app.ts";
import { Access } from "../http/access.ts";
import { addressOf } from "../http/http-server.ts";
import { refuseUpgrade } from "../http/responses.ts";
import { WaitingSockets } from "../http/waiting-sockets.ts";
import { isPrivateAddress } from "../prefix.ts";
import { PrefixLimits } from "../prefix-limits.ts";
import { serverContext } from "../tls/certificate.ts";
import type { FrontOrders, TlsOrders, WorkerCounts } from "./control.ts";
import { FrontConnection } from "./front-connection.ts";
import { FrontListener, type TlsOutcome } from "./front-listener.ts";
import { handleFrontRequest } from "./front-routes.ts";
import { type MuxFrame, muxNumber } from "./mux.ts";
import { MuxLink } from "./mux-link.ts";

/** Told to those who come while there is no core, or no place. */
const LOST_RETRY_MS = 5_000;
const PREFIX_RETRY_MS = 10_000;
/**
 * What of a handshake's place in its prefix's rate a TLS connection takes, and the upgrade the rest: one prefix may bring four times as many
 * connections as upgrades, and gets no more of a worker's time by never upgrading.
 */
const TLS_COST = 1 / 4;

/** Asked the core, and waiting for its word. */
interface Knock {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  readonly head: Buffer;
}

export class Front {
  readonly #orders: FrontOrders;
  readonly #clock: Clock;
  #access: Access;
  readonly #prefixes: PrefixLimits;
  readonly #admission: Admission;
  readonly #listener: FrontListener;
  readonly #link: MuxLink;
  readonly #webSockets = edgeWebSocketServer();
  readonly #connections = new Map<number, FrontConnection>();
  readonly #knocks = new Map<number, Knock>();
  readonly #paused = new Set<FrontConnection>();
  readonly #hosted: HostedApp | undefined;
  #secureContext: SecureContext | undefined;
  #lastId = 0;
  #lost = false;
  #counts = noCounts();

  /** `core`: the stream to the core; `onLost` is called once when that is gone, after everybody here was let go. */
  constructor(orders: FrontOrders, core: Duplex, clock: Clock, onLost: () => void) {
    const { limits } = orders;
    this.#orders = orders;
    this.#clock = clock;
    this.#access = accessOf(orders, orders.port);
    this.#prefixes = new PrefixLimits({
      handshakes: limits.handshakesPerPrefix,
      maxPrefixes: limits.maxPrefixes,
      limitPrivate: limits.limitPrivatePrefixes,
    });
    this.#admission = new Admission(limits.handshakes, clock.now());
    this.#hosted = orders.hosted && new HostedApp(orders.hosted);
    if (orders.tls) this.setTls(orders.tls);
    this.#listener = this.#createListener();
    this.#link = new MuxLink(core, {
      onFrame: (frame) => this.#handleFrame(frame),
      onDrained: () => this.#resumeAll(),
      onLost: () => this.#handleLost(onLost),
    });
  }

  /** The port. Rejects with the system's error. */
  async listen(): Promise<number> {
    const port = await this.#listener.listen();
    this.#access = accessOf(this.#orders, port);
    return port;
  }

  /** Takes nobody for now, or takes newcomers again. */
  async rest(resting: boolean): Promise<void> {
    if (resting) this.#listener.rest();
    else if (!this.#listener.listening && !this.#lost) await this.#listener.listen();
  }

  /** Holds from the next connection on. */
  setTls({ cert, key, ticketKeys }: TlsOrders): void {
    this.#secureContext = serverContext({ cert, key }, Buffer.from(ticketKeys, "hex"));
  }

  observeLag(lagMs: number): void {
    this.#admission.observeLag(lagMs);
    this.#prefixes.forgetIdle(this.#clock.now());
  }

  /** Connections now, and what was counted since the last call. */
  takeCounts(): Omit<WorkerCounts, "rssBytes" | "cpuSeconds" | "loopLagMs"> {
    const counts = { connections: this.#connections.size, ...this.#counts };
    this.#counts = noCounts();
    return counts;
  }

  close(): void {
    this.#listener.close();
    this.#link.destroy();
  }

  #createListener(): FrontListener {
    const { limits, trustLocalProxy, host, port } = this.#orders;
    const waiting = new WaitingSockets(limits.maxSparePerPrefix, (address) =>
      trustLocalProxy && isPrivateAddress(address) ? undefined : this.#prefixes.of(address, this.#clock.now()),
    );
    return new FrontListener({
      host,
      port,
      maxSockets: limits.maxConnections + limits.maxSpareSockets,
      clock: this.#clock,
      waiting,
      secureContext: () => this.#secureContext,
      partyOf: (address) => this.#prefixes.nameOf(address),
      mayShake: (address) => this.#mayShake(address),
      onRequest: (request, response) => this.#handleRequest(request, response),
      onUpgrade: (request, stream, head) => this.#handleUpgrade({ request, stream, head }),
      onTls: (outcome) => this.#countTls(outcome),
    });
  }

  /** Before TLS costs anything: a prefix that keeps connecting is hung up on. */
  #mayShake(address: string): boolean {
    const now = this.#clock.now();
    const prefix = this.#prefixes.of(address, now);
    return prefix === undefined || (prefix !== "full" && prefix.handshakes.tryTake(now, TLS_COST));
  }

  #countTls(outcome: TlsOutcome): void {
    if (outcome === "failed") this.#counts.tlsFailed++;
    else if (outcome === "shed") this.#counts.tlsShed++;
    else if (outcome === "resumed") this.#counts.tlsResumed++;
    else this.#counts.tlsDone++;
  }

  #handleRequest(request: IncomingMessage, response: ServerResponse): void {
    const services = { access: this.#access, hosted: this.#hosted, isHealthy: () => !this.#lost };
    handleFrontRequest(services, request, response);
  }

  #handleUpgrade(knock: Knock): void {
    const { request, stream } = knock;
    stream.on("error", () => {});
    const status = this.#refusalOf(request);
    if (status !== undefined) {
      this.#counts.refused++;
      return refuseUpgrade(stream, status);
    }
    const address = addressOf(request, this.#orders.trustLocalProxy);
    const retryAfterMs = this.#shedMs(address);
    if (retryAfterMs > 0) {
      this.#counts.shed++;
      return refuseUpgrade(stream, 503, retryAfterMs);
    }
    const id = this.#nextId();
    this.#knocks.set(id, knock);
    stream.once("close", () => {
      if (this.#knocks.delete(id)) this.#link.send(id, "closed");
    });
    this.#link.send(id, "knock", Buffer.from(address.slice(0, 64)));
  }

  /** The HTTP status under which the request is refused, if it is. Pages of any origin may come: nothing here knows who is asking. */
  #refusalOf(request: IncomingMessage): number | undefined {
    if (!this.#access.isHostAllowed(request)) return 421;
    if (request.url !== "/edge") return 404;
    if (!this.#access.asksForEdge(request)) return 400;
    const { gateProtocol } = this.#orders;
    if (gateProtocol !== undefined && !this.#access.offersProtocol(request, gateProtocol)) return 401;
    return undefined;
  }

  /** What this worker itself can turn away, before the core is asked: 0 if nothing. */
  #shedMs(address: string): number {
    if (this.#lost) return LOST_RETRY_MS;
    const now = this.#clock.now();
    const prefix = this.#prefixes.of(address, now);
    if (prefix === "full") return PREFIX_RETRY_MS;
    if (prefix !== undefined) {
      const cost = this.#secureContext === undefined ? 1 : 1 - TLS_COST;
      const waitMs = prefix.handshakes.waitMs(now, cost);
      if (waitMs > 0) return waitMs;
      prefix.handshakes.tryTake(now, cost);
    }
    const full = this.#connections.size + this.#knocks.size >= this.#orders.limits.maxConnections;
    const decision = this.#admission.admit(now, full || this.#link.busy);
    return decision.admitted ? 0 : decision.retryAfterMs;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    while (this.#connections.has(this.#lastId) || this.#knocks.has(this.#lastId));
    return this.#lastId;
  }

  #handleFrame(frame: MuxFrame): void {
    const connection = this.#connections.get(frame.connection);
    if (connection !== undefined) return connection.handle(frame);
    const knock = this.#knocks.get(frame.connection);
    if (knock === undefined) return;
    if (frame.kind === "admit") return this.#upgrade(frame.connection, knock);
    this.#knocks.delete(frame.connection);
    refuseUpgrade(knock.stream, 503, muxNumber(frame.body) ?? LOST_RETRY_MS);
  }

  #upgrade(id: number, { request, stream, head }: Knock): void {
    // A handshake that ws refuses ends the stream, which closes the knock.
    this.#webSockets.handleUpgrade(request, stream, head, (socket) => {
      this.#knocks.delete(id);
      const connection = new FrontConnection(id, socket, stream, {
        link: this.#link,
        maxBufferedBytes: this.#orders.limits.maxBufferedBytes,
        onPaused: (paused) => this.#paused.add(paused),
        onGone: (gone) => {
          this.#connections.delete(gone.id);
          this.#paused.delete(gone);
        },
      });
      this.#connections.set(id, connection);
    });
  }

  #resumeAll(): void {
    for (const connection of this.#paused) connection.resume();
    this.#paused.clear();
  }

  #handleLost(onLost: () => void): void {
    this.#lost = true;
    for (const { stream } of this.#knocks.values()) refuseUpgrade(stream, 503, LOST_RETRY_MS);
    this.#knocks.clear();
    for (const connection of this.#connections.values()) connection.end();
    onLost();
  }
}

function noCounts() {
  return { shed: 0, refused: 0, tlsDone: 0, tlsResumed: 0, tlsFailed: 0, tlsShed: 0 };
}

/** No token is ever asked for here. */
function accessOf({ host, extraHosts }: FrontOrders, port: number): Access {
  return new Access({ host, port, token: "", extraHosts, extraOrigins: [] });
}
