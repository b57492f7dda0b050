/** Closing legs, and the one way in which a call ends. */
import type { CallEndReason, CallState, LegId } from "../call-states.ts";
import type { CallMessage, CancelReason } from "../call-types.ts";
import { emptyTrack } from "./candidates.ts";
import { sendBoth } from "./sending.ts";
import { currentLeg, dataOf, emit, isOpen, patchData, patchLeg, type Turn } from "./turn.ts";

/**
 * Ends the call for good: takes the sound away first, then the transports. Whoever ends it for a reason that the other
 * side should hear sends that before.
 */
export function endCall(turn: Turn, reason: CallEndReason): void {
  if (isBrokenAttempt(turn.state)) emit(turn, { type: "broken-attempt" });
  if (turn.state.mediaOpen) {
    const { state } = turn;
    if ("chosen" in state) emit(turn, { type: "close-media", leg: state.chosen });
  }
  for (const leg of turn.state.legs) {
    if (leg.transport !== "none") emit(turn, { type: "close-transport", leg: leg.id });
    patchLeg(turn, leg.id, {
      transport: "none",
      channelOpen: false,
      local: emptyTrack(leg.local.generation),
      remote: emptyTrack(leg.remote.generation),
      envelopes: { ...leg.envelopes, held: [] },
      messages: { ...leg.messages, held: [] },
    });
  }
  patchData(turn, { mediaOpen: false });
  turn.state = { ...dataOf(turn.state), phase: "ended", reason };
  emit(turn, { type: "ended", reason });
}

/** Own nonce is out, and the words never stood on this screen. docs/protocol/call.md section 6. */
function isBrokenAttempt(state: CallState): boolean {
  const stood = state.phase === "active" || state.phase === "reconnecting";
  return state.legs.some((leg) => leg.nonceSent && !(stood && leg.peerNonce !== null));
}

/** Tells everyone who may have been invited, then ends. */
export function cancelAll(turn: Turn, cancel: CancelReason, reason: CallEndReason): void {
  for (const leg of turn.state.legs) if (isOpen(leg)) cancelLeg(turn, leg.id, cancel);
  endCall(turn, reason);
}

export function cancelLeg(turn: Turn, id: LegId, reason: CancelReason): void {
  if (currentLeg(turn, id).credentialsSent >= 0) sendBoth(turn, id, { type: "cancel", reason });
  closeLeg(turn, id, "closed");
}

export function closeLeg(turn: Turn, id: LegId, progress: "busy" | "relay-needed" | "closed"): void {
  const leg = currentLeg(turn, id);
  if (leg.transport !== "none") emit(turn, { type: "close-transport", leg: id });
  patchLeg(turn, id, { progress, transport: "none", channelOpen: false });
}

/** Says goodbye on the leg, then ends. */
export function sayAndEnd(turn: Turn, id: LegId, message: CallMessage, reason: CallEndReason): void {
  sendBoth(turn, id, message);
  endCall(turn, reason);
}
