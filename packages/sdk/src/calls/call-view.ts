import type { CallEndReason as CoreEndReason, CallState, Leg } from "@earshot/core";
import type { CallEndReason, CallPhase } from "../api.ts";

/** The machine's state as people see it. */
export function phaseOf(state: CallState): CallPhase {
  switch (state.phase) {
    case "expecting":
    case "alerting":
      return "ringing";
    default:
      return state.phase;
  }
}

/** Why a call ended, without the two reasons that are shown in other ways: a lost glare and an invite that was too late. */
export function endReasonOf(reason: CoreEndReason): CallEndReason {
  return reason === "glare" || reason === "stale" ? "cancelled" : reason;
}

/** The leg that carries the call, once there is one: the chosen one, or an incoming call's only one. */
export function mainLeg(state: CallState): Leg | undefined {
  if ("chosen" in state) return state.legs.find((leg) => leg.id === state.chosen);
  return state.role === "callee" ? state.legs[0] : state.legs.find((leg) => leg.confirmed);
}
