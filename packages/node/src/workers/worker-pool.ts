/** Keeps the workers of a dedicated supernode running and evenly loaded. */
import { createServer } from "node:net";
import { backoffDelayMs, type Clock, EarshotError } from "@earshot/core";
import { listen, listenError } from "../http/http-server.ts";
import type { NodeLog } from "../log.ts";
import { whoRests } from "./balance.ts";
import type { FrontOrders, TlsOrders, WorkerCounts } from "./control.ts";
import type { CoreLinkOptions } from "./core-link.ts";
import { WorkerProcess } from "./worker-process.ts";

/** More processes than any machine has use for. */
export const MAX_WORKERS = 64;
const RESTART_BACKOFF = { baseMs: 200, maxMs: 30_000 };
/** A worker that ran this long had started well: the next back-off begins anew. */
const STEADY_AFTER_MS = 60_000;

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly orders: FrontOrders;
  readonly listener: CoreLinkOptions["listener"];
  readonly clock: Clock;
  readonly log: NodeLog;
  /** A number in [0, 1). */
  unit(): number;
  counted(counts: WorkerCounts): void;
}

interface Place {
  worker: WorkerProcess | undefined;
  attempt: number;
  cancelRestart: (() => void) | undefined;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  #orders: FrontOrders;
  readonly #places: Place[];
  #stopped = false;
  #restarts = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#orders = options.orders;
    this.#places = Array.from({ length: options.workers }, () => ({
      worker: undefined,
      attempt: 0,
      cancelRestart: undefined,
    }));
  }

  /** The port. Rejects with EarshotError `port-in-use`, `port-not-allowed`, `host-unavailable` or `worker-failed`. */
  async start(): Promise<number> {
    const { host, port } = this.#orders;
    // All of them ask for the same one, which cannot be "any".
    if (port === 0) this.#orders = { ...this.#orders, port: await freePort(host) };
    const [listening] = await Promise.all(this.#places.map((place) => this.#started(place)));
    return listening ?? this.#orders.port;
  }

  /** One entry for each place: undefined while its worker is being started again. */
  get workers(): readonly (WorkerCounts | undefined)[] {
    return this.#places.map(({ worker }) => worker?.counts);
  }
  get pids(): readonly (number | undefined)[] {
    return this.#places.map(({ worker }) => worker?.pid);
  }
  /** How often a worker was lost. */
  get restarts(): number {
    return this.#restarts;
  }

  /** For connections from now on, in workers from now on. */
  setTls(tls: TlsOrders): void {
    this.#orders = { ...this.#orders, tls };
    for (const { worker } of this.#places) worker?.setTls(tls);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancelRestart } of this.#places) cancelRestart?.();
    await Promise.all(this.#places.flatMap(({ worker }) => worker?.stop() ?? []));
  }

  async #started(place: Place): Promise<number> {
    const result = await this.#startOne(place).listening;
    if ("port" in result) return result.port;
    await this.stop();
    const { host, port } = this.#orders;
    if (result.code === "worker-exited")
      throw new EarshotError("worker-failed", "a worker process ended while it started: see what it wrote to stderr");
    throw listenError(Object.assign(new Error(result.code), { code: result.code }), host, port);
  }

  #startOne(place: Place): WorkerProcess {
    const { clock, listener, log, counted } = this.#options;
    const startedAt = clock.now();
    const worker = new WorkerProcess(
      this.#orders,
      { listener },
      {
        counts: (counts) => {
          counted(counts);
          this.#balance();
        },
        exited: () => {
          if (clock.now() - startedAt > STEADY_AFTER_MS) place.attempt = 0;
          place.worker = undefined;
          // Whoever rested for its sake goes on at once.
          this.#balance();
          if (!this.#stopped) this.#startAgain(place);
        },
      },
    );
    place.worker = worker;
    worker.listening.then(
      (result) => "port" in result && log.info("worker-started", { port: result.port }),
      () => {},
    );
    return worker;
  }

  #startAgain(place: Place): void {
    this.#restarts++;
    const delayMs = backoffDelayMs(place.attempt++, this.#options.unit(), 0, RESTART_BACKOFF);
    this.#options.log.warn("worker-lost", { count: this.#restarts, seconds: delayMs / 1000 });
    place.cancelRestart = this.#options.clock.setTimer(delayMs, () => {
      this.#startOne(place);
    });
  }

  #balance(): void {
    const workers = this.#places.flatMap(({ worker }) => (worker?.ready ? worker : []));
    const loads = workers.map((worker) => ({ connections: worker.counts.connections, resting: worker.resting }));
    const rests = whoRests(loads, this.#orders.limits.maxConnections);
    for (const [i, worker] of workers.entries()) if (worker.resting !== rests[i]) worker.rest(rests[i] as boolean);
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  const port = await listen(server, host, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
