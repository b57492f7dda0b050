/** One worker's process, as the core holds it: orders to it, reports from it, its clients' traffic on a pipe of its own. */
import cluster, { type Worker } from "node:cluster";
import { createRequire } from "node:module";
import type { Duplex } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CoreLink, type CoreLinkOptions } from "./core-link.ts";
import { type FrontOrders, isReport, type Order, type Report, type TlsOrders, type WorkerCounts } from "./control.ts";

/** From src, through tsx, as from dist. */
const FROM_SOURCE = import.meta.url.endsWith(".ts");
const SCRIPT = fileURLToPath(new URL(FROM_SOURCE ? "worker-main.ts" : "worker-main.js", import.meta.url));
const CORE_STDIO = 4;
/** To say goodbye, and for the kernel to send it. */
const STOP_TIMEOUT_MS = 3_000;

const NO_COUNTS: WorkerCounts = {
  connections: 0,
  rssBytes: 0,
  cpuSeconds: 0,
  loopLagMs: 0,
  shed: 0,
  refused: 0,
  tlsDone: 0,
  tlsResumed: 0,
  tlsFailed: 0,
  tlsShed: 0,
};

export interface WorkerEvents {
  counts(counts: WorkerCounts): void;
  /** Once: the process is gone, and with it all its connections. */
  exited(): void;
}

export class WorkerProcess {
  readonly #worker: Worker;
  readonly #link: CoreLink;
  #counts: WorkerCounts = NO_COUNTS;
  #onListening: ((report: Extract<Report, { report: "listening" | "failed" }>) => void) | undefined;
  readonly #exited: Promise<void>;
  resting = false;
  /** Takes clients, or did until it was told to rest. */
  ready = false;

  /** Starts the process; it takes clients once `listening` has resolved. */
  constructor(orders: FrontOrders, core: Omit<CoreLinkOptions, "onLost" | "maxConnections">, events: WorkerEvents) {
    this.#worker = forkWorker();
    const { process: child } = this.#worker;
    this.#link = new CoreLink(child.stdio[CORE_STDIO] as unknown as Duplex, {
      ...core,
      maxConnections: orders.limits.maxConnections + orders.limits.maxSpareSockets,
      // Whatever it is that broke: without its link it is of no use.
      onLost: () => void child.kill("SIGKILL"),
    });
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => {
        this.#link.destroy();
        this.#onListening?.({ report: "failed", code: "worker-exited" });
        events.exited();
        resolve();
      });
    });
    this.#worker.on("error", () => {}); // "exit" tells
    this.#worker.on("message", (message) => {
      if (isReport(message) && message.report === "ready") this.#send({ order: "start", front: orders });
      else this.#handle(message, events);
    });
  }

  /** The port, or the system's error code. */
  readonly listening = new Promise<{ port: number } | { code: string }>((resolve) => {
    this.#onListening = (report) =>
      resolve(report.report === "listening" ? { port: report.port } : { code: report.code });
  });

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }
  /** As last reported, but for the connections, which the core knows itself. */
  get counts(): WorkerCounts {
    return { ...this.#counts, connections: this.#link.count };
  }

  setTls(tls: TlsOrders): void {
    this.#send({ order: "tls", tls });
  }

  rest(resting: boolean): void {
    this.resting = resting;
    this.#send({ order: "rest", resting });
  }

  /** Lets its clients go and ends it. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#worker.process.kill("SIGKILL"), STOP_TIMEOUT_MS);
    if (this.#worker.process.connected) this.#worker.process.disconnect();
    await this.#exited;
    clearTimeout(timer);
  }

  #handle(message: unknown, events: WorkerEvents): void {
    if (!isReport(message) || message.report === "ready") return;
    if (message.report === "listening") this.ready = true;
    if (message.report !== "counts") return this.#onListening?.(message);
    const { report: _, ...counts } = message;
    this.#counts = counts;
    events.counts(counts);
  }

  #send(order: Order): void {
    if (this.#worker.process.connected) this.#worker.send(order, () => {});
  }
}

/** The workers accept by themselves from one listening socket, so that strangers' connections cost the core nothing. */
function forkWorker(): Worker {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: SCRIPT,
    args: [],
    execArgv: FROM_SOURCE ? ["--import", tsx(), "--conditions=earshot-source"] : [],
    stdio: ["ignore", "inherit", "inherit", "ipc", "pipe"],
    serialization: "json",
  });
  return cluster.fork();
}

function tsx(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
}
