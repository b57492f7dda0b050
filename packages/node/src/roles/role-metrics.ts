/** The role in figures. Labels come from fixed lists only. */
import { PROMOTION_CRITERIA } from "@earshot/core";
import { Counter, Gauge, type Registry } from "prom-client";
import type { NetworkMeasurer } from "./network-measurer.ts";
import type { RoleManager } from "./role-manager.ts";

const ROLES = ["off", "measuring", "serving", "draining"] as const;

export interface RoleGauges {
  readonly manager: RoleManager;
  readonly measurer: NetworkMeasurer;
  clients(): number;
  places(): number;
}

/** Read when the metrics are asked for. */
export function watchRole(registry: Registry, { manager, measurer, clients, places }: RoleGauges): void {
  const registers = [registry];
  const labelled = (name: string, help: string, label: string, read: () => readonly (readonly [string, number])[]) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, number] of read()) this.set({ [label]: value }, number);
      },
    });
  const counted = (name: string, help: string, label: string, read: () => readonly (readonly [string, number])[]) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, number] of read()) this.inc({ [label]: value }, number);
      },
    });
  labelled("earshot_role", "1 for the state of the role that is the case", "state", () =>
    ROLES.map((state) => [state, Number(manager.state.role === state)]),
  );
  labelled("earshot_role_criterion", "1 met, 0 not met, -1 not measured", "criterion", () =>
    PROMOTION_CRITERIA.map((name) => {
      const met = manager.criteria.find((one) => one.name === name)?.met ?? null;
      return [name, met === null ? -1 : Number(met)];
    }),
  );
  labelled(
    "earshot_role_measured",
    "What a criterion was measured at: supernodes, seconds, bytes (a second), share of a core or of places, 1 for yes",
    "criterion",
    () => manager.criteria.flatMap(({ name, amount }) => (amount === null ? [] : [[name, amount] as const])),
  );
  labelled("earshot_role_clients", "Strangers' connections, and places for them", "of", () => [
    ["held", clients()],
    ["places", places()],
  ]);
  counted("earshot_dial_backs_total", "Supernodes asked to dial this node back, by outcome", "outcome", () =>
    Object.entries(measurer.counts),
  );
  counted("earshot_promotions_total", "Times this node began to serve", "role", () => [
    ["supernode", manager.counts.promotions],
  ]);
  counted("earshot_demotions_total", "Times it stopped, by cause", "cause", () => [...manager.counts.demotions]);
}
