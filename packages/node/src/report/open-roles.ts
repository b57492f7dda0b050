/** The node's role and what it tells of itself, from what the daemon was started with. */
import type { NodeNetwork } from "../node-network.ts";
import type { NodeOptions, NodeStats } from "../node-options.ts";
import { mayMapPorts, openPortMapping, type OwnPorts, ownPorts } from "../port-mapping/open-port-mapping.ts";
import type { PortMapper } from "../port-mapping/port-mapper.ts";
import { watchPortMapping } from "../port-mapping/port-mapping-metrics.ts";
import { type NodeRoles, type RoleParts, startRoles } from "../roles/node-roles.ts";
import type { RelaySwitch } from "../relay/relay-switch.ts";
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
  readonly relay: RelaySwitch;
  /** That strangers are to reach. */
  readonly ports: Omit<OwnPorts, "dht">;
  loopLagMs(): number;
  descriptor(): Uint8Array;
  stats(): NodeStats;
}

/** Only a volunteer or a dedicated node, and only in a network, has roles. Throws as `startRoles`. */
export function openRoles(
  options: NodeOptions,
  parts: Parts,
  around: Around,
): { roles: NodeRoles | undefined; reporter: NodeReporter; portMapping: PortMapper } {
  const { home, operator = "" } = options;
  const { clock, limits, state } = parts;
  const { supernodeKey } = state.secrets;
  const roles = rolesOf(options, parts, around);
  const portMapping = portMappingOf(options, parts, around, roles);
  const shared = { home, operator, limits, budget: state.budget, supernodeKey, roles, portMapping };
  return { roles, reporter: createReporter({ ...around, ...shared, now: () => clock.now() }), portMapping };
}

/** The ports of a node that its person lends, or that was told to map them. */
function portMappingOf(
  options: NodeOptions,
  { clock, metrics, state }: Parts,
  { network, ports, relay }: Around,
  roles: NodeRoles | undefined,
): PortMapper {
  // Open at the gateway, they may be open to the world: others are asked whether they are.
  const onOpened = () => {
    roles?.measurer.measureSoon();
    void relay.look();
  };
  const mapper = openPortMapping({ clock, secret: state.secrets.supernodeSeed, onOpened }, options.gateway);
  const { mapPorts, role } = options;
  const isLent = () => mapPorts === true || (role === "volunteer" && roles?.manager.consent.given === true);
  watchPortMapping(metrics.registry, mapper);
  if (network !== undefined && mayMapPorts(options))
    mapper.want(() => [
      ...(isLent() ? ownPorts({ ...ports, dht: () => network.backbone.port }) : []),
      ...relay.wantedPorts(),
    ]);
  relay.followRouter({ mapping: () => mapper.report, onWanted: () => mapper.consider() });
  return mapper;
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
