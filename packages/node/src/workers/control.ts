/** What the core and its workers tell each other besides the clients' traffic: orders and counts, as JSON over the process channel. */
import type { Rate } from "@earshot/core";
import type { CertificateFiles } from "../tls/certificate.ts";

/** All that a worker needs to know; nothing of it is a secret but the certificate's key. */
export interface FrontOrders {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOrders | undefined;
  /** Names by which it is rightly addressed besides those of `host`. */
  readonly extraHosts: readonly string[];
  readonly trustLocalProxy: boolean;
  /** The sub-protocol that members of a private network offer, or undefined where all may come. */
  readonly gateProtocol: string | undefined;
  readonly hosted: HostedOrders | undefined;
  readonly limits: FrontLimits;
}

export interface TlsOrders extends CertificateFiles {
  /** 48 bytes in hex, the same in all workers: a client may resume its session at any. */
  readonly ticketKeys: string;
}

/** The app that this listener serves, because its operator said so. */
export interface HostedOrders {
  /** Base64, by path: what the manifest speaks of, whatever becomes of the files on disk. */
  readonly files: Readonly<Record<string, string>>;
  /** Bodies of `/hosted.json` and `/app-manifest.json`. */
  readonly label: string;
  readonly manifest: string;
}

export interface FrontLimits {
  readonly maxConnections: number;
  readonly maxSpareSockets: number;
  readonly maxSparePerPrefix: number;
  readonly maxPrefixes: number;
  readonly maxBufferedBytes: number;
  readonly limitPrivatePrefixes: boolean;
  /** This worker's share. */
  readonly handshakes: Rate;
  readonly handshakesPerPrefix: Rate;
}

/** Core to worker. */
export type Order =
  | { readonly order: "start"; readonly front: FrontOrders }
  | { readonly order: "tls"; readonly tls: TlsOrders }
  /** Takes no further connections for now: it holds more than its share. */
  | { readonly order: "rest"; readonly resting: boolean };

/** Worker to core. */
export type Report =
  /** First of all: it listens to orders. */
  | { readonly report: "ready" }
  | { readonly report: "listening"; readonly port: number }
  | { readonly report: "failed"; readonly code: string }
  | ({ readonly report: "counts" } & WorkerCounts);

/** Since the last report, except the first four. */
export interface WorkerCounts {
  readonly connections: number;
  readonly rssBytes: number;
  readonly cpuSeconds: number;
  readonly loopLagMs: number;
  readonly shed: number;
  readonly refused: number;
  readonly tlsDone: number;
  readonly tlsResumed: number;
  readonly tlsFailed: number;
  /** Hung up on before the handshake: more from one prefix than its rate. */
  readonly tlsShed: number;
}

export function isReport(message: unknown): message is Report {
  return typeof message === "object" && message !== null && "report" in message;
}

export function isOrder(message: unknown): message is Order {
  return typeof message === "object" && message !== null && "order" in message;
}
