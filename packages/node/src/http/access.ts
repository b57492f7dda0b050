/**
 * Who may speak to the daemon: exact lists of hosts (against DNS rebinding) and origins (against other pages), and the
 * token (against other local users). Checked on every request and every upgrade.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { EDGE_SUBPROTOCOL, EDGE_TOKEN_SUBPROTOCOL_PREFIX } from "@earshot/core";

export interface AccessOptions {
  /** What the daemon is bound to. */
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** Further `host` or `host:port` as they appear in the Host header. */
  readonly extraHosts: readonly string[];
  /** Further origins, such as `https://calls.example`. */
  readonly extraOrigins: readonly string[];
}

const WILDCARDS = new Set(["0.0.0.0", "::", ""]);

export class Access {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #tokenHash: Buffer;

  constructor(options: AccessOptions) {
    const hosts = new Set(options.extraHosts.map((host) => host.toLowerCase()));
    for (const name of namesOf(options.host)) {
      hosts.add(`${name}:${options.port}`);
      // Browsers leave out the port that http has by default.
      if (options.port === 80) hosts.add(name);
    }
    this.#hosts = hosts;
    this.#origins = new Set([
      ...[...hosts].flatMap((host) => [`http://${host}`, `https://${host}`]),
      ...options.extraOrigins,
    ]);
    this.#tokenHash = sha256(options.token);
  }

  /** One Host header, and one that is on the list. */
  isHostAllowed(request: IncomingMessage): boolean {
    const host = request.headers.host;
    // Node joins nothing here: a second Host header stays in rawHeaders only.
    const count = request.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === "host").length;
    return count === 1 && host !== undefined && this.#hosts.has(host.toLowerCase());
  }

  /** Absent (no browser page, or a plain navigation) or on the list. `null`, as sandboxed pages send it, is not. */
  isOriginAllowed(request: IncomingMessage): boolean {
    const origin = request.headers.origin;
    return origin === undefined || this.#origins.has(origin);
  }

  /** `Authorization: Bearer <token>`. */
  hasBearerToken(request: IncomingMessage): boolean {
    const [scheme, token, ...rest] = (request.headers.authorization ?? "").split(" ");
    return scheme?.toLowerCase() === "bearer" && token !== undefined && rest.length === 0 && this.#isToken(token);
  }

  /** The sub-protocols ask for the edge protocol. */
  asksForEdge(request: IncomingMessage): boolean {
    return subProtocols(request).includes(EDGE_SUBPROTOCOL);
  }

  /** One of the sub-protocols is `earshot.token.<token>`. */
  hasProtocolToken(request: IncomingMessage): boolean {
    const offered = subProtocols(request).find((name) => name.startsWith(EDGE_TOKEN_SUBPROTOCOL_PREFIX));
    return offered !== undefined && this.#isToken(offered.slice(EDGE_TOKEN_SUBPROTOCOL_PREFIX.length));
  }

  /** One of the sub-protocols is this one, which may be a secret. */
  offersProtocol(request: IncomingMessage, name: string): boolean {
    const expected = sha256(name);
    return subProtocols(request).some((offered) => timingSafeEqual(sha256(offered), expected));
  }

  /** Of hashes, so that neither content nor length shows in the time it takes. */
  #isToken(text: string): boolean {
    return timingSafeEqual(sha256(text), this.#tokenHash);
  }
}

function subProtocols(request: IncomingMessage): string[] {
  return (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The names under which a listener on `host` is rightly addressed. Literal addresses cannot be rebound. */
function namesOf(host: string): string[] {
  const local = ["127.0.0.1", "localhost", "[::1]"];
  if (isLoopbackHost(host)) return [...new Set([...local, bracketed(host)])];
  if (!WILDCARDS.has(host)) return [bracketed(host)];
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return [...local, ...own.map(({ address }) => bracketed(address.split("%")[0] as string))];
}

/** A listener there serves this machine alone: its own person, with a token, and the app. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** As in a URL: IPv6 in brackets. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host.toLowerCase();
}
