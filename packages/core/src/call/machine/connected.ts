/** From the answer on: both sides do the same here, but for who may reveal and who offers restarts. */
import type { CallEvent, CallState, LegId, MediaState } from "../call-states.ts";
import type { CallMessage } from "../call-types.ts";
import { CHANNEL_CLOSED_GRACE_MS, PING_INTERVAL_MS, PINGS_UNANSWERED_MAX } from "../limits.ts";
import { nonceMatches } from "../words.ts";
import { activateIfReady, endUnconfirmed, sendConfirm } from "./confirming.ts";
import { endCall, sayAndEnd } from "./ending.ts";
import { receiveRefusal, wasRelayForbidden } from "./relays.ts";
import { confirmAgain, finishReconnecting, requestRestart, retryRestart, startReconnecting } from "./restarting.ts";
import { sendOn } from "./sending.ts";
import { currentLeg, emit, legById, patchData, patchLeg, refused, type Turn, videoAllowed } from "./turn.ts";

type Active = Extract<CallState, { phase: "active" }>;
type Reconnecting = Extract<CallState, { phase: "reconnecting" }>;
type InCall = Active | Reconnecting | Extract<CallState, { phase: "connecting" }>;

/** The negotiated channel opened, in any phase: the confirmation is the first thing on it. */
export function channelOpened(turn: Turn, id: LegId): void {
  const leg = legById(turn.state, id);
  if (leg === undefined || leg.transport === "none" || leg.channelOpen) return;
  // SCTP runs over ICE and DTLS: the channel being open is what their being connected looks like, whichever is told first.
  patchLeg(turn, id, { channelOpen: true, transport: "connected" });
  sendConfirm(turn, id);
}

/** Only noted: before the answer, or on a leg that was not chosen. */
export function noteTransport(turn: Turn, event: Extract<CallEvent, { type: "transport" }>): void {
  const leg = legById(turn.state, event.leg);
  if (leg !== undefined && leg.transport !== "none") patchLeg(turn, event.leg, { transport: event.state });
}

export function noteChannelClosed(turn: Turn, id: LegId): void {
  if (legById(turn.state, id) !== undefined) patchLeg(turn, id, { channelOpen: false });
}

export function connectingTransport(
  turn: Turn,
  state: Extract<CallState, { phase: "connecting" }>,
  event: Extract<CallEvent, { type: "transport" }>,
): void {
  noteTransport(turn, event);
  if (event.leg !== state.chosen) return;
  if (event.state === "failed") return retryRestart(turn, state);
  if (event.state !== "connected") return;
  confirmAgain(turn, event.leg);
  activateIfReady(turn);
}

export function activeTransport(turn: Turn, state: Active, event: Extract<CallEvent, { type: "transport" }>): void {
  noteTransport(turn, event);
  if (event.leg !== state.chosen) return;
  if (event.state === "connected") {
    emit(turn, { type: "stop-timer", name: "restart" });
    return confirmAgain(turn, event.leg);
  }
  startReconnecting(turn, state);
  if (event.state === "failed") requestRestart(turn, event.leg);
}

export function reconnectingTransport(
  turn: Turn,
  state: Reconnecting,
  event: Extract<CallEvent, { type: "transport" }>,
): void {
  noteTransport(turn, event);
  if (event.leg !== state.chosen) return;
  if (event.state === "failed") return retryRestart(turn, state);
  // A closed channel does not come back: what is up again is not this call.
  if (event.state !== "connected" || !currentLeg(turn, event.leg).channelOpen) return;
  finishReconnecting(turn, state);
  confirmAgain(turn, event.leg);
}

/** The other side closed its end. Its hang-up may still be on the way by envelope. */
export function channelLost(turn: Turn, state: Active | Reconnecting, id: LegId): void {
  noteChannelClosed(turn, id);
  if (id !== state.chosen) return;
  if (state.phase === "active") startReconnecting(turn, state);
  emit(turn, { type: "start-timer", name: "vanish", delayMs: CHANNEL_CLOSED_GRACE_MS });
}

export function peerVanished(turn: Turn, state: Reconnecting): void {
  sayAndEnd(turn, state.chosen, { type: "hang-up", reason: "connection-failed" }, "peer-vanished");
}

export function connectTimedOut(turn: Turn, state: InCall): void {
  const reason = wasRelayForbidden(turn, currentLeg(turn, state.chosen)) ? "relay-needed" : "connection-failed";
  sayAndEnd(turn, state.chosen, { type: "hang-up", reason }, reason);
}

/** Still there? Two pings without an answer and the path counts as gone, whatever ICE says. */
export function pingDue(turn: Turn, state: Active | Reconnecting): void {
  if (state.phase === "active" && state.pingsUnanswered >= PINGS_UNANSWERED_MAX) startReconnecting(turn, state);
  emit(turn, { type: "start-timer", name: "ping", delayMs: PING_INTERVAL_MS });
  if (!currentLeg(turn, state.chosen).channelOpen) return;
  const n = state.pings + 1;
  turn.state =
    turn.state.phase === "active"
      ? { ...turn.state, pings: n, pingsUnanswered: turn.state.pingsUnanswered + 1 }
      : { ...(turn.state as Reconnecting), pings: n };
  sendOn(turn, state.chosen, "channel", { type: "ping", n });
}

export function receivePong(turn: Turn, state: Active | Reconnecting, n: number): void {
  if (n > state.pings) return refused(turn, "bad-state");
  if (state.phase === "active") {
    turn.state = { ...state, pingsUnanswered: 0 };
    if (n === state.pings) stopDoubting(turn);
  } else if (n === state.pings) heardAgain(turn, state);
}

/** The path is there, whatever made it doubtful. */
export function stopDoubting(turn: Turn): void {
  emit(turn, { type: "stop-timer", name: "restart" });
  emit(turn, { type: "stop-timer", name: "quiet" });
}

/**
 * Something has come over a path that counted as away. Where ICE has missed it, ICE will tell; one that was restarted before that is
 * told of by nothing else. A pong may be late by seconds: what the channel sends again it sends more and more seldom.
 */
export function heardAgain(turn: Turn, state: Reconnecting): void {
  const { transport, channelOpen } = currentLeg(turn, state.chosen);
  if (transport !== "connected" || !channelOpen) return;
  finishReconnecting(turn, state);
  confirmAgain(turn, state.chosen);
}

export function receiveReveal(turn: Turn, id: LegId, message: Extract<CallMessage, { type: "reveal" }>): void {
  const leg = currentLeg(turn, id);
  if (leg.peerNonce !== null || !leg.nonceSent) return refused(turn, "bad-state");
  if (leg.commitment === null || !nonceMatches(message.nonce, leg.commitment))
    return endUnconfirmed(turn, id, "nonce-mismatch");
  patchLeg(turn, id, { peerNonce: message.nonce });
}

export function receiveMedia(turn: Turn, id: LegId, message: MediaState): void {
  const video = message.video && videoAllowed(turn.state, currentLeg(turn, id));
  if (message.video && !video) refused(turn, "policy-refused");
  patchData(turn, { remoteMedia: { audio: message.audio, video } });
}

/** Not answered long ago, and there is no other way: nothing of this side's relays is left. */
export function connectingRefusal(
  turn: Turn,
  state: Extract<CallState, { phase: "connecting" }>,
  message: Extract<CallMessage, { type: "refuse-relays" }>,
): void {
  if (!receiveRefusal(turn, state.chosen, message))
    sayAndEnd(turn, state.chosen, { type: "hang-up", reason: "relay-needed" }, "relay-needed");
}

export function receiveHangUp(turn: Turn, message: Extract<CallMessage, { type: "hang-up" }>): void {
  const { phase } = turn.state;
  if (phase === "alerting") emit(turn, { type: "missed" });
  if (message.reason === "shutdown") return endCall(turn, "hung-up");
  // Whoever says so of a call that was up has waited for its path in vain.
  const wasUp = phase === "active" || phase === "reconnecting";
  endCall(turn, message.reason === "connection-failed" && wasUp ? "peer-vanished" : message.reason);
}
