/** The two kinds of address under which a supernode is named, and what they must look like. docs/protocol/backbone.md section 3. */
import { isIpv4, isIpv6 } from "../call/address.ts";
import { accept, type Result, refuse } from "../errors.ts";

export const NODE_URL_MAX_BYTES = 128;
/** The longest IPv6 address in brackets and a port take 53. */
export const DHT_ADDRESS_MAX_BYTES = 64;

/** Where a supernode can be reached. At least the key is sure: the two others are hints. */
export interface SupernodeRef {
  /** Ed25519, 32 bytes. */
  readonly supernodeKey: Uint8Array;
  /** `ip:port` of its HyperDHT node, or empty. */
  readonly dht: string;
  /** `wss://…` of its edge listener, or empty. */
  readonly url: string;
}

// Printable ASCII only: nothing else belongs into a log, a header or a page. No user information, no fragment.
const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const NODE_URL = new RegExp(
  `^wss?://(?:(${LABEL}(?:\\.${LABEL})*\\.?)|\\[([0-9A-Fa-f:.]+)\\])(?::(\\d{1,5}))?(?:[/?][\\x21\\x22\\x24-\\x7e]*)?$`,
);
const DHT_ADDRESS = /^(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\]):([1-9]\d{0,4})$/;

/** A `ws:` or `wss:` URL with a host, of at most 128 bytes. */
export function isNodeUrl(text: string): boolean {
  const match = text.length <= NODE_URL_MAX_BYTES ? NODE_URL.exec(text) : null;
  if (!match) return false;
  const [, , ipv6, port] = match;
  return (ipv6 === undefined || isIpv6(ipv6)) && (port === undefined || isPort(port));
}

/** The host of a {@link isNodeUrl} URL, IPv6 without brackets; undefined where it is none. */
export function hostOfUrl(url: string): string | undefined {
  const match = isNodeUrl(url) ? NODE_URL.exec(url) : null;
  return match ? (match[1] ?? match[2]) : undefined;
}

/** `a.b.c.d:port` or `[ipv6]:port`, taken apart; refused as `bad-text`. */
export function parseDhtAddress(text: string): Result<{ host: string; port: number }> {
  const match = text.length <= DHT_ADDRESS_MAX_BYTES ? DHT_ADDRESS.exec(text) : null;
  if (!match) return refuse("bad-text", "not ip:port");
  const [, ipv4, ipv6, port] = match;
  const isIp = ipv4 === undefined ? isIpv6(ipv6 as string) : isIpv4(ipv4);
  if (!isIp || !isPort(port as string)) return refuse("bad-text", "not ip:port");
  return accept({ host: (ipv4 ?? ipv6) as string, port: Number(port) });
}

export function isDhtAddress(text: string): boolean {
  return parseDhtAddress(text).ok;
}

/** `host:port`, IPv6 in brackets: what {@link parseDhtAddress} takes apart. */
export function formatDhtAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function isPort(text: string): boolean {
  const port = Number(text);
  return port >= 1 && port <= 65_535;
}
