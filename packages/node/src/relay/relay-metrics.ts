/** What the relay counts, as Prometheus has it. */
import { Counter, type Registry } from "prom-client";
import { gaugesIn } from "../gauges.ts";
import type { PacketOutcome } from "./allocation.ts";
import type { Relay } from "./start-relay.ts";
import type { RequestOutcome } from "./turn-server.ts";

type RelayedOutcome = PacketOutcome | "no-allocation" | "denied";

/** Plain numbers while counting, because this happens for every packet. */
export class RelayCounts {
  readonly requests = new Map<RequestOutcome, number>();
  readonly packets = new Map<RelayedOutcome, number>();
  bytes = 0;

  /** Requests, but for those that only lacked a nonce or had an old one: every client's first. */
  get refused(): number {
    const counted = [...this.requests].filter(([outcome]) => outcome !== "ok" && outcome !== 401 && outcome !== 438);
    return counted.reduce((sum, [, count]) => sum + count, 0);
  }

  request(outcome: RequestOutcome): void {
    this.requests.set(outcome, (this.requests.get(outcome) ?? 0) + 1);
  }

  packet(outcome: RelayedOutcome, bytes: number): void {
    this.packets.set(outcome, (this.packets.get(outcome) ?? 0) + 1);
    if (outcome === "to-peer" || outcome === "to-client") this.bytes += bytes;
  }
}

/** The result takes them out again: a relay may be turned off and on. */
export function registerRelayMetrics(registry: Registry, counts: RelayCounts, relay: Relay): () => void {
  const registers = [registry];
  const before = new Set(namesIn(registry));
  const tally = (name: string, help: string, read: () => ReadonlyMap<string | number, number>): void => {
    new Counter({
      name,
      help,
      labelNames: ["outcome"],
      registers,
      collect() {
        this.reset();
        for (const [outcome, count] of read()) this.inc({ outcome: String(outcome) }, count);
      },
    });
  };
  const gauge = gaugesIn(registry);
  tally("earshot_relay_requests_total", "TURN requests, by outcome or error code", () => counts.requests);
  tally("earshot_relay_packets_total", "Packets of calls that came to the relay, by outcome", () => counts.packets);
  new Counter({
    name: "earshot_relay_bytes_total",
    help: "Bytes relayed, both directions",
    registers,
    collect() {
      this.reset();
      this.inc(counts.bytes);
    },
  });
  gauge("earshot_relay_allocations", "TURN allocations held", () => relay.allocations);
  gauge("earshot_relay_connections", "TURN clients on TCP and TLS", () => relay.connections);
  const added = namesIn(registry).filter((name) => !before.has(name));
  return () => {
    for (const name of added) registry.removeSingleMetric(name);
  };
}

function namesIn(registry: Registry): string[] {
  return registry.getMetricsAsArray().map(({ name }) => name);
}
