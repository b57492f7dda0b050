/** The node's role and what it tells of itself, from what the daemon was started with. */
import type { NodeNetwork } from "../node-network.ts";
import type { NodeOptions, NodeStats } from "../node-options.ts";
import { type NodeRoles, type RoleParts, startRoles } from "../roles/node-roles.ts";
import type { NodeLimits } from "../limits.ts";
import type { NodeState } from "../node-state.ts";
import { createReporter, type NodeReporter } from "./node-report.ts";

interface Parts extends Pick<RoleParts, "clock" | "log" | "metrics"> {
  readonly limits: NodeLimits;
  readonly state: NodeState;
}

interface Around {
  readonly network: NodeNetwork | undefined;
  readonly isOpen: boolean;
  loopLagMs(): number;
  descriptor(): Uint8Array;
  stats(): NodeStats;
}

/** Only a volunteer or a dedicated node, and only in a network, has roles. Throws as `startRoles`. */
export function openRoles(
  options: NodeOptions,
  parts: Parts,
  around: Around,
): { roles: NodeRoles | undefined; reporter: NodeReporter } {
  const { home, operator = "" } = options;
  const { clock, limits, state } = parts;
  const { supernodeKey } = state.secrets;
  const roles = rolesOf(options, parts, around);
  const shared = { home, operator, limits, budget: state.budget, supernodeKey, roles };
  return { roles, reporter: createReporter({ ...around, ...shared, now: () => clock.now() }) };
}

function rolesOf(
  { home, role, promotion }: NodeOptions,
  { clock, log, metrics, limits, state }: Parts,
  { network, loopLagMs }: Around,
): NodeRoles | undefined {
  if (!network || (role !== "volunteer" && role !== "dedicated")) return undefined;
  return startRoles({
    home,
    clock,
    log,
    metrics,
    budget: state.budget,
    supernodeKey: state.secrets.supernodeKey,
    network,
    pinnedClients: role === "dedicated" ? limits.maxConnections : undefined,
    params: promotion,
    loopLagMs,
  });
}
