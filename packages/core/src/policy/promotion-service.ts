/** Staying a supernode: what ends a service, and how many places it offers. Asks for less than becoming one does. */
import { allowedMsLeft, dialBackOpinions, loadsOf, type PromotionObservation } from "./promotion-observation.ts";
import type { PromotionParams } from "./promotion-params.ts";

/** Why a service ended. `unfit` and `unneeded` are followed by a rest that doubles. */
export type DrainCause = "withdrawn" | "hours" | "asked" | "slept" | "moved" | "unfit" | "pressed" | "unneeded";

/** The most places this node may offer now: what the person allows, what the uplink carries, what the policy caps. */
export function placesCeiling(seen: PromotionObservation, params: PromotionParams): number {
  const allowed = allowedPlaces(seen, params);
  if (seen.pinned) return allowed;
  const uplink = seen.uplinkBytesPerSecond ?? Number.POSITIVE_INFINITY;
  const carried = (uplink * params.uplinkShare) / params.bytesPerSecondPerClient;
  return Math.floor(Math.min(allowed, params.maxVolunteerClients, carried));
}

/** As many as the person's limits have room for. */
function allowedPlaces({ pinned, consent: { limits } }: PromotionObservation, params: PromotionParams): number {
  if (pinned) return limits.maxClients;
  const byRate = limits.maxBytesPerSecond / params.bytesPerSecondPerClient;
  return Math.floor(Math.min(limits.maxClients, byRate, limits.maxStoreBytes / params.storeBytesPerClient));
}

/** The node itself is short of something, well above what would have kept it from becoming one. */
export function isPressed(seen: PromotionObservation, params: PromotionParams): boolean {
  return (
    seen.cpuShare > params.pressedCpuShare ||
    seen.loopLagMs > params.pressedLoopLagMs ||
    seen.freeMemoryBytes < params.pressedFreeMemoryBytes
  );
}

/**
 * Several supernodes tried to reach it and could not, more than twice as many as could, or its uplink is half of what is needed.
 * Silence is no evidence, and no single supernode's word decides.
 */
export function isUnfit(seen: PromotionObservation, params: PromotionParams): boolean {
  const { reached, failed } = dialBackOpinions(seen.dialBacks, seen.now, params.dialBackFreshMs);
  const uplink = seen.uplinkBytesPerSecond;
  const slow = uplink !== null && uplink < params.minUplinkBytesPerSecond / 2;
  return (failed >= Math.max(1, params.minDialBacks) && failed > 2 * reached) || slow;
}

/** The others could take this node's clients and would still be far from full, whichever one of them is left out. */
export function isUnneeded({ others, clients }: PromotionObservation, params: PromotionParams): boolean {
  if (others.length < Math.max(params.enoughSupernodes, params.minSupernodes + 1)) return false;
  return loadsOf(others, clients).most < params.lowLoad;
}

/** What ends a service at once, if anything does. */
export function endsNow(
  seen: PromotionObservation,
  { since, at, address }: { since: number; at: number; address: string },
  params: PromotionParams,
): DrainCause | undefined {
  if (!seen.consent.given || allowedPlaces(seen, params) < 1) return "withdrawn";
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
