/** Prometheus metrics. Labels come from fixed lists only: nothing in them names a person, a mailbox or an address. */
import type { EdgeRequest, RefusalCode } from "@earshot/core";
import { Counter, Registry } from "prom-client";
import { gaugesIn } from "./gauges.ts";
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

/** Counts under a label. Plain numbers while counting, because this happens for every frame; Prometheus' when asked. */
class Tally<Label extends string> {
  readonly #counts = new Map<Label, number>();

  constructor(registry: Registry, name: string, help: string, labelName: string) {
    const counts = this.#counts;
    new Counter({
      name,
      help,
      labelNames: [labelName],
      registers: [registry],
      collect() {
        this.reset();
        for (const [label, count] of counts) this.inc({ [labelName]: label }, count);
      },
    });
  }

  add(label: Label, count = 1): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + count);
  }
  of(label: Label): number {
    return this.#counts.get(label) ?? 0;
  }
  entries(): [Label, number][] {
    return [...this.#counts];
  }
}

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #bytes: Tally<"in" | "out">;
  readonly #frames: Tally<EdgeRequest["type"]>;
  readonly #refused: Tally<RefusalCode>;
  readonly #closed: Tally<CloseReason>;
  readonly #handshakes: Tally<"admitted" | "shed" | "refused">;
  readonly #stun: Tally<"answered" | "limited" | "ignored">;

  constructor() {
    const registry = this.#registry;
    this.#bytes = new Tally(registry, "earshot_edge_bytes_total", "Bytes of edge frames, by direction", "direction");
    this.#frames = new Tally(registry, "earshot_edge_frames_total", "Frames from clients, by type", "type");
    this.#refused = new Tally(
      registry,
      "earshot_refusals_total",
      "What strangers sent and was refused, by code",
      "code",
    );
    this.#closed = new Tally(registry, "earshot_edge_closed_total", "Edge connections closed, by reason", "reason");
    this.#handshakes = new Tally(registry, "earshot_edge_handshakes_total", "Upgrades, by outcome", "outcome");
    this.#stun = new Tally(registry, "earshot_stun_requests_total", "STUN datagrams, by outcome", "outcome");
  }

  frame(type: EdgeRequest["type"], bytes: number): void {
    this.#frames.add(type);
    this.#bytes.add("in", bytes);
  }
  sent(bytes: number): void {
    this.#bytes.add("out", bytes);
  }
  refused(code: RefusalCode, count = 1): void {
    this.#refused.add(code, count);
  }
  closed(reason: CloseReason): void {
    this.#closed.add(reason);
  }
  handshake(outcome: "admitted" | "shed" | "refused", count = 1): void {
    this.#handshakes.add(outcome, count);
  }
  /** Newcomers for whom there was no place, so far. */
  get turnedAway(): number {
    return this.#handshakes.of("shed");
  }
  stun(outcome: "answered" | "limited" | "ignored"): void {
    this.#stun.add(outcome);
  }

  /** Bytes of edge frames so far, and refusals by code. */
  snapshot(): { bytesIn: number; bytesOut: number; refusals: [RefusalCode, number][] } {
    return { bytesIn: this.#bytes.of("in"), bytesOut: this.#bytes.of("out"), refusals: this.#refused.entries() };
  }

  /** Once, when the parts are there. */
  watch(sources: GaugeSources): void {
    const registers = [this.#registry];
    const gauge = gaugesIn(this.#registry);
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

  /** For metrics that only some nodes have. */
  get registry(): Registry {
    return this.#registry;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
