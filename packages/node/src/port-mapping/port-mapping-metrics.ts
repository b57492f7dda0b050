/** Port mapping in figures. No addresses. */
import { Counter, Gauge, type Registry } from "prom-client";
import { PORT_MAPPING_OUTCOMES, type PortMapper } from "./port-mapper.ts";

const STATES = ["off", "asking", ...PORT_MAPPING_OUTCOMES] as const;

/** Read when the metrics are asked for. */
export function watchPortMapping(registry: Registry, mapper: PortMapper): void {
  const registers = [registry];
  new Gauge({
    name: "earshot_port_mapping",
    help: "1 for what came of asking the gateway for ports",
    labelNames: ["state"],
    registers,
    collect() {
      for (const state of STATES) this.set({ state }, Number(mapper.report.state === state));
    },
  });
  new Gauge({
    name: "earshot_port_mapping_ports",
    help: "Ports wanted from the gateway, and those that it says are open",
    labelNames: ["of"],
    registers,
    collect() {
      const { ports } = mapper.report;
      this.set({ of: "wanted" }, ports.length);
      this.set({ of: "mapped" }, ports.filter(({ mapped }) => mapped).length);
    },
  });
  new Gauge({
    name: "earshot_port_mapping_public",
    help: "1 where the gateway says to have a public address, 0 where it says another, -1 where it says none",
    registers,
    collect() {
      const { externalAddress, externalPublic } = mapper.report;
      this.set(externalAddress === "" ? -1 : Number(externalPublic));
    },
  });
  new Counter({
    name: "earshot_port_mapping_rounds_total",
    help: "Times the gateway was asked, by outcome",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      for (const outcome of PORT_MAPPING_OUTCOMES) this.inc({ outcome }, mapper.counts[outcome]);
    },
  });
  new Counter({
    name: "earshot_port_mapping_gateway_restarts_total",
    help: "Times the gateway had lost its mappings, by its own clock",
    registers,
    collect() {
      this.reset();
      this.inc(mapper.counts.restarts);
    },
  });
}
