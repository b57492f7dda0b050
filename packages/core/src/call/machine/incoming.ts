/** Being called: from the invite to the person's answer. */
import type { CallEvent, CallState, LegId, MediaState } from "../call-states.ts";
import type { CallMessage } from "../call-types.ts";
import { isInviteTimely } from "../invite-age.ts";
import { CONNECT_TIMEOUT_MS, RESTART_DELAY_MS, RING_TIMEOUT_MS } from "../limits.ts";
import { checkAnswering, checkSetup, encodeSetup } from "../setup.ts";
import { applyPending, flushLocal } from "./candidates.ts";
import { activateIfReady } from "./confirming.ts";
import { endCall, sayAndEnd } from "./ending.ts";
import { receiveRefusal, sayRefused } from "./relays.ts";
import { retryRestart } from "./restarting.ts";
import { carrierOf, sendBoth, sendOn } from "./sending.ts";
import { currentLeg, dataOf, emit, patchData, patchLeg, relayUseOf, type Turn } from "./turn.ts";

/** An incoming call has one leg. */
export const INCOMING_LEG: LegId = 0;

type Expecting = Extract<CallState, { phase: "expecting" }>;
type Alerting = Extract<CallState, { phase: "alerting" }>;

/** Rings, unless it comes too late or this device is in another call: those are shown as missed. */
export function receiveInvite(
  turn: Turn,
  state: Expecting,
  message: Extract<CallMessage, { type: "invite" }>,
  ageMs: number,
): void {
  if (!isInviteTimely(ageMs, state.clockCorrectionMs, message.clockCorrectionMs)) {
    emit(turn, { type: "missed" });
    return endCall(turn, "stale");
  }
  if (state.busy) return sayBusy(turn);
  const { commitment, setup, wantsVideo } = message;
  patchLeg(turn, INCOMING_LEG, {
    commitment,
    remoteSetup: setup,
    remoteRelays: setup.setup.policy.relays,
    remoteUfrag: setup.setup.ufrag,
    progress: "ringing",
  });
  if (turn.state.relayOnly && !relayUseOf(turn.state, currentLeg(turn, INCOMING_LEG)).mine) return sayRelayNeeded(turn);
  turn.state = { ...dataOf(turn.state), wantsVideo, phase: "alerting", shown: false };
  emit(turn, { type: "ring", wantsVideo });
  emit(turn, { type: "start-timer", name: "ring", delayMs: RING_TIMEOUT_MS });
}

function sayBusy(turn: Turn): void {
  sendOn(turn, INCOMING_LEG, "envelope", { type: "busy" });
  emit(turn, { type: "missed" });
  endCall(turn, "busy");
}

/** This side's address is hidden, which takes a relay; there is none, or the caller allows none. Does not ring. */
function sayRelayNeeded(turn: Turn): void {
  emit(turn, { type: "missed" });
  sayAndEnd(turn, INCOMING_LEG, { type: "hang-up", reason: "relay-needed" }, "relay-needed");
}

/** No relay was found in time. What rings already is not taken away: its set-up says what there is. */
export function relayMissing(turn: Turn, state: Alerting): void {
  if (state.relayOnly && !state.shown) sayRelayNeeded(turn);
}

/** The caller refuses relays of this side. Without one it cannot be answered, and stops ringing. */
export function receiveRelayRefusal(turn: Turn, message: Extract<CallMessage, { type: "refuse-relays" }>): void {
  if (!receiveRefusal(turn, INCOMING_LEG, message)) sayRelayNeeded(turn);
}

/** Another call was taken while this one's ring was kept back. What rings already is not taken away. */
export function becomeBusy(turn: Turn, state: Alerting): void {
  if (!state.shown) sayBusy(turn);
}

/** Something else than an invite, and nothing held that an invite could still come before: there is no call. */
export function endIfHopeless(turn: Turn): void {
  if (currentLeg(turn, INCOMING_LEG).envelopes.held.length === 0) endCall(turn, "refused");
}

/** The ring is on the screen: only now does the caller hear of this device, and only a trusted one gets its addresses. */
export function ringShown(turn: Turn, state: Alerting): void {
  if (state.shown) return;
  turn.state = { ...state, shown: true };
  if (state.earlyCandidates) createTransport(turn);
  else sendOn(turn, INCOMING_LEG, "envelope", { type: "ringing", setup: null });
}

function createTransport(turn: Turn): void {
  const leg = currentLeg(turn, INCOMING_LEG);
  if (leg.transport !== "none" || leg.remoteSetup === null) return;
  patchLeg(turn, INCOMING_LEG, { transport: "new" });
  const relays = relayUseOf(turn.state, leg);
  emit(turn, { type: "create-transport", leg: INCOMING_LEG, role: "callee", remote: leg.remoteSetup.setup, relays });
  applyPending(turn, INCOMING_LEG);
}

/** The answer's description is there: it goes with `ringing`, or with the answer where that came first. */
export function setupReady(turn: Turn, event: Extract<CallEvent, { type: "setup-ready" }>): void {
  const leg = currentLeg(turn, INCOMING_LEG);
  if (event.leg !== INCOMING_LEG || leg.transport === "none" || leg.localSetup !== null) return;
  const answers =
    leg.remoteSetup !== null && checkSetup(event.setup).ok && checkAnswering(leg.remoteSetup.setup, event.setup).ok;
  if (!answers) return transportFailed(turn);
  if (turn.state.relayOnly && event.setup.policy.relays.length === 0) return sayRelayNeeded(turn);
  const setup = encodeSetup(event.setup);
  patchLeg(turn, INCOMING_LEG, { localSetup: setup, localRelays: event.setup.policy.relays });
  if (leg.progress === "answered") return sendAnswer(turn);
  sendOn(turn, INCOMING_LEG, "envelope", { type: "ringing", setup });
  patchLeg(turn, INCOMING_LEG, { credentialsSent: 0 });
  sayRefused(turn, INCOMING_LEG, ["envelope"]);
  flushLocal(turn, INCOMING_LEG);
}

/** No transport while it rings: rings on, and the answer tries again. After the answer there is no call to be had. */
export function transportFailed(turn: Turn): void {
  const leg = currentLeg(turn, INCOMING_LEG);
  if (leg.progress === "answered")
    return sayAndEnd(turn, INCOMING_LEG, { type: "hang-up", reason: "connection-failed" }, "connection-failed");
  if (leg.transport === "none" || leg.localSetup !== null) return;
  emit(turn, { type: "close-transport", leg: INCOMING_LEG });
  patchLeg(turn, INCOMING_LEG, { transport: "none" });
  sendOn(turn, INCOMING_LEG, "envelope", { type: "ringing", setup: null });
}

/** The person answered. Sound follows when the confirmation holds, which it mostly already does. */
export function answerCall(turn: Turn, media: MediaState): void {
  patchLeg(turn, INCOMING_LEG, { progress: "answered" });
  const { wantsVideo } = turn.state;
  patchData(turn, { localMedia: media, remoteMedia: { audio: true, video: wantsVideo } });
  emit(turn, { type: "stop-timer", name: "ring" });
  emit(turn, { type: "start-timer", name: "connect", delayMs: CONNECT_TIMEOUT_MS });
  const connecting = { ...dataOf(turn.state), phase: "connecting", chosen: INCOMING_LEG } as const;
  turn.state = connecting;
  const leg = currentLeg(turn, INCOMING_LEG);
  if (leg.localSetup === null) return createTransport(turn);
  sendAnswer(turn);
  if (leg.transport === "failed") retryRestart(turn, connecting);
  if (leg.transport === "disconnected") emit(turn, { type: "start-timer", name: "restart", delayMs: RESTART_DELAY_MS });
  activateIfReady(turn);
}

/** nB goes out here, and never before: an attempt to guess the words costs an answered call. */
function sendAnswer(turn: Turn): void {
  const leg = currentLeg(turn, INCOMING_LEG);
  const carrier = carrierOf(leg);
  sendOn(turn, INCOMING_LEG, carrier, {
    type: "answer",
    nonce: leg.nonce,
    setup: carrier === "channel" ? null : leg.localSetup,
    video: turn.state.localMedia.video && turn.state.policy.video,
  });
  patchLeg(turn, INCOMING_LEG, { nonceSent: true, credentialsSent: Math.max(leg.credentialsSent, 0) });
  if (leg.credentialsSent < 0) sayRefused(turn, INCOMING_LEG, ["envelope"]);
  flushLocal(turn, INCOMING_LEG);
}

export function declineCall(turn: Turn): void {
  sendBoth(turn, INCOMING_LEG, { type: "decline" });
  endCall(turn, "declined");
}

/** The caller gave up, or another of this person's devices took it. */
export function receiveCancel(turn: Turn, message: Extract<CallMessage, { type: "cancel" }>): void {
  const wasRinging = turn.state.phase === "alerting";
  if (message.reason === "answered-elsewhere") return endCall(turn, "answered-elsewhere");
  if (message.reason === "declined-elsewhere") return endCall(turn, "declined-elsewhere");
  if (wasRinging) emit(turn, { type: "missed" });
  endCall(turn, message.reason === "timed-out" ? "no-answer" : "cancelled");
}

export function ringTimedOut(turn: Turn): void {
  emit(turn, { type: "missed" });
  endCall(turn, "no-answer");
}
