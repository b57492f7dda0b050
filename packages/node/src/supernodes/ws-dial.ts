/** Opens a WebSocket to another supernode's edge listener, never to an address that is not public unless told to. */
import { lookup } from "node:dns";
import type { IncomingMessage } from "node:http";
import { isIP, type LookupFunction } from "node:net";
import type { Duplex } from "node:stream";
import { EDGE_SUBPROTOCOL, EarshotError, MAX_FRAME_BYTES, retryAfterMsOf } from "@earshot/core";
import { WebSocket } from "ws";
import { WsEdgeStream } from "../edge/ws-edge-stream.ts";
import { isPublicAddress } from "./public-address.ts";

/** What a listener that sheds answers an upgrade with. */
const HTTP_BUSY = 503;

export interface WsDialOptions {
  /** Sub-protocols beside the edge's, such as a private network's gate. */
  readonly protocols: readonly string[];
  /** Loopback and private addresses may be dialled: a private network's. */
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
}

/** `server-busy`: it is there, and takes nobody for now. */
export class SupernodeBusyError extends EarshotError {
  /** As it asked, and no more than core's MAX_RETRY_AFTER_MS. */
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super("server-busy", "the supernode asks to be tried later");
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The stream, once it is open. Rejects with EarshotError `bad-edge-url`, `not-public` or `supernode-unreachable`, and with
 * {@link SupernodeBusyError}.
 */
export function dialWebSocket(edgeUrl: string, options: WsDialOptions): Promise<WsEdgeStream> {
  const url = parseEdgeUrl(edgeUrl);
  if (url === undefined) return Promise.reject(new EarshotError("bad-edge-url", "not the URL of an edge listener"));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!options.allowPrivate && isIP(host) && !isPublicAddress(host)) return Promise.reject(notPublic());
  const socket = new WebSocket(url, [EDGE_SUBPROTOCOL, ...options.protocols], {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    autoPong: false,
    handshakeTimeout: options.timeoutMs,
    ...(options.allowPrivate ? {} : { lookup: lookupPublic }),
  });
  return new Promise((resolve, reject) => {
    let stream: Duplex | undefined;
    socket.once("upgrade", (response: IncomingMessage) => {
      stream = response.socket;
    });
    socket.once("open", () => {
      socket.off("error", fail);
      resolve(new WsEdgeStream(socket, stream as Duplex));
    });
    const fail = (cause: Error) =>
      reject(
        cause instanceof EarshotError
          ? cause
          : new EarshotError("supernode-unreachable", "no edge listener there", { cause }),
      );
    socket.on("error", fail);
    socket.once("unexpected-response", (request, response) => {
      const retryAfterMs = response.statusCode === HTTP_BUSY ? retryAfterMsOf(response.headers["retry-after"]) : 0;
      if (retryAfterMs > 0) reject(new SupernodeBusyError(retryAfterMs));
      request.destroy(new Error(`HTTP ${response.statusCode}`)); // told as an error
    });
  });
}

/** `ws:` or `wss:`, ending in /edge, with nothing hidden in it. */
export function parseEdgeUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  const isEdge = url.pathname.endsWith("/edge") && (url.protocol === "wss:" || url.protocol === "ws:");
  return plain && isEdge ? url : undefined;
}

/** As dns.lookup, but a name that has only non-public addresses has none. Asked for this very connection: no rebinding. */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, "");
    const open = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = open;
    if (first === undefined) return callback(notPublic(), "");
    if (options.all) return callback(null, open);
    return callback(null, first.address, first.family);
  });
};

function notPublic(): EarshotError {
  return new EarshotError("not-public", "only public addresses are dialled");
}
