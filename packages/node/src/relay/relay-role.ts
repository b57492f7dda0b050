/**
 * The relay role: off until the node's owner turns it on, and apart from that of a supernode. Either a TURN server of this node's own, or
 * the names and passwords for one that its operator runs (coturn with `use-auth-secret` and the same secret). docs/relay.md
 */
import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Clock } from "@earshot/core";
import { isLoopbackHost } from "../http/access.ts";
import type { NodeLog } from "../log.ts";
import type { NodeMetrics } from "../metrics.ts";
import { serverContext } from "../tls/certificate.ts";
import { type CertificatePaths, CertificateWatch } from "../tls/certificate-watch.ts";
import type { PeerPolicy } from "./peer-policy.ts";
import { registerRelayMetrics, RelayCounts } from "./relay-metrics.ts";
import type { RelayAddress } from "./relay-sockets.ts";
import { type Relay, startRelay } from "./start-relay.ts";
import { credentialFor, type TurnCredential } from "./turn-credentials.ts";
import { DEFAULT_TURN_LIMITS, type TurnLimits } from "./turn-limits.ts";

/** IANA's for TURN. */
export const TURN_PORT = 3_478;
const SECRET_BYTES = 32;
const TICKET_KEY_BYTES = 48;

export interface OwnRelayOptions {
  /** One of a family at most. */
  readonly addresses: readonly RelayAddress[];
  /** UDP and TCP; default 3478. 0: any free one. */
  readonly port?: number;
  /** TLS besides: for networks that let nothing out but port 443, say. `name`: the host that the certificate is for. */
  readonly tls?: CertificatePaths & { readonly name: string; readonly port: number };
  readonly limits?: Partial<TurnLimits>;
  /** Default: neither private networks nor this machine; this machine where nobody else can reach the relay. */
  readonly peers?: Partial<PeerPolicy>;
}

/** A TURN server of this node's own at the address where the network sees it: this machine's, or its router's, which is asked to let others in. */
export interface AutoRelayOptions {
  readonly auto: true;
  /** UDP and TCP; default 3478. */
  readonly port?: number;
}

/** Another TURN server, that knows the same secret. */
export interface OtherRelayOptions {
  readonly urls: readonly string[];
  readonly secret: string;
}

export type RelayRoleOptions = OwnRelayOptions | OtherRelayOptions;

export interface RelayPass extends TurnCredential {
  readonly urls: readonly string[];
  readonly expiresAtMs: number;
}

export interface RelayRole {
  readonly urls: readonly string[];
  /** This node's own TURN server. */
  readonly own: Relay | undefined;
  /** Relayed so far by its own, both directions. */
  readonly bytes: number;
  /** Requests that its own refused. */
  readonly refused: number;
  /** What opens the relay, for whoever has that mailbox. */
  pass(mailboxId: Uint8Array): RelayPass;
  close(): Promise<void>;
}

interface RelayParts {
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
  /** Of a relay that is started anew: who was let in before still is. Default: a new one. */
  readonly secret?: string;
}

export function newRelaySecret(): string {
  return randomBytes(SECRET_BYTES).toString("hex");
}

/** Rejects with the system's error where a port cannot be had, or as `readCertificate` does. */
export async function startRelayRole(options: RelayRoleOptions, parts: RelayParts): Promise<RelayRole> {
  if ("secret" in options)
    return roleOf({ urls: options.urls, secret: options.secret, limits: DEFAULT_TURN_LIMITS, clock: parts.clock });
  const limits = { ...DEFAULT_TURN_LIMITS, ...options.limits };
  const { secret = newRelaySecret() } = parts;
  const tls = options.tls && new RelayCertificate(options.tls, parts);
  const counts = new RelayCounts();
  const own = await startRelay(
    {
      addresses: options.addresses,
      port: options.port ?? TURN_PORT,
      ...(options.tls && tls ? { tls: { port: options.tls.port, secureContext: () => tls.context } } : {}),
      limits,
      peers: {
        privateNetworks: false,
        loopback: options.addresses.every(({ host }) => isLoopbackHost(host)),
        ...options.peers,
      },
      secret,
    },
    {
      clock: parts.clock,
      random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
      onRequest: (outcome) => counts.request(outcome),
      onPacket: (outcome, bytes) => counts.packet(outcome, bytes),
    },
  ).catch((error: unknown) => {
    tls?.stop();
    throw error;
  });
  const unregister = registerRelayMetrics(parts.metrics.registry, counts, own);
  const stop = async (): Promise<void> => {
    unregister();
    tls?.stop();
    await own.close();
  };
  return roleOf({ urls: urlsOf(options, own), secret, limits, clock: parts.clock, own: { relay: own, counts, stop } });
}

interface RoleParts {
  readonly urls: readonly string[];
  readonly secret: string;
  readonly limits: TurnLimits;
  readonly clock: Clock;
  readonly own?: { readonly relay: Relay; readonly counts: RelayCounts; stop(): Promise<void> };
}

function roleOf({ urls, secret, limits, clock, own }: RoleParts): RelayRole {
  return {
    urls,
    own: own?.relay,
    get bytes() {
      return own?.counts.bytes ?? 0;
    },
    get refused() {
      return own?.counts.refused ?? 0;
    },
    pass: (mailboxId) => ({ urls, ...credentialFor(secret, mailboxId, clock.now(), limits.credentialMs) }),
    close: async () => own?.stop(),
  };
}

/** UDP first: what is lost on a stream holds up what comes behind. */
function urlsOf({ addresses, tls }: OwnRelayOptions, { port, tlsPort }: Relay): string[] {
  const hosts = addresses.map(({ announced }) => (isIPv6(announced) ? `[${announced}]` : announced));
  const secure = tls && tlsPort !== undefined ? [`turns:${tls.name}:${tlsPort}?transport=tcp`] : [];
  const [first = ""] = hosts;
  return [
    ...hosts.map((host) => `turn:${host}:${port}?transport=udp`),
    `turn:${first}:${port}?transport=tcp`,
    ...secure,
  ];
}

/** The certificate as it is on disk now. */
class RelayCertificate {
  readonly #watch: CertificateWatch;
  readonly #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  #context: ReturnType<typeof serverContext>;

  constructor(paths: CertificatePaths, { clock, log }: RelayParts) {
    this.#watch = new CertificateWatch(paths, clock, {
      changed: () => {
        log.info("certificate-changed");
        this.#context = this.#read();
      },
      rejected: () => log.error("certificate-rejected"),
    });
    this.#context = this.#read();
  }

  get context(): ReturnType<typeof serverContext> {
    return this.#context;
  }

  stop(): void {
    this.#watch.stop();
  }

  #read(): ReturnType<typeof serverContext> {
    return serverContext(this.#watch.current, this.#ticketKeys);
  }
}
