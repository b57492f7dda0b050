/** Confirm before sound, and what follows from it. docs/protocol/call.md section 5. */
import { equalBytes } from "../../bytes.ts";
import type { RefusalCode } from "../../errors.ts";
import type { CallState, LegId } from "../call-states.ts";
import type { CallMessage, MediaWish } from "../call-types.ts";
import { confirmHash } from "../confirm.ts";
import { PING_INTERVAL_MS } from "../limits.ts";
import { compareMarks, receivedMark, sentMark } from "./candidates.ts";
import { cancelLeg, sayAndEnd } from "./ending.ts";
import { sendOn } from "./sending.ts";
import {
  bindingOf,
  currentLeg,
  dataOf,
  emit,
  isOpen,
  outgoingMedia,
  patchData,
  patchLeg,
  refused,
  type Turn,
} from "./turn.ts";

/** First thing on every data channel, and again after every restart. */
export function sendConfirm(turn: Turn, id: LegId): void {
  const leg = currentLeg(turn, id);
  const binding = bindingOf(turn.state, leg);
  if (binding === undefined) return;
  sendOn(turn, id, "channel", {
    type: "confirm",
    hash: confirmHash(turn.state.role, binding),
    sent: sentMark(turn, leg),
    received: receivedMark(turn, leg),
  });
}

/** Any difference ends the call: the other end of this transport is not whom the signed set-up names. */
export function receiveConfirm(turn: Turn, id: LegId, message: Extract<CallMessage, { type: "confirm" }>): void {
  const binding = bindingOf(turn.state, currentLeg(turn, id));
  const peerRole = turn.state.role === "caller" ? "callee" : "caller";
  const holds =
    binding !== undefined &&
    equalBytes(message.hash, confirmHash(peerRole, binding)) &&
    compareMarks(turn, id, message.sent, message.received);
  if (!holds) return endUnconfirmed(turn, id, "confirm-mismatch");
  patchLeg(turn, id, { confirmed: true });
  activateIfReady(turn);
}

/** Whoever is at the other end of this leg is not to be talked to: the whole call ends, on every leg. */
export function endUnconfirmed(turn: Turn, id: LegId, code: RefusalCode): void {
  refused(turn, code);
  for (const leg of turn.state.legs) if (leg.id !== id && isOpen(leg)) cancelLeg(turn, leg.id, "hung-up");
  sayAndEnd(turn, id, { type: "hang-up", reason: "not-confirmed" }, "not-confirmed");
}

/**
 * The one place that opens the media: the person answered (only then is there a chosen leg) and the confirmation held on
 * that very leg, whose path is up.
 */
export function activateIfReady(turn: Turn): void {
  const { state } = turn;
  if (state.phase !== "connecting" || !isConfirmed(state)) return;
  emit(turn, { type: "stop-timer", name: "connect" });
  emit(turn, { type: "stop-timer", name: "restart" });
  emit(turn, { type: "start-timer", name: "ping", delayMs: PING_INTERVAL_MS });
  turn.state = { ...dataOf(state), phase: "active", chosen: state.chosen, pings: 0, pingsUnanswered: 0 };
  patchData(turn, { mediaOpen: true });
  showMedia(turn, state.chosen);
}

function isConfirmed(state: Extract<CallState, { phase: "connecting" }>): boolean {
  const leg = state.legs.find(({ id }) => id === state.chosen);
  if (leg === undefined || leg.progress !== "answered" || !leg.confirmed) return false;
  // It may have held while it rang, and the path be gone since: whoever answers then is not in a call yet.
  return leg.transport === "connected" && leg.channelOpen;
}

/** Asks the other side to send less, or more. */
export function sayWish(turn: Turn, id: LegId, wish: MediaWish): void {
  if (turn.state.mediaOpen && currentLeg(turn, id).channelOpen) sendOn(turn, id, "channel", { type: "wish", ...wish });
}

/** Puts on the senders what the person wants to send, and tells the other side. Nothing before the media are open. */
export function showMedia(turn: Turn, id: LegId): void {
  if (!turn.state.mediaOpen) return;
  const media = outgoingMedia(turn.state, currentLeg(turn, id));
  emit(turn, { type: "open-media", leg: id, media });
  if (currentLeg(turn, id).channelOpen) sendOn(turn, id, "channel", { type: "media", ...media });
}
