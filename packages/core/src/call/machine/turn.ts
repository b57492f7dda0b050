/** One step under way: the state so far and the effects so far. Local to `step`, which stays pure. */
import { equalBytes } from "../../bytes.ts";
import type { RefusalCode } from "../../errors.ts";
import type { CallData, CallEffect, CallState, Leg, LegId, MediaState } from "../call-states.ts";
import type { RelayUse } from "../call-types.ts";
import type { CallBinding } from "../confirm.ts";
import { type RelayRules, relayUse } from "../relay-consent.ts";

export interface Turn {
  state: CallState;
  readonly effects: CallEffect[];
}

export function emit(turn: Turn, effect: CallEffect): void {
  turn.effects.push(effect);
}

export function refused(turn: Turn, code: RefusalCode): void {
  emit(turn, { type: "refused", code });
}

/** What every state has, without the places of the phase it is in. */
export function dataOf(state: CallState): CallData {
  const {
    callId,
    role,
    self,
    peer,
    policy,
    trustedRelays,
    ownHomes,
    relayOnly,
    earlyCandidates,
    legs,
    wantsVideo,
    localMedia,
    remoteMedia,
    remoteWish,
    mediaOpen,
    clockCorrectionMs,
  } = state;
  return {
    callId,
    role,
    self,
    peer,
    policy,
    trustedRelays,
    ownHomes,
    relayOnly,
    earlyCandidates,
    legs,
    wantsVideo,
    localMedia,
    remoteMedia,
    remoteWish,
    mediaOpen,
    clockCorrectionMs,
  };
}

export function patchData(turn: Turn, patch: Partial<CallData>): void {
  turn.state = { ...turn.state, ...patch };
}

export function legById(state: CallState, id: LegId): Leg | undefined {
  return state.legs.find((leg) => leg.id === id);
}

export function legByDevice(state: CallState, device: Uint8Array): Leg | undefined {
  return state.legs.find((leg) => equalBytes(leg.device, device));
}

/** The leg as it is now; `patchLeg` replaces it, so a leg held across a patch is an old one. */
export function currentLeg(turn: Turn, id: LegId): Leg {
  return legById(turn.state, id) as Leg;
}

export function patchLeg(turn: Turn, id: LegId, patch: Partial<Leg>): Leg {
  patchData(turn, { legs: turn.state.legs.map((leg) => (leg.id === id ? { ...leg, ...patch } : leg)) });
  return currentLeg(turn, id);
}

export function isOpen(leg: Leg): boolean {
  return leg.progress !== "closed" && leg.progress !== "busy" && leg.progress !== "relay-needed";
}

/** Both sides' set-ups allow it; before the other's is known, this side's alone. */
export function videoAllowed(state: CallState, leg: Leg): boolean {
  return state.policy.video && (leg.remoteSetup?.setup.policy.video ?? true);
}

/** Before the other's set-up is known, this side's level alone counts, and it may use its own relays. */
export function relayUseOf(state: CallState, leg: Leg): RelayUse {
  const level = leg.remoteSetup?.setup.policy.relay;
  return relayUse(rulesOf(state), level && { level, relays: leg.remoteRelays });
}

export function rulesOf({ policy, trustedRelays, ownHomes }: CallState): RelayRules {
  return { consent: policy, trusted: trustedRelays, homes: ownHomes };
}

/** What this side may send on the leg, of what its person wants to. */
export function outgoingMedia(state: CallState, leg: Leg): MediaState {
  return { audio: state.localMedia.audio, video: state.localMedia.video && videoAllowed(state, leg) };
}

/** What confirmation and words are bound to; undefined until both set-ups are known. */
export function bindingOf(state: CallState, leg: Leg): CallBinding | undefined {
  if (leg.localSetup === null || leg.remoteSetup === null) return undefined;
  const peer = { account: state.peer, device: leg.device };
  return state.role === "caller"
    ? {
        callId: state.callId,
        caller: state.self,
        callee: peer,
        callerSetup: leg.localSetup.bytes,
        calleeSetup: leg.remoteSetup.bytes,
      }
    : {
        callId: state.callId,
        caller: peer,
        callee: state.self,
        callerSetup: leg.remoteSetup.bytes,
        calleeSetup: leg.localSetup.bytes,
      };
}
