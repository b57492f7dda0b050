import { EDGE_SUBPROTOCOL, EDGE_TOKEN_SUBPROTOCOL_PREFIX, toHex } from "@earshot/core";
import type { NodeAddress, TunnelTarget } from "./api.ts";
import { NodeError } from "./errors.ts";

/** A node that has not finished the handshake by then counts as unreachable. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Where a node's edge listener takes WebSockets. */
const EDGE_PATH = "/edge";
/** Where an own node takes WebSockets that it pipes to a supernode: this, then the supernode's key in hex. */
const TUNNEL_PATH = "/tunnel/";
/** What a node answers where it cannot reach the supernode at a tunnel's other end. */
export const TUNNEL_UNREACHABLE_STATUS = 502;
/** What a node answers that sheds newcomers, with a Retry-After. */
export const BUSY_STATUS = 503;

export interface ParsedNodeAddress {
  /** `ws:` or `wss:`, with the edge path, or the tunnel's. */
  readonly edgeUrl: string;
  /** What answers there is another supernode than the node. */
  readonly tunnelled: boolean;
  /** `http:` or `https:` origin, without a slash at the end. */
  readonly httpOrigin: string;
  readonly token?: string;
}

/** Reads what `earshot start` printed. Throws {@link NodeError} `bad-node-url`. */
export function parseNodeAddress(address: NodeAddress): ParsedNodeAddress {
  let url: URL;
  try {
    url = new URL(address.url);
  } catch (cause) {
    throw badUrl(address.url, { cause });
  }
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  if (!secure && url.protocol !== "http:" && url.protocol !== "ws:") throw badUrl(address.url);
  const token = address.token ?? tokenOf(url);
  return {
    edgeUrl: `${secure ? "wss" : "ws"}://${url.host}${address.tunnelTo ? tunnelPath(address.tunnelTo) : EDGE_PATH}`,
    tunnelled: address.tunnelTo !== undefined,
    httpOrigin: `${secure ? "https" : "http"}://${url.host}`,
    ...(token ? { token } : {}),
  };
}

/** The sub-protocols to offer: the edge protocol, and the token where there is one. */
export function protocolsOf(address: ParsedNodeAddress): string[] {
  return address.token ? [EDGE_SUBPROTOCOL, EDGE_TOKEN_SUBPROTOCOL_PREFIX + address.token] : [EDGE_SUBPROTOCOL];
}

function tunnelPath({ supernodeKey, dht, url }: TunnelTarget): string {
  return `${TUNNEL_PATH}${toHex(supernodeKey)}?${new URLSearchParams({ dht, url })}`;
}

function tokenOf(url: URL): string | undefined {
  return new URLSearchParams(url.hash.slice(1)).get("token") ?? url.searchParams.get("token") ?? undefined;
}

function badUrl(url: string, options?: { cause?: unknown }): NodeError {
  return new NodeError(
    "bad-node-url",
    `"${url}" is not a node's address. Use the one that \`earshot start\` printed, such as http://127.0.0.1:4210/#token=…`,
    options,
  );
}

export function nodeUnreachable(address: ParsedNodeAddress, cause?: unknown): NodeError {
  return new NodeError(
    "node-unreachable",
    `No Earshot node answers at ${address.httpOrigin}. Start it with \`earshot start\`, or check the address.`,
    cause === undefined ? undefined : { cause },
  );
}

export function nodeRefused(address: ParsedNodeAddress, why: string, cause?: unknown): NodeError {
  return new NodeError(
    "node-refused",
    `The node at ${address.httpOrigin} refused the connection (${why}). Open the address that \`earshot start\` printed: it carries the node's token.`,
    cause === undefined ? undefined : { cause },
  );
}

/** The node is there, and takes nobody for now: HTTP 503. Browsers show pages no more than a failure. */
export function nodeBusy(address: ParsedNodeAddress, retryAfterMs: number): NodeError {
  return new NodeError(
    "server-busy",
    `The node at ${address.httpOrigin} is busy. Earshot tries again when it asks to be tried.`,
    { retryAfterMs },
  );
}

/** The node is there; the supernode at the tunnel's other end is not. */
export function supernodeUnreachable(address: ParsedNodeAddress, cause?: unknown): NodeError {
  return new NodeError(
    "supernode-unreachable",
    `The node at ${address.httpOrigin} cannot reach that supernode now.`,
    cause === undefined ? undefined : { cause },
  );
}
