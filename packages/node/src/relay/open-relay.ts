/** The relay role with the real parts: as the node was started, or as a volunteer's owner allows. */
import { networkInterfaces } from "node:os";
import { type Clock, parseDhtAddress, type RelayLimits } from "@earshot/core";
import type { NodeLog } from "../log.ts";
import type { NodeMetrics } from "../metrics.ts";
import type { NodeNetwork } from "../node-network.ts";
import type { NodeOptions } from "../node-options.ts";
import { isPublicAddress } from "../supernodes/public-address.ts";
import { RelayConsentStore } from "./relay-consent.ts";
import { newRelaySecret, type OwnRelayOptions, startRelayRole } from "./relay-role.ts";
import type { RelayAddress } from "./relay-sockets.ts";
import { type RelayPlace, RelaySwitch, relayError } from "./relay-switch.ts";
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
  const { relay, home, role, lentRelayPort } = options;
  if (relay !== undefined) {
    const started = await startRelayRole(relay, parts).catch((error: unknown) => {
      throw relayError(error);
    });
    return new RelaySwitch(started);
  }
  if (network === undefined || role !== "volunteer") return new RelaySwitch(undefined);
  const secret = newRelaySecret();
  const opened = new RelaySwitch(undefined, {
    ...parts,
    consent: new RelayConsentStore(home),
    place: async () => placeOf(network),
    start: (address, limits) => startRelayRole(lentRelay(address, limits, lentRelayPort), { ...parts, secret }),
  });
  void opened.look();
  return opened;
}

/** This machine's own address, as the network tells it. */
function placeOf({ backbone, config }: NodeNetwork): RelayPlace {
  const parsed = parseDhtAddress(backbone.address());
  // A network of one machine, or a lab.
  const labHost = config.prefixLimits ? undefined : config.dhtHost;
  if (labHost !== undefined) return { host: labHost, announced: labHost };
  if (!parsed.ok) return "no-address";
  const { host } = parsed.value;
  if (!isPublicAddress(host)) return "no-address";
  const isHere = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === host));
  return isHere ? { host, announced: host } : "behind-router";
}

function lentRelay(address: RelayAddress, lent: RelayLimits, port: number | undefined): OwnRelayOptions {
  return { addresses: [address], ...(port === undefined ? {} : { port }), limits: turnLimits(lent) };
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
