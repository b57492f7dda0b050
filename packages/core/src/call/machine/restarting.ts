/** ICE restart: the caller always offers, the callee asks. docs/protocol/call.md section 7. */
import type { CallEvent, CallState, Leg, LegId } from "../call-states.ts";
import type { CallMessage, CallSetup } from "../call-types.ts";
import {
  GENERATION_MAX,
  PING_INTERVAL_MS,
  QUIET_ANSWER_MS,
  RESTART_AGAIN_MS,
  RESTART_ANSWERED_MS,
  RESTART_DELAY_MS,
  RESTART_RETRY_MS,
  VANISH_TIMEOUT_MS,
} from "../limits.ts";
import { PWD_PATTERN, UFRAG_PATTERN } from "../setup.ts";
import { emptyTrack, flushLocal } from "./candidates.ts";
import { sendConfirm } from "./confirming.ts";
import { learnNamedAnew, namedAnew, sayRefused } from "./relays.ts";
import { sendBoth, sendOn } from "./sending.ts";
import { currentLeg, dataOf, emit, patchLeg, refused, type Turn } from "./turn.ts";

type Connected = Extract<CallState, { phase: "connecting" | "active" | "reconnecting" }>;
type Active = Extract<CallState, { phase: "active" }>;

/** The path is gone for now: waits, restarts it, and gives up after `VANISH_TIMEOUT_MS`. */
export function startReconnecting(turn: Turn, state: Active): void {
  turn.state = { ...dataOf(turn.state), phase: "reconnecting", chosen: state.chosen, pings: state.pings };
  emit(turn, { type: "start-timer", name: "vanish", delayMs: VANISH_TIMEOUT_MS });
  emit(turn, { type: "start-timer", name: "restart", delayMs: RESTART_DELAY_MS });
}

export function finishReconnecting(turn: Turn, state: Extract<CallState, { phase: "reconnecting" }>): void {
  emit(turn, { type: "stop-timer", name: "vanish" });
  emit(turn, { type: "stop-timer", name: "restart" });
  emit(turn, { type: "start-timer", name: "ping", delayMs: PING_INTERVAL_MS });
  const { chosen, pings } = state;
  turn.state = { ...dataOf(turn.state), phase: "active", chosen, pings, pingsUnanswered: 0 };
}

/** The restart timer fired: one more try, and the next one later. */
export function retryRestart(turn: Turn, state: Connected): void {
  emit(turn, { type: "start-timer", name: "restart", delayMs: RESTART_RETRY_MS });
  requestRestart(turn, state.chosen);
}

/** The own addresses changed, though the path may not have: restarts it. The answer to a ping shows that it is there, or there again. */
export function addressesChanged(turn: Turn, state: Active): void {
  emit(turn, { type: "start-timer", name: "restart", delayMs: RESTART_AGAIN_MS });
  if (currentLeg(turn, state.chosen).channelOpen) pingNow(turn, state);
  requestRestart(turn, state.chosen);
}

/** Nothing comes where a voice came: asks whether the path is there. ICE takes some 2.5 s to notice that it is not. */
export function pathQuiet(turn: Turn, state: Active): void {
  if (!currentLeg(turn, state.chosen).channelOpen) return;
  emit(turn, { type: "start-timer", name: "quiet", delayMs: QUIET_ANSWER_MS });
  pingNow(turn, state);
}

function pingNow(turn: Turn, state: Active): void {
  const n = state.pings + 1;
  turn.state = { ...state, pings: n };
  sendOn(turn, state.chosen, "channel", { type: "ping", n });
}

/** No restarted path came up, or no answer where nothing had come for a while. */
export function restartAgain(turn: Turn, state: Active): void {
  startReconnecting(turn, state);
  emit(turn, { type: "start-timer", name: "restart", delayMs: RESTART_AGAIN_MS });
  requestRestart(turn, state.chosen);
}

export function requestRestart(turn: Turn, id: LegId): void {
  emit(turn, { type: "stop-timer", name: "quiet" });
  const { generation } = currentLeg(turn, id);
  if (turn.state.role === "callee") return sendBoth(turn, id, { type: "ask-restart", generation });
  if (generation >= GENERATION_MAX) return;
  const next = generation + 1;
  patchLeg(turn, id, { generation: next, local: emptyTrack(next), localSent: 0, localEndSent: false });
  emit(turn, { type: "restart-ice", leg: id, generation: next });
}

/** Asked for the generation that is still current: one ask, one restart, however often it arrives. */
export function receiveAskRestart(turn: Turn, id: LegId, generation: number): void {
  const leg = currentLeg(turn, id);
  if (turn.state.role !== "caller") return refused(turn, "bad-state");
  if (generation !== leg.generation) return;
  requestRestart(turn, id);
  giveTime(turn, RESTART_AGAIN_MS);
}

export function receiveRestart(turn: Turn, id: LegId, message: Extract<CallMessage, { type: "restart" }>): void {
  const leg = currentLeg(turn, id);
  if (message.isAnswer !== (turn.state.role === "caller")) return refused(turn, "bad-state");
  const { generation } = message;
  // Both carriers bring it, so the second one is no attack.
  if (generation <= leg.remote.generation) return;
  emit(turn, { type: "stop-timer", name: "quiet" });
  if (message.isAnswer) {
    if (generation !== leg.generation || leg.credentialsSent !== generation) return refused(turn, "stale");
  } else {
    patchLeg(turn, id, { generation, local: emptyTrack(generation), localSent: 0, localEndSent: false });
  }
  const setup = restarted(leg, message);
  if (setup === undefined) return refused(turn, "bad-state");
  learnNamedAnew(turn, id, message.relays);
  patchLeg(turn, id, { remote: emptyTrack(generation), remoteUfrag: message.ufrag, expected: null });
  emit(turn, { type: "apply-restart", leg: id, generation, setup });
  giveTime(turn, RESTART_ANSWERED_MS);
  if (message.relays !== null) sayRefused(turn, id, leg.channelOpen ? ["channel", "envelope"] : ["envelope"]);
}

/** What is under way now is not broken off sooner, whoever meant to; the answer to a ping tells that it has come to something. */
function giveTime(turn: Turn, delayMs: number): void {
  const { state } = turn;
  if (state.phase === "active" && currentLeg(turn, state.chosen).channelOpen) pingNow(turn, state);
  else if (state.phase !== "reconnecting") return;
  emit(turn, { type: "start-timer", name: "restart", delayMs });
}

/** Everything but the ICE credentials and the relays stays as signed: no restart changes fingerprint, codecs or consent. */
function restarted(leg: Leg, credentials: { ufrag: string; pwd: string }): CallSetup | undefined {
  if (leg.remoteSetup === null) return undefined;
  return { ...leg.remoteSetup.setup, ufrag: credentials.ufrag, pwd: credentials.pwd };
}

/** Own new credentials are there; those of an overtaken restart are dropped. */
export function restartReady(turn: Turn, event: Extract<CallEvent, { type: "restart-ready" }>): void {
  const { leg: id, generation, ufrag, pwd } = event;
  const leg = currentLeg(turn, id);
  if (generation !== leg.generation || leg.credentialsSent >= generation) return;
  if (!UFRAG_PATTERN.test(ufrag) || !PWD_PATTERN.test(pwd)) return;
  const relays = namedAnew(turn, id, event.relays);
  sendBoth(turn, id, { type: "restart", generation, ufrag, pwd, isAnswer: turn.state.role === "callee", relays });
  patchLeg(turn, id, { credentialsSent: generation });
  flushLocal(turn, id);
}

/** The restarted path is up: both compare their chains of this generation. */
export function confirmAgain(turn: Turn, id: LegId): void {
  const leg = currentLeg(turn, id);
  if (leg.channelOpen && leg.confirmed && leg.generation > 0) sendConfirm(turn, id);
}
