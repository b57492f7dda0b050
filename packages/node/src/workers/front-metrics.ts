/** What only a dedicated supernode has to show: its workers and its certificate. The label `worker` is a place's number. */
import { Counter, Gauge, type Registry } from "prom-client";
import { gaugesIn } from "../gauges.ts";
import type { WorkerCounts } from "./control.ts";

export interface FrontMetricSources {
  /** One entry for each place. */
  workers(): readonly (WorkerCounts | undefined)[];
  restarts(): number;
  /** Unix ms; undefined without TLS. */
  certificateNotAfter(): number | undefined;
  /** What lies on disk is not what is served, because it cannot be used. */
  certificateRejected(): boolean;
  tls(): { done: number; resumed: number; failed: number; shed: number };
}

/** Adds them to a registry, once. */
export function registerFrontMetrics(registry: Registry, sources: FrontMetricSources): void {
  const registers = [registry];
  const gauge = gaugesIn(registry);
  const perWorker = (name: string, help: string, read: (counts: WorkerCounts) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ["worker"],
      registers,
      collect() {
        this.reset();
        for (const [place, counts] of sources.workers().entries())
          if (counts !== undefined) this.set({ worker: String(place) }, read(counts));
      },
    });
  };
  gauge("earshot_workers", "Worker processes that run", () => sources.workers().filter(Boolean).length);
  perWorker("earshot_worker_connections", "Edge connections held by a worker", ({ connections }) => connections);
  perWorker("earshot_worker_resident_memory_bytes", "Resident memory of a worker", ({ rssBytes }) => rssBytes);
  perWorker("earshot_worker_cpu_seconds", "CPU time that a worker used", ({ cpuSeconds }) => cpuSeconds);
  perWorker("earshot_worker_loop_lag_seconds", "How late a worker's event loop was", (c) => c.loopLagMs / 1000);
  gauge("earshot_tls_certificate_not_after_seconds", "When the certificate expires; 0 without TLS", () =>
    Math.floor((sources.certificateNotAfter() ?? 0) / 1000),
  );
  gauge("earshot_tls_certificate_rejected", "1: the certificate on disk cannot be used, the old one is served", () =>
    Number(sources.certificateRejected()),
  );
  const counter = (name: string, help: string, collect: (this: Counter) => void, labelNames: string[] = []): void => {
    new Counter({ name, help, labelNames, registers, collect });
  };
  counter("earshot_worker_restarts_total", "Workers that were lost and started again", function () {
    this.reset();
    this.inc(sources.restarts());
  });
  counter(
    "earshot_tls_handshakes_total",
    "TLS handshakes, by outcome",
    function () {
      this.reset();
      for (const [outcome, count] of Object.entries(sources.tls())) this.inc({ outcome }, count);
    },
    ["outcome"],
  );
}
