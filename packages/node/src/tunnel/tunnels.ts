/**
 * The tunnel of one's own node: a browser on this machine speaks, through it, with a supernode that it could not reach by
 * itself. For whoever holds the node's token, to keys that proved to be supernodes, and to nothing else.
 *
 *   GET /tunnel/<supernode key, hex>?dht=<host:port>&url=<wss url>, upgraded as /edge is
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  type Clock,
  encodeFrame,
  fromHex,
  isDhtAddress,
  isNodeUrl,
  type Result,
  type SupernodeRef,
} from "@earshot/core";
import type { WebSocket, WebSocketServer } from "ws";
import type { PausableStream } from "../edge/edge-stream.ts";
import { WsEdgeStream } from "../edge/ws-edge-stream.ts";
import { edgeWebSocketServer } from "../edge/ws-upgrades.ts";
import type { Access } from "../http/access.ts";
import { refuseUpgrade } from "../http/responses.ts";
import type { WaitingSockets } from "../http/waiting-sockets.ts";
import { SupernodeBusyError } from "../supernodes/ws-dial.ts";
import { type ClosePipe, pipeStreams } from "./pipe.ts";

export const TUNNEL_PATH = "/tunnel/";
/** Told to one tunnel too many. */
const FULL_RETRY_MS = 5_000;

/**
 * What is not known by then is told after the upgrade, in frames: a browser opens one WebSocket to a host at a time (RFC 6455
 * section 4.1), so that a supernode which is dead, and takes seconds, would hold up the tunnels to all others.
 */
const PATIENCE_MS = 200;
/** WebSocket close code (IANA's registry). */
const CLOSE_TRY_AGAIN_LATER = 1013;
/** What whoever is told so gets to say hello and hang up. */
const HANG_UP_MS = 5_000;

export interface TunnelsOptions {
  readonly access: Access;
  readonly clock: Clock;
  /** Open and being opened. */
  readonly maxTunnels: number;
  readonly waiting: WaitingSockets;
  /** Where the supernode of that key is, once it has proved to be one. Never rejects. */
  prove(ref: SupernodeRef): Promise<Result<SupernodeRef>>;
  /** A stream to it, under keys of its own. Rejects where there is none to be had; with SupernodeBusyError where that passes. */
  dial(ref: SupernodeRef): Promise<PausableStream>;
  /** Counts what became of a request for a tunnel. */
  onOutcome(outcome: TunnelOutcome): void;
}

/** A stream to the supernode; undefined: it is not reached, or none. */
type Reached = PausableStream | SupernodeBusyError | undefined;

export type TunnelOutcome = "opened" | "refused" | "unreachable" | "busy" | "full";

export class Tunnels {
  readonly #options: TunnelsOptions;
  readonly #webSockets: WebSocketServer = edgeWebSocketServer();
  readonly #pipes = new Set<ClosePipe>();
  /** Those of tunnels that are being opened. */
  readonly #opening = new Set<Duplex>();
  #dialling = 0;
  #closed = false;

  constructor(options: TunnelsOptions) {
    this.#options = options;
  }

  /** Open ones. */
  get count(): number {
    return this.#pipes.size;
  }

  /** Takes an upgrade whose path begins with {@link TUNNEL_PATH}. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = targetOf(request.url ?? "");
    const refusal = this.#refusalOf(request) ?? (target === undefined ? 404 : undefined);
    if (refusal !== undefined || target === undefined) return this.#refuse(socket, refusal ?? 404, "refused");
    if (this.#closed || this.#pipes.size + this.#dialling >= this.#options.maxTunnels)
      return this.#refuse(socket, 503, "full");
    // Nobody listens yet to a socket that breaks while the supernode is dialled.
    const ignore = () => {};
    socket.on("error", ignore);
    this.#options.waiting.upgraded(socket);
    this.#opening.add(socket);
    socket.once("close", () => this.#opening.delete(socket));
    this.#dialling++;
    const reached = this.#reach(target).finally(() => this.#dialling--);
    this.#patiently(reached)
      .then((early) => {
        socket.off("error", ignore);
        if (early === undefined) return this.#refuse(socket, 502, "unreachable");
        if (!socket.readable) {
          socket.destroy(); // its client has gone, or this node goes
          return reached.then(hangUp);
        }
        return this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
          webSocket.on("error", () => {});
          if (early !== "late") return this.#answer(webSocket, socket, early);
          // What it says meanwhile waits on its way.
          webSocket.pause();
          void reached.then((outcome) => this.#answer(webSocket, socket, outcome)).catch(() => socket.destroy());
        });
      })
      .catch(() => socket.destroy());
  }

  /** What it resolves to, or "late" where that takes too long. */
  #patiently(reached: Promise<Reached>): Promise<Reached | "late"> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.setTimer(PATIENCE_MS, () => resolve("late"));
      reached.then(resolve, reject).finally(cancel);
    });
  }

  #answer(webSocket: WebSocket, socket: Duplex, reached: Reached): void {
    webSocket.resume();
    if (this.#closed || webSocket.readyState !== webSocket.OPEN) {
      webSocket.terminate();
      return hangUp(reached);
    }
    if (reached === undefined) {
      this.#options.onOutcome("unreachable");
      return this.#tell(webSocket, "unknown-supernode", 0);
    }
    if (!(reached instanceof SupernodeBusyError)) return this.#pipe(webSocket, socket, reached);
    this.#options.onOutcome("busy");
    return this.#tell(webSocket, "server-busy", reached.retryAfterMs);
  }

  /** Closes all of them, those that are being opened as well, and takes no more. */
  close(): void {
    this.#closed = true;
    for (const close of this.#pipes) close();
    for (const socket of this.#opening) socket.destroy();
  }

  /** The HTTP status under which the request is refused, if it is: as of the edge's, but never without the token. */
  #refusalOf(request: IncomingMessage): number | undefined {
    const { access } = this.#options;
    if (!access.isHostAllowed(request)) return 421;
    if (!access.isOriginAllowed(request)) return 403;
    if (!access.asksForEdge(request)) return 400;
    return access.hasProtocolToken(request) ? undefined : 401;
  }

  #refuse(socket: Duplex, status: number, outcome: TunnelOutcome): void {
    this.#options.onOutcome(outcome);
    refuseUpgrade(socket, status, status === 503 ? FULL_RETRY_MS : 0);
  }

  async #reach(target: SupernodeRef): Promise<Reached> {
    const proven = await this.#options.prove(target);
    if (!proven.ok) return undefined;
    return this.#options
      .dial(proven.value)
      .catch((error: unknown) => (error instanceof SupernodeBusyError ? error : undefined));
  }

  /** In the supernode's stead, and as it does over HyperDHT: a browser does not show its page what an upgrade was refused with. */
  #tell(webSocket: WebSocket, code: "server-busy" | "unknown-supernode", retryAfterMs: number): void {
    const cancel = this.#options.clock.setTimer(HANG_UP_MS, () => webSocket.terminate());
    webSocket.once("close", cancel);
    // Once it has spoken: in some clients nobody listens before.
    webSocket.once("message", () => {
      webSocket.send(encodeFrame({ type: "error", requestId: 0, code, retryAfterMs }));
      webSocket.close(CLOSE_TRY_AGAIN_LATER);
    });
  }

  #pipe(webSocket: WebSocket, socket: Duplex, far: PausableStream): void {
    this.#options.onOutcome("opened");
    this.#opening.delete(socket);
    const close = pipeStreams(new WsEdgeStream(webSocket, socket), far, {
      setTimer: (delayMs, fire) => this.#options.clock.setTimer(delayMs, fire),
      onEnd: () => this.#pipes.delete(close),
    });
    this.#pipes.add(close);
  }
}

function hangUp(reached: Reached): void {
  if (reached !== undefined && !(reached instanceof SupernodeBusyError)) reached.terminate();
}

function targetOf(requestUrl: string): SupernodeRef | undefined {
  if (!URL.canParse(requestUrl, "http://node.invalid")) return undefined;
  const url = new URL(requestUrl, "http://node.invalid");
  const key = fromHex(url.pathname.slice(TUNNEL_PATH.length));
  const dht = url.searchParams.get("dht") ?? "";
  const edgeUrl = url.searchParams.get("url") ?? "";
  if (!key.ok || key.value.length !== 32) return undefined;
  if ((dht !== "" && !isDhtAddress(dht)) || (edgeUrl !== "" && !isNodeUrl(edgeUrl))) return undefined;
  return { supernodeKey: key.value, dht, url: edgeUrl };
}
