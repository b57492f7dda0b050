/** Prometheus metrics. Labels come from fixed lists only: nothing in them names a person, a mailbox or an address. */
import { type EdgeRequest, type RefusalCode, RefusalCounter } from "@earshot/core";
import { Counter, Gauge, Registry } from "prom-client";
import type { CloseReason } from "./log.ts";

/** Read when the metrics are asked for. */
export interface GaugeSources {
  connections(): number;
  mailboxes(): number;
  records(): { records: number; bundles: number };
  storeBytes(): number;
  loopLagMs(): number;
  admissionShare(): number;
  envelopes(): { forwarded: number; stored: number; acknowledged: number; expired: number };
}

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #refusals = new RefusalCounter();
  readonly #bytes = { in: 0, out: 0 };
  readonly #frames: Counter<"type">;
  readonly #refused: Counter<"code">;
  readonly #closed: Counter<"reason">;
  readonly #handshakes: Counter<"outcome">;
  readonly #stun: Counter<"outcome">;

  constructor() {
    const registers = [this.#registry];
    const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Counter({ name, help, labelNames, registers });
    this.#frames = counter("earshot_edge_frames_total", "Frames from clients, by type", ["type"]);
    this.#refused = counter("earshot_refusals_total", "What strangers sent and was refused, by code", ["code"]);
    this.#closed = counter("earshot_edge_closed_total", "Edge connections closed, by reason", ["reason"]);
    this.#handshakes = counter("earshot_edge_handshakes_total", "Upgrades, by outcome", ["outcome"]);
    this.#stun = counter("earshot_stun_requests_total", "STUN datagrams, by outcome", ["outcome"]);
    const bytes = this.#bytes;
    new Counter({
      name: "earshot_edge_bytes_total",
      help: "Bytes of edge frames, by direction",
      labelNames: ["direction"],
      registers,
      collect() {
        this.reset();
        this.inc({ direction: "in" }, bytes.in);
        this.inc({ direction: "out" }, bytes.out);
      },
    });
  }

  frame(type: EdgeRequest["type"], bytes: number): void {
    this.#frames.inc({ type });
    this.#bytes.in += bytes;
  }
  sent(bytes: number): void {
    this.#bytes.out += bytes;
  }
  refused(code: RefusalCode): void {
    this.#refusals.count(code);
    this.#refused.inc({ code });
  }
  closed(reason: CloseReason): void {
    this.#closed.inc({ reason });
  }
  handshake(outcome: "admitted" | "shed" | "refused"): void {
    this.#handshakes.inc({ outcome });
  }
  stun(outcome: "answered" | "refused" | "limited" | "ignored"): void {
    this.#stun.inc({ outcome });
  }

  /** Bytes of edge frames so far, and refusals by code. */
  snapshot(): { bytesIn: number; bytesOut: number; refusals: [RefusalCode, number][] } {
    return { bytesIn: this.#bytes.in, bytesOut: this.#bytes.out, refusals: this.#refusals.entries() };
  }

  /** Once, when the parts are there. */
  watch(sources: GaugeSources): void {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge("earshot_edge_connections", "Edge connections held", sources.connections);
    gauge("earshot_mailboxes", "Mailboxes kept", sources.mailboxes);
    gauge("earshot_records", "Mutable records kept", () => sources.records().records);
    gauge("earshot_bundles", "Prekey bundles kept", () => sources.records().bundles);
    gauge("earshot_store_bytes", "Bytes kept for others", sources.storeBytes);
    gauge(
      "earshot_event_loop_lag_seconds",
      "How late the event loop was in the last second",
      () => sources.loopLagMs() / 1000,
    );
    gauge("earshot_admission_share", "Part of the handshake rate that is admitted", sources.admissionShare);
    gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
    gauge("process_cpu_seconds_total", "CPU time used", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
    new Counter({
      name: "earshot_envelopes_total",
      help: "Envelopes, by what became of them",
      labelNames: ["outcome"],
      registers,
      collect() {
        this.reset();
        for (const [outcome, count] of Object.entries(sources.envelopes())) this.inc({ outcome }, count);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
