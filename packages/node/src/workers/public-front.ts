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
  const { clock, listener, log, metrics } = core;
  if (!(Number.isInteger(options.workers) && options.workers >= 1 && options.workers <= MAX_WORKERS))
    throw new EarshotError("bad-workers", `a dedicated supernode runs 1 to ${MAX_WORKERS} workers`);
  const hosted = options.serveApp === undefined ? undefined : await createHosted(options.serveApp, core);
  let ticketKeys = newTicketKeys();
  const watch = options.tls && new CertificateWatch(options.tls, clock, { changed, rejected });
  const tlsNow = (): TlsOrders | undefined => watch && { cert: watch.current.cert, key: watch.current.key, ticketKeys };
  const orders: FrontOrders = { ...ordersOf(options, core), tls: tlsNow(), hosted };
  const tls = { done: 0, resumed: 0, failed: 0 };
  const pool = new WorkerPool({
    workers: options.workers,
    orders,
    listener,
    clock,
    log,
    unit: () => unitFromBytes(randomBytes(4)),
    counted,
  });
  const tellTls = (): void => {
    const now = tlsNow();
    if (now) pool.setTls(now);
  };
  function changed(): void {
    log.info("certificate-changed");
    tellTls();
  }
  function rejected(): void {
    log.error("certificate-rejected");
  }
  function counted(counts: WorkerCounts): void {
    // What they admitted was counted where it was decided: here in the core.
    if (counts.shed > 0) metrics.handshake("shed", counts.shed);
    if (counts.shed > 0) metrics.refused("server-busy", counts.shed);
    if (counts.refused > 0) metrics.handshake("refused", counts.refused);
    tls.done += counts.tlsDone;
    tls.resumed += counts.tlsResumed;
    tls.failed += counts.tlsFailed;
  }
  let cancelTickets = (): void => {};
  const stop = async (): Promise<void> => {
    cancelTickets();
    watch?.stop();
    await pool.stop();
  };
  const port = await pool.start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const renewTickets = (): void => {
    cancelTickets = clock.setTimer(TICKET_KEYS_EVERY_MS, () => {
      ticketKeys = newTicketKeys();
      tellTls();
      renewTickets();
    });
  };
  if (watch) renewTickets();
  registerFrontMetrics(metrics.registry, {
    workers: () => pool.workers,
    restarts: () => pool.restarts,
    certificateNotAfter: () => watch?.current.notAfter,
    certificateRejected: () => watch?.problem !== undefined,
    tls: () => tls,
  });
  return {
    port,
    pids: () => pool.pids,
    workers: () => pool.workers,
    certificate: () => watch && { notAfter: watch.current.notAfter, problem: watch.problem },
    reload: () => watch?.reload(),
    stop,
  };
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
