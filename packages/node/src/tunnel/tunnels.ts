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
import type { WebSocketServer } from "ws";
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

export type TunnelOutcome = "opened" | "refused" | "unreachable" | "busy" | "full";

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
        if (stream instanceof SupernodeBusyError) return this.#sayBusy(request, socket, head, stream.retryAfterMs);
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

  async #reach(target: SupernodeRef): Promise<PausableStream | SupernodeBusyError | undefined> {
    const proven = await this.#options.prove(target);
    if (!proven.ok) return undefined;
    return this.#options
      .dial(proven.value)
      .catch((error: unknown) => (error instanceof SupernodeBusyError ? error : undefined));
  }

  /** In the supernode's stead, and as it does over HyperDHT: a browser does not show its page what an upgrade was refused with. */
  #sayBusy(request: IncomingMessage, socket: Duplex, head: Buffer, retryAfterMs: number): void {
    this.#options.onOutcome("busy");
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", () => {});
      const cancel = this.#options.clock.setTimer(HANG_UP_MS, () => webSocket.terminate());
      webSocket.once("close", cancel);
      // Once it has spoken: in some clients nobody listens before.
      webSocket.once("message", () => {
        webSocket.send(encodeFrame({ type: "error", requestId: 0, code: "server-busy", retryAfterMs }));
        webSocket.close(CLOSE_TRY_AGAIN_LATER);
      });
    });
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
