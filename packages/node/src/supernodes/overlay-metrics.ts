/** Counts of what happens between nodes. Labels come from fixed lists only. */
import { Counter, type Registry } from "prom-client";
import { gaugesIn } from "../gauges.ts";
import type { TunnelOutcome } from "../tunnel/tunnels.ts";
import type { ForwardOutcome } from "./forwarder.ts";

export interface OverlayGauges {
  peers(): number;
  tunnels(): number;
  supernodes(): number;
  dht(): { readonly nodes: number; readonly records: number; readonly streams: number };
}

export class OverlayMetrics {
  readonly #registry: Registry;
  readonly #forwarded: Counter<"outcome">;
  readonly #tunnels: Counter<"outcome">;
  readonly #gates: Counter;

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    this.#forwarded = new Counter({
      name: "earshot_forwarded_total",
      help: "Requests handed on to other supernodes, by what became of them",
      labelNames: ["outcome"],
      registers,
    });
    this.#tunnels = new Counter({
      name: "earshot_tunnel_requests_total",
      help: "Tunnels that this node's person asked for, by what became of them",
      labelNames: ["outcome"],
      registers,
    });
    this.#gates = new Counter({
      name: "earshot_gate_refusals_total",
      help: "Edge connections without the private network's gate",
      registers,
    });
  }

  readonly forwarded = (outcome: ForwardOutcome): void => this.#forwarded.inc({ outcome });
  readonly tunnel = (outcome: TunnelOutcome): void => this.#tunnels.inc({ outcome });
  readonly gateRefused = (): void => this.#gates.inc();

  /** Once, when the parts are there. */
  watch(sources: OverlayGauges): void {
    const gauge = gaugesIn(this.#registry);
    gauge("earshot_peers", "Streams to other supernodes", sources.peers);
    gauge("earshot_tunnels", "Tunnels open", sources.tunnels);
    gauge("earshot_supernodes", "Supernodes known to be such", sources.supernodes);
    gauge("earshot_dht_nodes", "Nodes in the DHT's table", () => sources.dht().nodes);
    gauge("earshot_dht_records", "Records kept for the DHT", () => sources.dht().records);
    gauge("earshot_dht_streams", "HyperDHT streams to this supernode", () => sources.dht().streams);
  }
}
