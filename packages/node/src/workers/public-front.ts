/** The public side of a dedicated supernode: worker processes behind one address, with a certificate that is followed on disk. */
import { randomBytes } from "node:crypto";
import { type Clock, EarshotError, unitFromBytes } from "@earshot/core";
import { createHosted } from "../hosted/hosted.ts";
import type { NodeLimits } from "../limits.ts";
import type { NodeLog } from "../log.ts";
import type { NodeMetrics } from "../metrics.ts";
import { type CertificatePaths, CertificateWatch } from "../tls/certificate-watch.ts";
import type { FrontLimits, FrontOrders, TlsOrders, WorkerCounts } from "./control.ts";
import type { CoreLinkOptions } from "./core-link.ts";
import { registerFrontMetrics } from "./front-metrics.ts";
import { MAX_WORKERS, WorkerPool } from "./worker-pool.ts";

/** A client may resume its session for as long as the keys that its ticket was made with are there. */
const TICKET_KEYS_EVERY_MS = 12 * 3_600_000;
const TICKET_KEY_BYTES = 48;
/** Of one worker: a process holds few more sockets than this where the system allows 20,000 open files. */
export const MAX_CONNECTIONS_PER_WORKER = 17_500;

export interface FrontOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** 1 to `MAX_WORKERS`. */
  readonly workers: number;
  /** Undefined: plain, for a proxy that terminates TLS. */
  readonly tls?: CertificatePaths;
  /** Names besides the bound address by which clients address it: `host` or `host:port`. */
  readonly extraHosts?: readonly string[];
  readonly trustLocalProxy?: boolean;
  /** Folder of the built app, served only if given. */
  readonly serveApp?: string;
}

export interface FrontCore {
  readonly listener: CoreLinkOptions["listener"];
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
  readonly supernodeKey: Uint8Array;
  readonly operator: string;
  /** The sub-protocol that a private network's clients offer; undefined: an open one. */
  readonly gateProtocol: string | undefined;
}

export interface PublicFront {
  readonly port: number;
  /** Process ids of the workers. */
  pids(): readonly (number | undefined)[];
  workers(): readonly (WorkerCounts | undefined)[];
  /** As the page and `earshot status` show it: undefined without TLS. */
  certificate(): { readonly notAfter: number; readonly problem: string | undefined } | undefined;
  /** Reads the certificate now. */
  reload(): void;
  stop(): Promise<void>;
}

/**
 * Starts the workers. Rejects with EarshotError `certificate-unusable`, `file-not-private`, `app-not-built`, `bad-workers`, `port-in-use`,
 * `port-not-allowed`, `host-unavailable` or `worker-failed`.
 */
export async function startPublicFront(options: FrontOptions, core: FrontCore): Promise<PublicFront> {
  if (!(Number.isInteger(options.workers) && options.workers >= 1 && options.workers <= MAX_WORKERS))
    throw new EarshotError("bad-workers", `a dedicated supernode runs 1 to ${MAX_WORKERS} workers`);
  const hosted = options.serveApp === undefined ? undefined : await createHosted(options.serveApp, core);
  const { clock, listener, log } = core;
  const tls = options.tls && new TlsSource(options.tls, core, (orders) => pool.setTls(orders));
  const tally = new FrontTally(core.metrics);
  const pool = new WorkerPool({
    workers: options.workers,
    orders: { ...ordersOf(options, core), tls: tls?.orders, hosted },
    listener,
    clock,
    log,
    unit: () => unitFromBytes(randomBytes(4)),
    counted: (counts) => tally.add(counts),
  });
  const stop = async (): Promise<void> => {
    tls?.stop();
    await pool.stop();
  };
  const port = await pool.start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  registerFrontMetrics(core.metrics.registry, {
    workers: () => pool.workers,
    restarts: () => pool.restarts,
    certificateNotAfter: () => tls?.certificate.notAfter,
    certificateRejected: () => tls?.certificate.problem !== undefined,
    tls: () => tally.tls,
  });
  return {
    port,
    pids: () => pool.pids,
    workers: () => pool.workers,
    certificate: () => tls?.certificate,
    reload: () => tls?.reload(),
    stop,
  };
}

/** The certificate that is served, and the keys of session tickets, as orders to the workers. */
class TlsSource {
  readonly #watch: CertificateWatch;
  readonly #tell: (orders: TlsOrders) => void;
  readonly #clock: Clock;
  #ticketKeys = newTicketKeys();
  #cancelTickets: () => void;

  /** Throws as `readCertificate` does. `tell` is called with each change. */
  constructor(paths: CertificatePaths, { clock, log }: FrontCore, tell: (orders: TlsOrders) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#watch = new CertificateWatch(paths, clock, {
      changed: () => {
        log.info("certificate-changed");
        tell(this.orders);
      },
      rejected: () => log.error("certificate-rejected"),
    });
    this.#cancelTickets = this.#renewTickets();
  }

  get orders(): TlsOrders {
    const { cert, key } = this.#watch.current;
    return { cert, key, ticketKeys: this.#ticketKeys };
  }
  get certificate(): { readonly notAfter: number; readonly problem: string | undefined } {
    return { notAfter: this.#watch.current.notAfter, problem: this.#watch.problem };
  }

  reload(): void {
    this.#watch.reload();
  }

  stop(): void {
    this.#cancelTickets();
    this.#watch.stop();
  }

  #renewTickets(): () => void {
    return this.#clock.setTimer(TICKET_KEYS_EVERY_MS, () => {
      this.#ticketKeys = newTicketKeys();
      this.#tell(this.orders);
      this.#cancelTickets = this.#renewTickets();
    });
  }
}

/** What the workers counted. Whom they let in was decided, and counted, in the core. */
class FrontTally {
  readonly tls = { done: 0, resumed: 0, failed: 0, shed: 0 };
  readonly #metrics: NodeMetrics;

  constructor(metrics: NodeMetrics) {
    this.#metrics = metrics;
  }

  add({ shed, refused, tlsDone, tlsResumed, tlsFailed, tlsShed }: WorkerCounts): void {
    if (shed > 0) this.#metrics.handshake("shed", shed);
    if (shed > 0) this.#metrics.refused("server-busy", shed);
    if (refused > 0) this.#metrics.handshake("refused", refused);
    this.tls.done += tlsDone;
    this.tls.resumed += tlsResumed;
    this.tls.failed += tlsFailed;
    this.tls.shed += tlsShed;
  }
}

function ordersOf(options: FrontOptions, core: FrontCore): Omit<FrontOrders, "tls" | "hosted"> {
  return {
    host: options.host,
    port: options.port,
    extraHosts: options.extraHosts ?? [],
    trustLocalProxy: options.trustLocalProxy ?? false,
    gateProtocol: core.gateProtocol,
    limits: frontLimits(core.limits, options.workers),
  };
}

/** What each worker decides by itself, before the core is asked. */
function frontLimits(limits: NodeLimits, workers: number): FrontLimits {
  const { perSecond, burst } = limits.handshakes;
  return {
    maxConnections: Math.min(MAX_CONNECTIONS_PER_WORKER, limits.maxConnections),
    maxSpareSockets: limits.maxSpareSockets,
    maxSparePerPrefix: limits.maxSparePerPrefix,
    maxPrefixes: limits.maxPrefixes,
    maxBufferedBytes: limits.maxBufferedBytes,
    limitPrivatePrefixes: limits.limitPrivatePrefixes,
    handshakes: { perSecond: perSecond / workers, burst: Math.max(1, burst / workers) },
    // In full: which worker a prefix's connections come to is chance. The core holds them to it over all workers.
    handshakesPerPrefix: limits.handshakesPerPrefix,
  };
}

function newTicketKeys(): string {
  return randomBytes(TICKET_KEY_BYTES).toString("hex");
}
