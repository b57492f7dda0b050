/** The relay role with the real parts: as the node was started, or as a volunteer's owner allows. */
import { networkInterfaces } from "node:os";
import { type Clock, EarshotError, parseDhtAddress, type RelayLimits } from "@earshot/core";
import { isLoopbackHost } from "../http/access.ts";
import type { NodeLog } from "../log.ts";
import type { NodeMetrics } from "../metrics.ts";
import type { NodeNetwork } from "../node-network.ts";
import type { NodeOptions } from "../node-options.ts";
import { mayMapPorts } from "../port-mapping/open-port-mapping.ts";
import { isPublicAddress } from "../supernodes/public-address.ts";
import { OPERATORS_WORD, RelayConsentStore } from "./relay-consent.ts";
import { newRelaySecret, type OwnRelayOptions, startRelayRole, TURN_PORT } from "./relay-role.ts";
import type { RelayAddress } from "./relay-sockets.ts";
import { type RelayPlace, RelaySwitch, relayError } from "./relay-switch.ts";
import { MAX_ROUTER_PORTS, RouterPorts } from "./router-ports.ts";
import { DEFAULT_TURN_LIMITS, type TurnLimits } from "./turn-limits.ts";

interface Parts {
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
}

/**
 * The ports of a relay that the node was started with are what its operator wants it for: where they cannot be had it rejects, as
 * `relay-unavailable`. Throws EarshotError `file-not-private` or `home-unusable` as {@link RelayConsentStore}.
 */
export async function openRelay(
  options: NodeOptions,
  parts: Parts,
  network: NodeNetwork | undefined,
): Promise<RelaySwitch> {
  const { relay, home, role } = options;
  if (relay !== undefined && !("auto" in relay)) {
    const started = await startRelayRole(relay, parts).catch((error: unknown) => {
      throw relayError(error);
    });
    return new RelaySwitch(started);
  }
  if (network === undefined && relay !== undefined)
    throw new EarshotError(
      "relay-unavailable",
      "without a network nobody tells a node its address: give it to --relay",
    );
  if (network === undefined || (relay === undefined && role !== "volunteer")) return new RelaySwitch(undefined);
  const port = relay?.port ?? options.lentRelayPort ?? TURN_PORT;
  const secret = newRelaySecret();
  const consent = relay === undefined ? new RelayConsentStore(home) : OPERATORS_WORD;
  const seenAt = (): string => seenAtOf(network) ?? "";
  const router = mayMapPorts(options) ? new RouterPorts({ port, now: () => parts.clock.now(), seenAt }) : undefined;
  const opened = new RelaySwitch(undefined, {
    ...parts,
    consent,
    ...(router ? { router } : {}),
    place: () => placeOf(network, router, consent.current.limits, opened.current !== undefined),
    start: (address, limits) => startRelayRole(lentRelay(address, limits, port), { ...parts, secret }),
  });
  void opened.look();
  return opened;
}

/** This machine's own address, as the network tells it, or that of a router that lets others in. Rejects as {@link RouterPorts.hold}. */
async function placeOf(
  network: NodeNetwork,
  router: RouterPorts | undefined,
  { maxAllocations }: RelayLimits,
  isRunning: boolean,
): Promise<RelayPlace> {
  const { dhtHost, prefixLimits } = network.config;
  // A network of one machine, or a lab.
  if (dhtHost !== undefined && (!prefixLimits || isLoopbackHost(dhtHost))) return { host: dhtHost, announced: dhtHost };
  const host = seenAtOf(network);
  const isHere = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === host));
  const isPublic = host !== undefined && isPublicAddress(host);
  if (isPublic && isHere) {
    router?.pause();
    return { host, announced: host };
  }
  await router?.hold(maxAllocations, isRunning);
  return router?.place() ?? (isPublic || router?.isRefused ? "behind-router" : "no-address");
}

function seenAtOf({ backbone }: NodeNetwork): string | undefined {
  const parsed = parseDhtAddress(backbone.address());
  return parsed.ok ? parsed.value.host : undefined;
}

function lentRelay(address: RelayAddress, lent: RelayLimits, port: number): OwnRelayOptions {
  const maxAllocations = address.held ? Math.min(lent.maxAllocations, MAX_ROUTER_PORTS) : lent.maxAllocations;
  return { addresses: [address], port, limits: turnLimits({ ...lent, maxAllocations }) };
}

function turnLimits({ maxAllocations, maxBytesPerSecond }: RelayLimits): Partial<TurnLimits> {
  const { bytesPerAllocation } = DEFAULT_TURN_LIMITS;
  const perSecond = Math.min(bytesPerAllocation.perSecond, maxBytesPerSecond);
  return {
    maxAllocations,
    bytesTotal: { perSecond: maxBytesPerSecond, burst: 2 * maxBytesPerSecond },
    bytesPerAllocation: { perSecond, burst: 2 * perSecond },
  };
}
