/** Takes WebSocket upgrades at /edge. Whoever is not allowed in is told so before the upgrade, where it is cheapest. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { EDGE_SUBPROTOCOL, MAX_FRAME_BYTES } from "@earshot/core";
import { WebSocketServer } from "ws";
import type { Access } from "../http/access.ts";
import { refuseUpgrade } from "../http/responses.ts";
import type { WaitingSockets } from "../http/waiting-sockets.ts";
import type { NodeMetrics } from "../metrics.ts";
import type { EdgeListener } from "./edge-listener.ts";
import { WsEdgeStream } from "./ws-edge-stream.ts";

export interface WsUpgradesOptions {
  readonly listener: EdgeListener;
  readonly access: Access;
  readonly waiting: WaitingSockets;
  readonly metrics: NodeMetrics;
  readonly needsToken: boolean;
  /** A private network's sub-protocol, which strangers must offer. */
  readonly gate?: string | undefined;
  onGateRefused?(): void;
  /** The peer's address, or what a trusted proxy says it is. */
  addressOf(request: IncomingMessage): string;
}

/** As every WebSocket of the edge protocol is: bounded messages, no compression, pongs only when asked within the rate. */
export function edgeWebSocketServer(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    clientTracking: false,
    autoPong: false,
    handleProtocols: () => EDGE_SUBPROTOCOL,
  });
}

export class WsUpgrades {
  readonly #options: WsUpgradesOptions;
  readonly #webSockets = edgeWebSocketServer();

  constructor(options: WsUpgradesOptions) {
    this.#options = options;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { listener, metrics, waiting } = this.#options;
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) {
      metrics.handshake("refused");
      return refuseUpgrade(socket, refusal);
    }
    const host = this.#options.addressOf(request);
    const admittance = listener.admit(host);
    if (!admittance.admitted) return refuseUpgrade(socket, 503, admittance.retryAfterMs);
    waiting.upgraded(socket);
    let upgraded = false;
    socket.once("close", () => {
      if (!upgraded) listener.release(admittance.prefix);
    });
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      upgraded = true;
      listener.add(new WsEdgeStream(webSocket, socket, true), admittance.prefix, "websocket", host);
    });
  }

  /** The HTTP status under which the request is refused, if it is. */
  #refusalOf(request: IncomingMessage): number | undefined {
    const { access, needsToken, gate } = this.#options;
    if (!access.isHostAllowed(request)) return 421;
    if (!access.isOriginAllowed(request)) return 403;
    if (request.url !== "/edge") return 404;
    if (!access.asksForEdge(request)) return 400;
    if (needsToken && !access.hasProtocolToken(request)) return 401;
    if (gate !== undefined && !access.offersProtocol(request, gate)) {
      this.#options.onGateRefused?.();
      return 401;
    }
    return undefined;
  }
}
