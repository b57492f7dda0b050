/** Dialling and ringing: the caller's side until one device answers. */
import { equalBytes } from "../../bytes.ts";
import type { CallEvent, CallState, Leg, LegId } from "../call-states.ts";
import type { CallMessage, EncodedSetup } from "../call-types.ts";
import { CONNECT_TIMEOUT_MS, RESTART_DELAY_MS, RING_TIMEOUT_MS } from "../limits.ts";
import { checkAnswering, checkSetup, encodeSetup } from "../setup.ts";
import { nonceCommitment } from "../words.ts";
import { flushLocal } from "./candidates.ts";
import { activateIfReady } from "./confirming.ts";
import { receiveMedia } from "./connected.ts";
import { cancelLeg, closeLeg, endCall } from "./ending.ts";
import { receiveRefusal, sayRefused } from "./relays.ts";
import { retryRestart } from "./restarting.ts";
import { send, sendOn } from "./sending.ts";
import {
  currentLeg,
  dataOf,
  emit,
  isOpen,
  legById,
  patchData,
  patchLeg,
  refused,
  relayUseOf,
  type Turn,
  videoAllowed,
} from "./turn.ts";

export function startDialling(turn: Turn, state: Extract<CallState, { phase: "dialling" }>): void {
  if (state.legs.some((leg) => leg.transport !== "none")) return;
  for (const leg of state.legs) {
    patchLeg(turn, leg.id, { transport: "new" });
    emit(turn, { type: "create-transport", leg: leg.id, role: "caller" });
  }
  emit(turn, { type: "start-timer", name: "ring", delayMs: RING_TIMEOUT_MS });
}

/** The leg's description is there: invite the device. */
export function inviteLeg(turn: Turn, event: Extract<CallEvent, { type: "setup-ready" }>): void {
  const leg = legById(turn.state, event.leg);
  if (leg === undefined || leg.transport === "none" || leg.localSetup !== null) return;
  if (event.setup.role !== "caller" || !checkSetup(event.setup).ok) return failLeg(turn, leg.id);
  if (turn.state.relayOnly && event.setup.policy.relays.length === 0) return failForRelay(turn, leg.id);
  const setup = encodeSetup(event.setup);
  patchLeg(turn, leg.id, { localSetup: setup, localRelays: event.setup.policy.relays });
  sendOn(turn, leg.id, "envelope", {
    type: "invite",
    commitment: nonceCommitment(leg.nonce),
    setup,
    wantsVideo: turn.state.wantsVideo,
    clockCorrectionMs: turn.state.clockCorrectionMs,
  });
  patchLeg(turn, leg.id, { credentialsSent: 0 });
  flushLocal(turn, leg.id);
}

/** No transport, or no way to that device: the others may still ring. */
export function failLeg(turn: Turn, id: LegId): void {
  const leg = legById(turn.state, id);
  if (leg === undefined || !isOpen(leg)) return;
  closeLeg(turn, id, "closed");
  endIfNobodyLeft(turn);
}

/** The device refuses relays of this side; where that leaves no way to it, it is told. */
export function receiveRelayRefusal(
  turn: Turn,
  id: LegId,
  message: Extract<CallMessage, { type: "refuse-relays" }>,
): void {
  if (receiveRefusal(turn, id, message)) return;
  sendOn(turn, id, "envelope", { type: "hang-up", reason: "relay-needed" });
  failForRelay(turn, id);
}

/** Only a relay could lead to that device, and none may: the others may still ring. */
function failForRelay(turn: Turn, id: LegId): void {
  closeLeg(turn, id, "relay-needed");
  endIfNobodyLeft(turn);
}

function endIfNobodyLeft(turn: Turn): void {
  if (turn.state.legs.some(isOpen)) return;
  const reason = (["busy", "relay-needed"] as const).find((each) =>
    turn.state.legs.some((leg) => leg.progress === each),
  );
  endCall(turn, reason ?? "unreachable");
}

export function receiveBusy(turn: Turn, id: LegId): void {
  closeLeg(turn, id, "busy");
  endIfNobodyLeft(turn);
}

/** One device's no is the person's no: the others stop ringing. */
export function receiveDecline(turn: Turn, id: LegId): void {
  for (const leg of turn.state.legs) if (leg.id !== id && isOpen(leg)) cancelLeg(turn, leg.id, "declined-elsewhere");
  endCall(turn, "declined");
}

/** A device that cannot go on, or does not trust what it reached, ends the call for all; one that misses a relay, for itself. */
export function receiveHangUp(turn: Turn, id: LegId, message: Extract<CallMessage, { type: "hang-up" }>): void {
  if (message.reason === "relay-needed") return failForRelay(turn, id);
  for (const leg of turn.state.legs) if (leg.id !== id && isOpen(leg)) cancelLeg(turn, leg.id, "hung-up");
  endCall(turn, message.reason === "shutdown" ? "hung-up" : message.reason);
}

export function receiveRinging(turn: Turn, id: LegId, message: Extract<CallMessage, { type: "ringing" }>): void {
  if (currentLeg(turn, id).progress !== "waiting") return refused(turn, "bad-state");
  if (message.setup !== null && !learnRemoteSetup(turn, id, message.setup)) return;
  patchLeg(turn, id, { progress: "ringing" });
  if (turn.state.phase === "dialling") turn.state = { ...dataOf(turn.state), phase: "ringing" };
}

/**
 * False, and refused, where it is not an answer to the invite or differs from the one that came before. False too where it
 * allows no relay and this side's address is to be hidden: the leg is closed then.
 */
function learnRemoteSetup(turn: Turn, id: LegId, encoded: EncodedSetup): boolean {
  const leg = currentLeg(turn, id);
  if (leg.remoteSetup !== null) {
    if (equalBytes(leg.remoteSetup.bytes, encoded.bytes)) return true;
    refused(turn, "bad-setup");
    return false;
  }
  if (leg.localSetup === null || !checkAnswering(leg.localSetup.setup, encoded.setup).ok) {
    refused(turn, "bad-setup");
    return false;
  }
  const remoteRelays = encoded.setup.policy.relays;
  const learnt = patchLeg(turn, id, { remoteSetup: encoded, remoteRelays, remoteUfrag: encoded.setup.ufrag });
  const relays = relayUseOf(turn.state, learnt);
  if (turn.state.relayOnly && !relays.mine) {
    sendOn(turn, id, "envelope", { type: "hang-up", reason: "relay-needed" });
    failForRelay(turn, id);
    return false;
  }
  emit(turn, { type: "apply-remote-setup", leg: id, setup: encoded.setup, relays });
  sayRefused(turn, id, ["envelope"]);
  return true;
}

/** It answered by an envelope, which the channel has overtaken. */
export function receiveEarly(turn: Turn, id: LegId, said: Leg["early"]): void {
  patchLeg(turn, id, { early: { ...currentLeg(turn, id).early, ...said } });
}

/**
 * The first answer takes the call: nA is revealed to it alone, the other devices stop ringing, and the media open as soon
 * as the confirmation holds.
 */
export function receiveAnswer(turn: Turn, id: LegId, message: Extract<CallMessage, { type: "answer" }>): void {
  const before = currentLeg(turn, id);
  if (message.setup === null && before.remoteSetup === null) return refused(turn, "bad-state");
  if (message.setup !== null && !learnRemoteSetup(turn, id, message.setup)) return;
  const leg = patchLeg(turn, id, { progress: "answered", peerNonce: message.nonce });
  for (const other of turn.state.legs)
    if (other.id !== id && isOpen(other)) cancelLeg(turn, other.id, "answered-elsewhere");
  patchData(turn, { remoteMedia: { audio: true, video: message.video && videoAllowed(turn.state, leg) } });
  emit(turn, { type: "stop-timer", name: "ring" });
  emit(turn, { type: "start-timer", name: "connect", delayMs: CONNECT_TIMEOUT_MS });
  const connecting = { ...dataOf(turn.state), phase: "connecting", chosen: id } as const;
  turn.state = connecting;
  send(turn, id, { type: "reveal", nonce: leg.nonce });
  patchLeg(turn, id, { nonceSent: true });
  flushLocal(turn, id);
  if (leg.transport === "failed") retryRestart(turn, connecting);
  if (leg.transport === "disconnected") emit(turn, { type: "start-timer", name: "restart", delayMs: RESTART_DELAY_MS });
  const { media, wish } = leg.early;
  if (media) receiveMedia(turn, id, media);
  if (wish) patchData(turn, { remoteWish: wish });
  activateIfReady(turn);
}
