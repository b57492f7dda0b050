/**
 * The tunnel of one's own node: a browser on this machine speaks, through it, with a supernode that it could not reach by
 * itself. For whoever holds the node's token, to keys that proved to be supernodes, and to nothing else.
 *
 *   GET /tunnel/<supernode key, hex>?dht=<host:port>&url=<wss url>, upgraded as /edge is
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, fromHex, isDhtAddress, isNodeUrl, type Result, type SupernodeRef } from "@earshot/core";
import type { WebSocketServer } from "ws";
import type { PausableStream } from "../edge/edge-stream.ts";
import { WsEdgeStream } from "../edge/ws-edge-stream.ts";
import { edgeWebSocketServer } from "../edge/ws-upgrades.ts";
import type { Access } from "../http/access.ts";
import { refuseUpgrade } from "../http/responses.ts";
import type { WaitingSockets } from "../http/waiting-sockets.ts";
import { type ClosePipe, pipeStreams } from "./pipe.ts";

export const TUNNEL_PATH = "/tunnel/";
/** Told to one tunnel too many. */
const FULL_RETRY_MS = 5_000;

export interface TunnelsOptions {
  readonly access: Access;
  readonly clock: Clock;
  /** Open and being opened. */
  readonly maxTunnels: number;
  readonly waiting: WaitingSockets;
  /** Where the supernode of that key is, once it has proved to be one. Never rejects. */
  prove(ref: SupernodeRef): Promise<Result<SupernodeRef>>;
  /** A stream to it, under keys of its own. Rejects where there is none to be had. */
  dial(ref: SupernodeRef): Promise<PausableStream>;
  /** Counts what became of a request for a tunnel. */
  onOutcome(outcome: TunnelOutcome): void;
}

export type TunnelOutcome = "opened" | "refused" | "unreachable" | "full";

export class Tunnels {
  readonly #options: TunnelsOptions;
  readonly #webSockets: WebSocketServer = edgeWebSocketServer();
  readonly #pipes = new Set<ClosePipe>();
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
    this.#dialling++;
    this.#reach(target)
      .then((stream) => {
        socket.off("error", ignore);
        if (stream === undefined) return this.#refuse(socket, 502, "unreachable");
        if (this.#closed || socket.destroyed) return stream.terminate();
        return this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
          this.#pipe(new WsEdgeStream(webSocket, socket), stream),
        );
      })
      .finally(() => this.#dialling--)
      .catch(() => socket.destroy());
  }

  /** Closes all of them and takes no more. */
  close(): void {
    this.#closed = true;
    for (const close of this.#pipes) close();
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

  async #reach(target: SupernodeRef): Promise<PausableStream | undefined> {
    const proven = await this.#options.prove(target);
    return proven.ok ? this.#options.dial(proven.value).catch(() => undefined) : undefined;
  }

  #pipe(near: PausableStream, far: PausableStream): void {
    this.#options.onOutcome("opened");
    const close = pipeStreams(near, far, {
      setTimer: (delayMs, fire) => this.#options.clock.setTimer(delayMs, fire),
      onEnd: () => this.#pipes.delete(close),
    });
    this.#pipes.add(close);
  }
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
