/**
 * The call machine, docs/protocol/call.md section 7. Pure: events in, a new state and effects out. What each event and
 * each message does in each state stands in machine/event-table.ts and machine/message-table.ts.
 */
import { equalBytes } from "../bytes.ts";
import { EarshotError } from "../errors.ts";
import type {
  CallData,
  CallEvent,
  CallState,
  CallStep,
  IncomingCallOptions,
  Leg,
  LegId,
  OutgoingCallOptions,
} from "./call-states.ts";
import type { MediaWish } from "./call-types.ts";
import { clampCorrection } from "./invite-age.ts";
import { CALL_LEGS_MAX } from "./limits.ts";
import { emptyTrack } from "./machine/candidates.ts";
import { EVENT_TABLE } from "./machine/event-table.ts";
import { INCOMING_LEG } from "./machine/incoming.ts";
import { newLane } from "./machine/receiving.ts";
import { bindingOf, type Turn } from "./machine/turn.ts";
import { CALL_NONCE_BYTES, callWords } from "./words.ts";

/** All of it: what holds until the other side asks for something else. */
const NO_WISH: MediaWish = { leanVoice: false, picture: "full" };

/** One event. Never throws on what others send; never changes the state it was given. Nothing leaves `ended`. */
export function step(state: CallState, event: CallEvent): CallStep {
  const turn: Turn = { state, effects: [] };
  // The table's type ties each handler to its phase and event; the union cannot say so, hence the cast.
  const handle = EVENT_TABLE[state.phase][event.type] as (turn: Turn, state: CallState, event: CallEvent) => void;
  handle(turn, state, event);
  return turn;
}

/** A call this side makes, before `start`. Throws EarshotError `too-many` (devices) or `bad-length` (ids, keys, nonces). */
export function createOutgoingCall(options: OutgoingCallOptions): CallState {
  const { devices, media } = options;
  if (devices.length < 1 || devices.length > CALL_LEGS_MAX)
    throw new EarshotError("too-many", `a call rings 1 to ${CALL_LEGS_MAX} devices`);
  const distinct = devices.every(
    ({ device }, i) => devices.findIndex((other) => equalBytes(other.device, device)) === i,
  );
  if (!distinct) throw new EarshotError("too-many", "a device is listed twice");
  return {
    ...commonData(options),
    phase: "dialling",
    role: "caller",
    peer: checkLength(options.peer, 32),
    legs: devices.map(({ device, nonce }, id) => newLeg(id, device, nonce)),
    wantsVideo: media.video && options.policy.video,
    localMedia: media,
  };
}

/** A call that somebody makes to this device, before its first packet is handed to `step`. Throws as above. */
export function createIncomingCall(options: IncomingCallOptions): CallState {
  return {
    ...commonData(options),
    phase: "expecting",
    busy: options.busy,
    role: "callee",
    peer: checkLength(options.caller.account, 32),
    legs: [newLeg(INCOMING_LEG, options.caller.device, options.nonce)],
    wantsVideo: false,
    localMedia: { audio: false, video: false },
  };
}

function commonData(
  options: OutgoingCallOptions | IncomingCallOptions,
): Pick<
  CallData,
  | "callId"
  | "self"
  | "policy"
  | "trustedRelays"
  | "ownHomes"
  | "relayOnly"
  | "earlyCandidates"
  | "remoteMedia"
  | "remoteWish"
  | "mediaOpen"
  | "clockCorrectionMs"
> {
  const { callId, self, policy, trustedRelays = [], ownHomes = [], relayOnly = false, earlyCandidates } = options;
  checkLength(self.account, 32);
  checkLength(self.device, 32);
  const remoteMedia = { audio: false, video: false };
  const clockCorrectionMs = clampCorrection(options.clockCorrectionMs ?? 0);
  return {
    callId: checkLength(callId, 16),
    self,
    policy,
    trustedRelays,
    ownHomes,
    relayOnly,
    earlyCandidates,
    remoteMedia,
    remoteWish: NO_WISH,
    mediaOpen: false,
    clockCorrectionMs,
  };
}

function newLeg(id: LegId, device: Uint8Array, nonce: Uint8Array): Leg {
  return {
    id,
    device: checkLength(device, 32),
    progress: "waiting",
    nonce: checkLength(nonce, CALL_NONCE_BYTES),
    commitment: null,
    peerNonce: null,
    nonceSent: false,
    localSetup: null,
    remoteSetup: null,
    transport: "none",
    channelOpen: false,
    confirmed: false,
    local: emptyTrack(0),
    remote: emptyTrack(0),
    localSent: 0,
    localEndSent: false,
    expected: null,
    missing: 0,
    generation: 0,
    credentialsSent: -1,
    localRelays: [],
    refusedRelays: [],
    remoteRelays: [],
    remoteUfrag: null,
    envelopes: newLane(),
    messages: newLane(),
    early: {},
  };
}

function checkLength(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new EarshotError("bad-length", `expected ${length} bytes, got ${bytes.length}`);
  return bytes;
}

/** The leg that was answered; undefined before the answer. */
export function answeredLeg(state: CallState): Leg | undefined {
  return state.legs.find((leg) => leg.progress === "answered");
}

/** The four words, once both nonces are known on this side; undefined before. */
export function wordsOf(state: CallState): readonly string[] | undefined {
  const leg = answeredLeg(state);
  if (leg === undefined || leg.peerNonce === null) return undefined;
  const binding = bindingOf(state, leg);
  if (binding === undefined) return undefined;
  return state.role === "caller"
    ? callWords(binding, leg.nonce, leg.peerNonce)
    : callWords(binding, leg.peerNonce, leg.nonce);
}

/**
 * Both people called each other at once: whether this side's own outgoing call is the one that is kept. Decided alike on
 * both sides, the call of the lower account key wins. Accounts are 32-byte keys and differ.
 *
 * Glare is an invite from an account to which an own call is still `dialling` or `ringing`. Where the own call wins, the
 * incoming one gets `glare-lost`; otherwise the own call gets `glare-lost` and the incoming one `answer`, as its person
 * pressed "call" already.
 */
export function ownCallWins(self: Uint8Array, peer: Uint8Array): boolean {
  for (const [i, byte] of self.entries()) {
    const other = peer[i] as number;
    if (byte !== other) return byte < other;
  }
  return true;
}
