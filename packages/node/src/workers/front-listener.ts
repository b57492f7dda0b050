/**
 * A worker's TCP listener: TLS where it has a certificate, then HTTP, each with a place and a time to finish. What comes out is a
 * request or an upgrade on a stream that is served; what does not finish in time is hung up on.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer, type Server as TcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import type { Clock } from "@earshot/core";
import type { WaitingSockets } from "../http/waiting-sockets.ts";
import { TlsLine } from "./tls-line.ts";

/** From the first byte of TCP to a whole request. */
const REQUEST_DUE_MS = 10_000;
/** A page's connection, from one request to the end of the next. */
const PAGE_DUE_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const CHECK_EVERY_MS = 1_000;
const MAX_HEADER_BYTES = 8 * 1024;
/** Connections that the kernel holds while the worker is busy. */
const BACKLOG = 2_048;

/** `resumed`: without a key exchange; `shed`: hung up on before it began. */
export type TlsOutcome = "done" | "resumed" | "failed" | "shed";

export interface FrontListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxSockets: number;
  readonly clock: Clock;
  readonly waiting: WaitingSockets;
  /** Undefined: no TLS. Read for each connection, so that a new certificate holds from the next on. */
  secureContext(): SecureContext | undefined;
  /** The address prefix that it counts under; undefined for addresses that are not limited. */
  partyOf(address: string): string | undefined;
  /** Whether a TLS handshake is spent on who comes from there. */
  mayShake(address: string): boolean;
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  /** Takes the stream over. */
  onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
  onTls(outcome: TlsOutcome): void;
}

interface Waiting {
  readonly raw: Socket;
  dueAt: number;
}

export class FrontListener {
  readonly #options: FrontListenerOptions;
  readonly #tcp: TcpServer;
  readonly #http: Server;
  /** By the stream that HTTP runs over. */
  readonly #waiting = new Map<Duplex, Waiting>();
  readonly #line: TlsLine;
  #cancelCheck: () => void;

  constructor(options: FrontListenerOptions) {
    this.#options = options;
    this.#tcp = createServer({ noDelay: true }, (socket) => this.#handleSocket(socket));
    this.#tcp.maxConnections = options.maxSockets;
    this.#tcp.on("error", () => {}); // of accepting one; that of listening is told by listen()
    this.#http = createHttpServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS });
    this.#http.on("clientError", (_error, stream) => stream.destroy());
    this.#http.on("request", (request, response) => this.#handleRequest(request, response));
    this.#http.on("upgrade", (request, stream, head) => {
      this.upgraded(stream);
      options.onUpgrade(request, stream, head);
    });
    this.#line = new TlsLine({
      clock: options.clock,
      partyOf: (raw) => options.partyOf(raw.remoteAddress ?? ""),
      shake: (raw, done) => this.#shake(raw, done),
      shed: () => options.onTls("shed"),
    });
    this.#cancelCheck = this.#scheduleCheck();
  }

  /** Streams that are no edge connections, or not yet. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** The port. Rejects with the system's error. */
  listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#tcp.once("error", reject);
      this.#tcp.listen({ host, port, backlog: BACKLOG }, () => {
        this.#tcp.removeListener("error", reject);
        const address = this.#tcp.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  /** Accepts nobody, and keeps those who are in. */
  rest(): void {
    if (this.#tcp.listening) this.#tcp.close();
  }

  get listening(): boolean {
    return this.#tcp.listening;
  }

  close(): void {
    this.rest();
    this.#cancelCheck();
    for (const stream of this.#waiting.keys()) stream.destroy();
  }

  /** It waits no more: an edge connection, or one that is being turned away. */
  upgraded(stream: Duplex): void {
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) return;
    this.#waiting.delete(stream);
    this.#options.waiting.upgraded(waiting.raw);
  }

  #handleSocket(raw: Socket): void {
    raw.on("error", () => {});
    this.#options.waiting.add(raw);
    if (raw.destroyed) return;
    this.#keep(raw, { raw, dueAt: this.#options.clock.now() + REQUEST_DUE_MS });
    if (this.#options.secureContext() === undefined) return void this.#http.emit("connection", raw);
    if (this.#options.mayShake(raw.remoteAddress ?? "")) return this.#line.add(raw);
    this.#options.onTls("shed");
    raw.destroy();
  }

  /** Until it is upgraded or closed. */
  #keep(stream: Duplex, waiting: Waiting): void {
    this.#waiting.set(stream, waiting);
    waiting.raw.once("close", () => this.#waiting.delete(stream));
  }

  #shake(raw: Socket, done: (well: boolean) => void): void {
    const waiting = this.#waiting.get(raw);
    const secureContext = this.#options.secureContext();
    if (waiting === undefined || secureContext === undefined) return void raw.destroy();
    const stream = new TLSSocket(raw, { isServer: true, secureContext });
    this.#waiting.delete(raw);
    this.#keep(stream, waiting);
    let secured = false;
    stream.on("error", () => raw.destroy());
    // Also where nobody broke a rule: too slow, or gone.
    raw.once("close", () => {
      done(secured);
      if (!secured) this.#options.onTls("failed");
    });
    stream.once("secure", () => {
      secured = true;
      done(true);
      this.#options.onTls(stream.isSessionReused() ? "resumed" : "done");
      this.#http.emit("connection", stream);
    });
  }

  #handleRequest(request: IncomingMessage, response: ServerResponse): void {
    const waiting = this.#waiting.get(request.socket);
    if (waiting) waiting.dueAt = this.#options.clock.now() + PAGE_DUE_MS;
    this.#options.onRequest(request, response);
  }

  #scheduleCheck(): () => void {
    return this.#options.clock.setTimer(CHECK_EVERY_MS, () => {
      const now = this.#options.clock.now();
      for (const [stream, { dueAt }] of this.#waiting) if (now > dueAt) stream.destroy();
      this.#line.check();
      this.#cancelCheck = this.#scheduleCheck();
    });
  }
}
