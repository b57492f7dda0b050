/** Staying a supernode: what ends a service, and how many places it offers. Asks for less than becoming one does. */
import { allowedMsLeft, dialBackOpinions, loadOf, type PromotionObservation } from "./promotion-observation.ts";
import type { PromotionParams } from "./promotion-params.ts";

/** Why a service ended. `unfit` and `unneeded` are followed by a rest that doubles. */
export type DrainCause = "withdrawn" | "hours" | "asked" | "slept" | "moved" | "unfit" | "pressed" | "unneeded";

/** The most places this node may offer now: what the person allows, what the uplink carries, what the policy caps. */
export function placesCeiling(seen: PromotionObservation, params: PromotionParams): number {
  const { limits } = seen.consent;
  if (seen.pinned) return limits.maxClients;
  const uplink = seen.uplinkBytesPerSecond ?? Number.POSITIVE_INFINITY;
  const usable = Math.min(limits.maxBytesPerSecond, uplink * params.uplinkShare);
  return Math.floor(
    Math.min(
      limits.maxClients,
      params.maxVolunteerClients,
      usable / params.bytesPerSecondPerClient,
      limits.maxStoreBytes / params.storeBytesPerClient,
    ),
  );
}

/** The node itself is short of something, well above what would have kept it from becoming one. */
export function isPressed(seen: PromotionObservation, params: PromotionParams): boolean {
  return (
    seen.cpuShare > params.pressedCpuShare ||
    seen.loopLagMs > params.pressedLoopLagMs ||
    seen.freeMemoryBytes < params.pressedFreeMemoryBytes
  );
}

/** Several supernodes tried to reach it and none could, or its uplink is half of what is needed. Silence is no evidence. */
export function isUnfit(seen: PromotionObservation, params: PromotionParams): boolean {
  const { reached, failed } = dialBackOpinions(seen.dialBacks, seen.now, params.dialBackFreshMs);
  const uplink = seen.uplinkBytesPerSecond;
  const slow = uplink !== null && uplink < params.minUplinkBytesPerSecond / 2;
  return (reached === 0 && failed >= Math.max(1, params.minDialBacks)) || slow;
}

/** The others could take this node's clients and would still be far from full. */
export function isUnneeded(seen: PromotionObservation, params: PromotionParams): boolean {
  const { network } = seen;
  if (network.count < Math.max(params.enoughSupernodes, params.minSupernodes + 1)) return false;
  return loadOf({ clients: network.clients + seen.clients, maxClients: network.maxClients }) < params.lowLoad;
}

/** What ends a service at once, if anything does. */
export function endsNow(
  seen: PromotionObservation,
  { since, at, address }: { since: number; at: number; address: string },
  params: PromotionParams,
): DrainCause | undefined {
  if (!seen.consent.given || placesCeiling(seen, { ...params, maxVolunteerClients: Number.POSITIVE_INFINITY }) < 1)
    return "withdrawn";
  // The time of draining must fit into the hours as well.
  if (allowedMsLeft(seen.hour, seen.consent.limits) <= params.drainMs) return "hours";
  if (seen.askedAt >= since) return "asked";
  if (seen.now - at > params.sleptMs) return "slept";
  if (seen.address !== "" && seen.address !== address) return "moved";
  return undefined;
}

/** A plain sentence for each cause. */
export const DRAIN_REASONS: { readonly [Cause in DrainCause]: string } = {
  withdrawn: "You no longer lend this node.",
  hours: "The hours that you chose are over.",
  asked: "You asked it to step down.",
  slept: "This machine was asleep.",
  moved: "This node's address changed.",
  unfit: "Other supernodes could not reach this node, or its connection is too slow.",
  pressed: "This machine needed its resources for itself.",
  unneeded: "The network has enough supernodes.",
};
