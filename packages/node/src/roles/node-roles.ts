/** The node's role with the real parts: what it measures, what it is allowed, and what it does. */
import { randomBytes } from "node:crypto";
import {
  addressGroup,
  type Clock,
  type ConsentLimits,
  DEFAULT_PROMOTION,
  type EdgeSession,
  EarshotError,
  parseDhtAddress,
  type PromotionParams,
  type SupernodeRef,
  toHex,
  unitFromBytes,
} from "@earshot/core";
import { errorCodeOf, type NodeLog } from "../log.ts";
import type { NodeMetrics } from "../metrics.ts";
import type { NodeNetwork } from "../node-network.ts";
import type { StoreBudget } from "../store/store-budget.ts";
import { sessionOver } from "../supernodes/edge-client.ts";
import { refOf } from "../supernodes/supernode-table.ts";
import { ConsentStore } from "./consent-store.ts";
import { MachineWatch } from "./machine-watch.ts";
import { NetworkMeasurer, type OtherSupernode } from "./network-measurer.ts";
import { type RoleActs, RoleManager } from "./role-manager.ts";
import { watchRole } from "./role-metrics.ts";
import { SessionHistory } from "./session-history.ts";

/** A slow uplink takes this long for a round of probes. */
const MEASURE_TIMEOUT_MS = 20_000;
const HOUR_MS = 3_600_000;

export interface RoleParts {
  readonly home: string;
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
  readonly budget: StoreBudget;
  readonly supernodeKey: Uint8Array;
  readonly network: NodeNetwork;
  /** Of a dedicated supernode: its places. */
  readonly pinnedClients: number | undefined;
  readonly params: Partial<PromotionParams> | undefined;
  loopLagMs(): number;
}

export interface NodeRoles {
  readonly consent: ConsentStore;
  readonly manager: RoleManager;
  readonly machine: MachineWatch;
  readonly measurer: NetworkMeasurer;
  stop(): void;
}

/** Throws EarshotError `file-not-private` or `home-unusable`. Steps from now on. */
export function startRoles(parts: RoleParts): NodeRoles {
  const { home, clock, network, metrics, log } = parts;
  const params = { ...DEFAULT_PROMOTION, ...parts.params };
  const consent = new ConsentStore(home);
  const machine = new MachineWatch(parts.loopLagMs);
  const measurer = measurerOf(parts, params);
  const clients = () => network.serving?.clients ?? 0;
  const manager = new RoleManager(
    {
      clock,
      unit,
      hourOf,
      machine: () => machine.use(),
      address: () => measurer.host,
      dialBacks: () => measurer.dialBacks,
      uplinkBytesPerSecond: () => measurer.uplinkBytesPerSecond,
      clients,
      turnedAway: () => metrics.turnedAway,
      others: () => othersOf(network),
      consent,
      history: new SessionHistory(home, clock.now()),
      notKept: (error) => log.warn("store-failed", { errorCode: errorCodeOf(error) }),
      acts: actsOf(parts, measurer),
    },
    { params, pinnedClients: parts.pinnedClients },
  );
  watchRole(metrics.registry, { manager, measurer, clients, places: () => network.serving?.maxClients ?? 0 });
  manager.start();
  const stop = () => {
    measurer.setActive(false);
    manager.stop();
  };
  return { consent, manager, machine, measurer, stop };
}

function measurerOf({ clock, network, supernodeKey }: RoleParts, params: PromotionParams): NetworkMeasurer {
  return new NetworkMeasurer(
    {
      clock,
      unit,
      elapsedMs: () => performance.now(),
      supernodeKey,
      address: () => network.backbone.address(),
      port: () => network.backbone.port,
      others: () => othersOf(network),
      openSession: (ref) => openSession(network, clock, ref),
    },
    params,
  );
}

function actsOf({ clock, log, network, budget }: RoleParts, measurer: NetworkMeasurer): RoleActs {
  const { serving } = network;
  const following = (change: Promise<void> | undefined): void => {
    change?.catch((error: unknown) => log.warn("role-not-changed", { errorCode: errorCodeOf(error) }));
  };
  return {
    setMeasuring(measuring) {
      following(serving?.setTesting(measuring));
      measurer.setActive(measuring);
    },
    serve(maxClients: number, { maxBytesPerSecond, maxStoreBytes }: ConsentLimits) {
      budget.maxBytes = maxStoreBytes;
      if (serving) serving.maxBytesPerSecond = maxBytesPerSecond;
      log.info("role-serving", { count: maxClients });
      following(serving?.set(maxClients));
    },
    drain(untilMs) {
      log.info("role-draining", { seconds: Math.round((untilMs - clock.now()) / 1_000) });
      following(serving?.startDraining(Math.max(0, untilMs - clock.now())));
    },
    retire() {
      budget.maxBytes = Number.POSITIVE_INFINITY;
      log.info("role-ended");
      following(serving?.retire());
    },
  };
}

/** Other supernodes that serve, each with the prefix that it counts under. */
export function othersOf(network: NodeNetwork): OtherSupernode[] {
  return network.overlay.table.entries().flatMap((entry) => {
    const { supernodeKey, clients, maxClients } = entry.descriptor;
    if (maxClients === 0) return [];
    const key = toHex(supernodeKey);
    const prefix = network.config.prefixLimits ? prefixOfEntry(entry) : key;
    return [{ key, ref: refOf(entry), prefix, clients, maxClients }];
  });
}

/** By the address of its HyperDHT node, which is asked to dial back. */
function prefixOfEntry({
  descriptor,
  observedHost,
}: Parameters<typeof refOf>[0] & { observedHost?: string | undefined }) {
  return addressGroup(observedHost ?? hostOf(descriptor.dht)).near;
}

/** Over HyperDHT alone: a WebSocket may go out by another address. */
async function openSession(network: NodeNetwork, clock: Clock, ref: SupernodeRef): Promise<EdgeSession> {
  const { supernodeKey } = ref;
  const stream = await network.overlay.dialer.dial({ ...ref, url: "" });
  const session = sessionOver(stream, { clock, supernodeKey, requestTimeoutMs: MEASURE_TIMEOUT_MS });
  const welcome = await session.hello();
  if (welcome.ok) return session;
  session.close();
  throw new EarshotError(welcome.code, "it does not take us");
}

function hostOf(dht: string): string {
  const parsed = parseDhtAddress(dht);
  return parsed.ok ? parsed.value.host : "";
}

const unit = (): number => unitFromBytes(new Uint8Array(randomBytes(4)));

/** Local time of day. */
function hourOf(now: number): number {
  const date = new Date(now);
  return date.getHours() + date.getMinutes() / 60 + (now % 60_000) / HOUR_MS;
}
