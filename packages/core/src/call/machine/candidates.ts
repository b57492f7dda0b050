/** Trickling candidates both ways, and comparing what was sent with what arrived. docs/protocol/call.md section 4. */
import { equalBytes } from "../../bytes.ts";
import type { RefusalCode } from "../../errors.ts";
import { isMdnsName } from "../address.ts";
import { chainHead, chainMark } from "../candidate-chain.ts";
import { checkCandidate } from "../candidate.ts";
import type { CallState, CandidateTrack, Leg, LegId } from "../call-states.ts";
import type { CallMessage, Candidate, Carrier, ChainMark } from "../call-types.ts";
import { CANDIDATES_MAX, CANDIDATES_PER_MESSAGE_MAX, REPAIR_DELAY_MS } from "../limits.ts";
import { mayBeTried } from "../relay-consent.ts";
import { placedRelay } from "../relay-order.ts";
import { mayBeSent, usableOwn } from "./relays.ts";
import { carrierOf, sendOn } from "./sending.ts";
import { currentLeg, emit, isOpen, patchLeg, refused, relayUseOf, type Turn } from "./turn.ts";

export function emptyTrack(generation: number): CandidateTrack {
  return { generation, candidates: [], ended: false };
}

/**
 * Takes what WebRTC gathered, up to `CANDIDATES_MAX`: no relay where either side's level wants none, this side names none or
 * the other refused it, and nothing but relays where this side's addresses are kept from the other.
 */
export function gatherLocal(turn: Turn, id: LegId, found: readonly Candidate[], end: boolean): void {
  const leg = currentLeg(turn, id);
  if (leg.local.ended) return;
  const wanted = found.flatMap((candidate) =>
    checkCandidate(candidate).ok ? wantedLocal(turn.state, leg, candidate) : [],
  );
  const candidates = [...leg.local.candidates, ...wanted].slice(0, CANDIDATES_MAX);
  patchLeg(turn, id, { local: { ...leg.local, candidates, ended: end || candidates.length === CANDIDATES_MAX } });
  flushLocal(turn, id);
}

function wantedLocal(state: CallState, leg: Leg, candidate: Candidate): readonly Candidate[] {
  if (candidate.type !== "relay") return state.relayOnly ? [] : [candidate];
  if (!relayUseOf(state, leg).mine || !mayBeSent(leg, candidate.relay)) return [];
  // The related address of a relayed candidate is the one that is kept back.
  return [state.relayOnly ? { ...candidate, relatedAddress: null, relatedPort: null } : candidate];
}

/** Own candidates may leave: the credentials they belong to have, and the policy or the answer allows it. */
function mayFlush(turn: Turn, leg: Leg): boolean {
  return (
    isOpen(leg) && leg.credentialsSent === leg.generation && (turn.state.earlyCandidates || leg.progress === "answered")
  );
}

/** Sends what has not been sent yet. */
export function flushLocal(turn: Turn, id: LegId): void {
  const leg = currentLeg(turn, id);
  if (!mayFlush(turn, leg)) return;
  const { candidates, ended } = leg.local;
  if (leg.localSent === candidates.length && (!ended || leg.localEndSent)) return;
  const from = leg.localSent + 1;
  // Of a restart: nobody knows yet which carrier still works. What comes by the second one is known by then.
  const carriers: Carrier[] =
    leg.generation === 0 ? [carrierOf(leg)] : leg.channelOpen ? ["channel", "envelope"] : ["envelope"];
  for (const carrier of carriers) sendRange(turn, id, from, carrier);
  patchLeg(turn, id, { localSent: candidates.length, localEndSent: ended });
}

/** The candidates from `firstIndex` on, in messages that fit an envelope, the end mark on the last. */
export function sendRange(turn: Turn, id: LegId, firstIndex: number, carrier: Carrier): void {
  const { local, generation } = currentLeg(turn, id);
  let from = firstIndex;
  do {
    const candidates = local.candidates.slice(from - 1, from - 1 + CANDIDATES_PER_MESSAGE_MAX);
    const end = local.ended && from - 1 + candidates.length === local.candidates.length;
    sendOn(turn, id, carrier, { type: "candidates", generation, firstIndex: from, candidates, end });
    from += CANDIDATES_PER_MESSAGE_MAX;
  } while (from <= local.candidates.length);
}

type CandidatesMessage = Extract<CallMessage, { type: "candidates" }>;

/**
 * Appends what is new to the received chain and hands it to the transport. False when the chain has now reached what
 * `confirm` stated and its head is another.
 */
export function receiveCandidates(turn: Turn, id: LegId, message: CandidatesMessage): boolean {
  const leg = currentLeg(turn, id);
  const { remote } = leg;
  const code = refusalOf(leg, message);
  if (code !== undefined) {
    refused(turn, code);
    return true;
  }
  const added = message.candidates.slice(remote.candidates.length + 1 - message.firstIndex);
  const ended = remote.ended || message.end;
  patchLeg(turn, id, { remote: { ...remote, candidates: [...remote.candidates, ...added], ended } });
  if (leg.transport !== "none") applyRemote(turn, id, added, ended && !remote.ended);
  return meetsExpected(turn, id);
}

function refusalOf(leg: Leg, message: CandidatesMessage): RefusalCode | undefined {
  const { remote } = leg;
  if (leg.remoteSetup === null) return "bad-state";
  if (message.generation !== remote.generation) return message.generation < remote.generation ? "stale" : "bad-state";
  // Without the ones before it a candidate cannot be chained: `confirm` finds the gap and has it sent again.
  if (message.firstIndex > remote.candidates.length + 1) return "chain-broken";
  const last = message.firstIndex - 1 + message.candidates.length;
  return remote.ended && last > remote.candidates.length ? "chain-broken" : undefined;
}

/** To the transport, without relays that may not be used, which stay in the chain; a caller's with those that may in their order. */
function applyRemote(turn: Turn, id: LegId, added: readonly Candidate[], end: boolean): void {
  const leg = currentLeg(turn, id);
  const { relayOnly, trustedRelays, role } = turn.state;
  const use = relayUseOf(turn.state, leg);
  const forbidden = added.filter(({ type, relay }) => type === "relay" && !mayBeTried(use, relay));
  if (forbidden.length > 0) refused(turn, "policy-refused");
  const candidates = added
    .filter((candidate) => !forbidden.includes(candidate) && !(relayOnly && isMdnsName(candidate.address)))
    .map((each) => (role === "caller" ? placedRelay(each, usableOwn(leg), leg.remoteRelays, trustedRelays) : each));
  if (leg.remoteUfrag === null || (candidates.length + forbidden.length === 0 && !end)) return;
  emit(turn, { type: "add-remote-candidates", leg: id, candidates, forbidden, ufrag: leg.remoteUfrag, end });
}

/** All that came before the transport was there. */
export function applyPending(turn: Turn, id: LegId): void {
  const { remote } = currentLeg(turn, id);
  applyRemote(turn, id, remote.candidates, remote.ended);
}

/** Own chain as `confirm` states it: what was sent, not what was gathered. */
export function sentMark(turn: Turn, leg: Leg): ChainMark {
  const mark = chainMark(turn.state.callId, turn.state.self.device, leg.local, leg.localSent);
  return { ...mark, ended: leg.localEndSent };
}

export function receivedMark(turn: Turn, leg: Leg): ChainMark {
  return chainMark(turn.state.callId, leg.device, leg.remote);
}

/**
 * The other side's `confirm` marks against this side's chains. False when a common part differs, which signed candidates
 * cannot do by themselves. Marks of another generation say nothing: a restart is under way.
 */
export function compareMarks(turn: Turn, id: LegId, sent: ChainMark, received: ChainMark): boolean {
  const leg = currentLeg(turn, id);
  const { callId, self } = turn.state;
  if (received.generation === leg.local.generation) {
    if (received.count > leg.local.candidates.length) return false;
    if (!equalBytes(chainHead(callId, self.device, leg.local, received.count), received.head)) return false;
  }
  if (sent.generation !== leg.remote.generation) return true;
  if (sent.count <= leg.remote.candidates.length)
    return equalBytes(chainHead(callId, leg.device, leg.remote, sent.count), sent.head);
  patchLeg(turn, id, { expected: sent });
  emit(turn, { type: "start-timer", name: "repair", delayMs: REPAIR_DELAY_MS });
  return true;
}

/** Once the received chain is as long as the other side said, its head must be the one stated. */
function meetsExpected(turn: Turn, id: LegId): boolean {
  const { expected, remote, device } = currentLeg(turn, id);
  if (expected === null || remote.candidates.length < expected.count) return true;
  patchLeg(turn, id, { expected: null });
  return equalBytes(chainHead(turn.state.callId, device, remote, expected.count), expected.head);
}

/** Candidates that were on their way have had their time: what still lacks was stripped. Shown, and asked for again. */
export function repairMissing(turn: Turn, id: LegId): void {
  const { expected, remote, missing, channelOpen } = currentLeg(turn, id);
  if (expected === null || !channelOpen) return;
  const count = Math.max(missing, expected.count - remote.candidates.length);
  patchLeg(turn, id, { missing: count });
  emit(turn, { type: "candidates-missing", leg: id, count });
  sendOn(turn, id, "channel", {
    type: "resend-candidates",
    generation: remote.generation,
    fromIndex: remote.candidates.length + 1,
  });
}

/** The other side asks for candidates that were stripped on the way to it. Only what may be known there already goes. */
export function resendCandidates(turn: Turn, id: LegId, generation: number, fromIndex: number): void {
  const leg = currentLeg(turn, id);
  if (generation !== leg.generation || !mayFlush(turn, leg) || fromIndex === 0) return refused(turn, "stale");
  if (fromIndex > leg.local.candidates.length) return refused(turn, "bad-state");
  sendRange(turn, id, fromIndex, carrierOf(leg));
  patchLeg(turn, id, { localSent: leg.local.candidates.length, localEndSent: leg.local.ended });
}
