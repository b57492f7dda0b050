/** Gathers what the node tells its own person: the JSON of `GET /api/node`. docs/operating.md, "HTTP". */
import {
  addressPrefix,
  type ConsentLimits,
  hostOfUrl,
  type Neighbour,
  type NodeConsent,
  type NodeReport,
  type NodeRole,
  parseDhtAddress,
  type RelayLending,
  type RelayLimits,
  type SupernodeDescriptor,
  decodeDescriptor,
  toHex,
} from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import type { NodeNetwork } from "../node-network.ts";
import type { NodeStats } from "../node-options.ts";
import type { PortMapper } from "../port-mapping/port-mapper.ts";
import type { RelaySwitch } from "../relay/relay-switch.ts";
import { ConsentStore } from "../roles/consent-store.ts";
import { MachineWatch } from "../roles/machine-watch.ts";
import type { NodeRoles } from "../roles/node-roles.ts";
import type { StoreBudget } from "../store/store-budget.ts";
import { isPublicAddress } from "../supernodes/public-address.ts";
import { whatItSees } from "./sees.ts";

export const MAX_NEIGHBOURS = 512;

export interface ReportParts {
  readonly home: string;
  readonly supernodeKey: Uint8Array;
  readonly operator: string;
  readonly limits: NodeLimits;
  readonly budget: StoreBudget;
  /** Strangers may connect, network or not. */
  readonly isOpen: boolean;
  readonly network: NodeNetwork | undefined;
  /** Missing where the node is alone, or serves its own person only. */
  readonly roles: NodeRoles | undefined;
  readonly portMapping: PortMapper;
  readonly relay: RelaySwitch;
  readonly now: () => number;
  /** This node's own, signed. */
  descriptor(): Uint8Array;
  stats(): NodeStats;
}

/** What the API's routes do. */
export interface NodeReporter {
  report(): NodeReport;
  /** Undefined where the node is dedicated: it serves because it was started so. */
  setConsent(given: boolean, limits: ConsentLimits | undefined): NodeConsent | undefined;
  /** Whether it relays calls; apart from the other. Null where there is nothing to say about it while the node runs. */
  setRelayConsent(given: boolean, limits: RelayLimits | undefined): Promise<RelayLending | null>;
  stepDown(): void;
}

export function createReporter(parts: ReportParts): NodeReporter {
  const { home, roles } = parts;
  const consent = roles?.consent ?? new ConsentStore(home);
  const machine = roles?.machine ?? new MachineWatch(() => 0);
  const isDedicated = () => roleOf(parts).role === "dedicated";
  return {
    report: () => reportOf(parts, consent, machine),
    setConsent(given, limits) {
      if (isDedicated()) return undefined;
      if (roles) return setConsentOf(roles, parts.portMapping, given, limits);
      consent.set(given, limits ?? consent.current.limits, parts.now());
      return consentOf(consent);
    },
    setRelayConsent: (given, limits) =>
      parts.relay.setConsent(given, limits).finally(() => parts.portMapping.consider()),
    stepDown: () => roles?.manager.stepDown(),
  };
}

/** Lending includes asking the gateway for ports. */
function setConsentOf(
  roles: NodeRoles,
  portMapping: PortMapper,
  given: boolean,
  limits: ConsentLimits | undefined,
): NodeConsent {
  try {
    return roles.manager.setConsent(given, limits);
  } finally {
    portMapping.consider();
  }
}

function reportOf(parts: ReportParts, consent: ConsentStore, machine: MachineWatch): NodeReport {
  const { network, roles, budget, limits, stats } = parts;
  const { role, roleState, roleReason } = roleOf(parts);
  const counted = stats();
  if (roles === undefined) machine.use();
  const serving = network?.serving;
  const { maxConnections, maxMailboxes } = limits;
  // What is lent is the limit from the moment on at which it is lent, not only once it is used.
  const lent = consent.current.given ? consent.current.limits.maxStoreBytes : Number.POSITIVE_INFINITY;
  const maxStoreBytes = role === "dedicated" ? budget.maxBytes : Math.min(budget.maxBytes, lent);
  return {
    version: 1,
    network: networkOf(network),
    portMapping: parts.portMapping.report,
    relay: relayOf(parts),
    relayLending: parts.relay.lending,
    supernodeKey: toHex(parts.supernodeKey),
    operator: parts.operator,
    role,
    roleState,
    roleReason,
    criteria: role === "dedicated" ? [] : (roles?.manager.criteria ?? []),
    consent: consentOf(consent),
    capacity: {
      clients: serving?.clients ?? (parts.isOpen ? counted.connections : 0),
      maxClients: serving?.maxClients ?? (parts.isOpen ? maxConnections : 0),
    },
    load: loadOf(counted, network, machine),
    refusals: counted.refusals,
    limits: { maxConnections, maxMailboxes, maxStoreBytes },
    neighbours: neighboursOf(parts),
    sees: whatItSees({
      shares: roleState === "serving" || roleState === "draining",
      measuring: roleState === "measuring",
      relays: parts.relay.own !== undefined,
    }),
  };
}

function roleOf({
  roles,
  network,
  isOpen,
}: ReportParts): Pick<NodeReport, "roleState" | "roleReason"> & { role: NodeRole } {
  if (roles) {
    const { role, state, reason } = roles.manager;
    return { role, roleState: state.role, roleReason: reason };
  }
  if (isOpen) return { role: "dedicated", roleState: "serving", roleReason: "It serves whoever knows its address." };
  const roleReason = network
    ? "It was started to serve only you."
    : "It was started without a network, so it serves only you.";
  return { role: "client", roleState: "off", roleReason };
}

function relayOf({ relay }: ReportParts): NodeReport["relay"] {
  if (relay.current === undefined) return null;
  const { urls, own, bytes, refused } = relay.current;
  return { urls, own: own !== undefined, allocations: own?.allocations ?? 0, bytes, refused };
}

function networkOf(network: NodeNetwork | undefined): NodeReport["network"] {
  if (!network) return { name: "", private: false, state: "alone", dhtAddress: "", dhtNodes: 0, publicAddress: false };
  const { config, backbone } = network;
  const dhtAddress = backbone.address();
  const parsed = parseDhtAddress(dhtAddress);
  return {
    name: config.name,
    private: config.private,
    state: backbone.state,
    dhtAddress,
    dhtNodes: backbone.stats.nodes,
    publicAddress: parsed.ok && isPublicAddress(parsed.value.host),
  };
}

function loadOf(counted: NodeStats, network: NodeNetwork | undefined, machine: MachineWatch): NodeReport["load"] {
  const { refusals: _, ...load } = counted;
  return {
    ...load,
    dhtRecords: network?.backbone.stats.records ?? 0,
    peers: network?.overlay.pool.count ?? 0,
    tunnels: network?.tunnels?.count ?? 0,
    cpuShare: machine.cpuShare,
    rssBytes: process.memoryUsage.rss(),
  };
}

/** The node itself first. */
function neighboursOf({ network, descriptor, now }: ReportParts): Neighbour[] {
  if (!network) return [];
  const own = decodeDescriptor(descriptor());
  const self = own.ok
    ? [{ ...placeOf(own.value.descriptor, undefined), roundTripMs: null, lastSeenAt: now(), self: true, peer: false }]
    : [];
  const entries = network.overlay.table.entries().slice(-(MAX_NEIGHBOURS - self.length));
  const others = entries.toReversed().map((entry) => ({
    ...placeOf(entry.descriptor, entry.observedHost),
    roundTripMs: entry.roundTripMs,
    lastSeenAt: entry.verifiedAt,
    self: false,
    peer: network.overlay.pool.has(entry.descriptor.supernodeKey),
  }));
  return [...self, ...others];
}

function placeOf(
  { supernodeKey, operator, dedicated, url, dht, clients, maxClients }: SupernodeDescriptor,
  observedHost: string | undefined,
): Pick<Neighbour, "key" | "operator" | "kind" | "url" | "dht" | "prefix" | "clients" | "maxClients"> {
  const parsed = parseDhtAddress(dht);
  const host = observedHost ?? (parsed.ok ? parsed.value.host : (hostOfUrl(url) ?? ""));
  return {
    key: toHex(supernodeKey),
    operator,
    kind: dedicated ? "dedicated" : "promoted",
    url,
    dht,
    prefix: addressPrefix(host),
    clients,
    maxClients,
  };
}

function consentOf(consent: ConsentStore): NodeConsent {
  const { given, askedBefore, limits } = consent.current;
  return { given, askedBefore, limits };
}
