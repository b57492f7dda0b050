/**
 * The states, events and effects of the call machine (docs/protocol/call.md section 7). Plain, serialisable data; all
 * unions closed.
 *
 * One machine is one call. An outgoing call has one *leg* per called device (its own peer connection, set-up and nonce);
 * an incoming call has exactly one, `0`. The shell (the SDK) turns the world into {@link CallEvent}s, hands them to
 * `step`, keeps the state it gets back and carries out the {@link CallEffect}s in order.
 */
import type { RefusalCode } from "../errors.ts";
import type {
  CallConsent,
  CallPacket,
  CallRole,
  CallSetup,
  Candidate,
  Carrier,
  ChainMark,
  EncodedSetup,
  MediaWish,
  NamedRelay,
  RelayHost,
  RelayUse,
} from "./call-types.ts";

export type LegId = number;

/** One person's device, as the envelopes authenticate it: Ed25519 public keys. */
export interface Party {
  readonly account: Uint8Array;
  readonly device: Uint8Array;
}

/** One side's candidates of the current generation. */
export interface CandidateTrack {
  readonly generation: number;
  /** At most `CANDIDATES_MAX`. */
  readonly candidates: readonly Candidate[];
  readonly ended: boolean;
}

/** What has been received and sent on one carrier of one leg. */
export interface LaneState {
  readonly nextSend: number;
  readonly nextReceive: number;
  /** Ahead of a missing number; at most `CALL_HELD_MAX`. */
  readonly held: readonly CallPacket[];
}

export interface Leg {
  readonly id: LegId;
  /** The other side's device. */
  readonly device: Uint8Array;
  /**
   * `waiting`: nothing heard yet; `ringing`: it rings there (or here); `relay-needed`: only a relay could lead there, and none
   * may; `closed`: unreachable or not chosen.
   */
  readonly progress: "waiting" | "ringing" | "answered" | "busy" | "relay-needed" | "closed";
  /** Own nonce, 16 bytes: nA (caller) or nB (callee). */
  readonly nonce: Uint8Array;
  /** Callee: the invite's H(nA). */
  readonly commitment: Uint8Array | null;
  /** The other's nonce, once it came: nB (caller) or nA (callee). */
  readonly peerNonce: Uint8Array | null;
  /** Own nonce has been sent: nA is revealed to one answer, nB goes with it. */
  readonly nonceSent: boolean;
  readonly localSetup: EncodedSetup | null;
  readonly remoteSetup: EncodedSetup | null;
  /** `none` until `create-transport`. */
  readonly transport: "none" | "new" | "connected" | "disconnected" | "failed";
  readonly channelOpen: boolean;
  /** The other side's `confirm` held. */
  readonly confirmed: boolean;
  readonly local: CandidateTrack;
  readonly remote: CandidateTrack;
  /** How many of `local.candidates` have been sent. */
  readonly localSent: number;
  readonly localEndSent: boolean;
  /** What the other side says it sent in this generation, until the received chain reaches it. */
  readonly expected: ChainMark | null;
  /** Candidates that were stripped from the way and had to be sent again here. */
  readonly missing: number;
  /** ICE generation of this side: 0, then one more with each restart. The other side's is `remote.generation`. */
  readonly generation: number;
  /** Highest generation whose credentials were sent; -1 before the set-up has been. */
  readonly credentialsSent: number;
  /** The relays that this side named last, and those of them that the other refused (keys). */
  readonly localRelays: readonly NamedRelay[];
  readonly refusedRelays: readonly Uint8Array[];
  /** Those that the other side named last. */
  readonly remoteRelays: readonly NamedRelay[];
  /** The other side's current ufrag: names the generation of its candidates. */
  readonly remoteUfrag: string | null;
  readonly envelopes: LaneState;
  readonly messages: LaneState;
  /** Said on the channel by a callee whose answer is still on its way, by an envelope: it counts once that is here. */
  readonly early: { readonly media?: MediaState; readonly wish?: MediaWish };
}

export interface MediaState {
  readonly audio: boolean;
  readonly video: boolean;
}

/** The part that every state has. */
export interface CallData {
  readonly callId: Uint8Array;
  readonly role: CallRole;
  readonly self: Party;
  /** The other person's account key. */
  readonly peer: Uint8Array;
  readonly policy: CallConsent;
  /** Relays that count as this side's own or its contacts'. Told to nobody. */
  readonly trustedRelays: readonly Uint8Array[];
  /** This side's homes, whose operators' relays are refused. Told to nobody. */
  readonly ownHomes: readonly RelayHost[];
  /** This side's addresses are kept from the other: nothing but relayed candidates is sent or tried. */
  readonly relayOnly: boolean;
  /** Candidates may go out before the answer. */
  readonly earlyCandidates: boolean;
  /** 1..`CALL_LEGS_MAX`; for a callee exactly one. */
  readonly legs: readonly Leg[];
  /** The call asked for video. */
  readonly wantsVideo: boolean;
  /** How far this device's supernode has its clock ahead of this device's own: see `isInviteTimely`. */
  readonly clockCorrectionMs: number;
  /** What this side's person wants to send. */
  readonly localMedia: MediaState;
  /** What the other side says it sends. */
  readonly remoteMedia: MediaState;
  /** What the other side asks to be sent. */
  readonly remoteWish: MediaWish;
  /** Set once, by `open-media`. */
  readonly mediaOpen: boolean;
}

/** States in which one leg was answered. */
interface Chosen {
  readonly chosen: LegId;
}

export type CallPhaseName = CallState["phase"];

export type CallState =
  /** Outgoing: before anything rings there. */
  | (CallData & { readonly phase: "dialling" })
  /** Outgoing: it rings there. */
  | (CallData & { readonly phase: "ringing" })
  /** Incoming: no invite yet (its envelope may be behind its candidates). Nobody has been told anything. */
  | (CallData & { readonly phase: "expecting"; readonly busy: boolean })
  /** Incoming: it rings here. `shown`: the ring is on the screen. */
  | (CallData & { readonly phase: "alerting"; readonly shown: boolean })
  /** Answered; transport or confirmation not there yet. */
  | (CallData & { readonly phase: "connecting" } & Chosen)
  | (CallData & { readonly phase: "active"; readonly pings: number; readonly pingsUnanswered: number } & Chosen)
  /** The path went away; sound may come back by itself or through an ICE restart. */
  | (CallData & { readonly phase: "reconnecting"; readonly pings: number } & Chosen)
  /** Final. */
  | (CallData & { readonly phase: "ended"; readonly reason: CallEndReason });

export type CallEndReason =
  | "hung-up"
  | "declined"
  | "busy"
  /** Incoming: the caller gave up. */
  | "cancelled"
  | "no-answer"
  | "answered-elsewhere"
  | "declined-elsewhere"
  | "unreachable"
  | "connection-failed"
  | "peer-vanished"
  | "not-confirmed"
  /** Only a relay could carry it, and there is none or the two sides' settings allow none. */
  | "relay-needed"
  | "refused"
  | "local-shutdown"
  /** Both called at once and the other's call was kept: see `ownCallWins`. Not shown to people. */
  | "glare"
  /** The invite came too late to ring: shown as a missed call only. */
  | "stale";

export type TimerName = "ring" | "connect" | "vanish" | "restart" | "quiet" | "ping" | "gap" | "repair";

export type CallEvent =
  /** Outgoing, once, first: make the transports, then dial. */
  | { readonly type: "start" }
  /**
   * A decoded packet of this call. `from`: the authenticated sender's device (the envelope's, or the leg's own for the
   * channel). `sentAt`: the envelope's; `now` on the channel. Refusals come back as `refused` effects.
   */
  | {
      readonly type: "message";
      readonly from: Uint8Array;
      readonly carrier: Carrier;
      readonly packet: CallPacket;
      readonly sentAt: number;
      readonly now: number;
    }
  /** Incoming: the ring is on the screen (the app's listener has run). Only now does anything go back to the caller. */
  | { readonly type: "ring-shown" }
  /** The leg's local description is set; `setup` is `setupOfSdp` of it. */
  | { readonly type: "setup-ready"; readonly leg: LegId; readonly setup: CallSetup }
  /** Gathered since the last such event (gather some 20 ms together). `generation`: the restart's, 0 before any. */
  | {
      readonly type: "local-candidates";
      readonly leg: LegId;
      readonly generation: number;
      readonly candidates: readonly Candidate[];
      readonly end: boolean;
    }
  /** ICE and DTLS state; `connected` also after a restart. */
  | { readonly type: "transport"; readonly leg: LegId; readonly state: "connected" | "disconnected" | "failed" }
  /** The negotiated data channel (id 0) opened. */
  | { readonly type: "channel-open"; readonly leg: LegId }
  | { readonly type: "channel-closed"; readonly leg: LegId }
  /** `restart-ice` or `apply-restart` was done; these are the new local credentials. */
  | {
      readonly type: "restart-ready";
      readonly leg: LegId;
      readonly generation: number;
      readonly ufrag: string;
      readonly pwd: string;
      /** The relays that this side may allocate at from now on; null: the same as before. */
      readonly relays: readonly NamedRelay[] | null;
    }
  /** The invite could not be delivered (no home took it), or the transport could not be made. */
  | { readonly type: "leg-failed"; readonly leg: LegId }
  /** The person answered (or glare answers for them). */
  | { readonly type: "answer"; readonly media: MediaState }
  | { readonly type: "decline" }
  /** The person hung up, at any time. */
  | { readonly type: "hang-up" }
  /** The client is being stopped. */
  | { readonly type: "shutdown" }
  /** Incoming, before its ring was shown: this device has taken another call meanwhile. */
  | { readonly type: "busy" }
  /** Incoming with `relayOnly`, before its ring was shown: no relay was found. */
  | { readonly type: "relay-missing" }
  /** This call lost against the other's simultaneous one: ends quietly. */
  | { readonly type: "glare-lost" }
  /** The person muted, unmuted, or turned the picture on or off. */
  | { readonly type: "set-media"; readonly media: MediaState }
  /** The person wants less, or more, of the other side's media. Means something once the media are open. */
  | { readonly type: "set-wish"; readonly wish: MediaWish }
  /** This machine's addresses changed. */
  | { readonly type: "network-changed" }
  /** A voice came on the path, and for a moment nothing has, though nothing was said of its end. May come again while that lasts. */
  | { readonly type: "path-quiet" }
  /** After that: the voice comes again. */
  | { readonly type: "path-heard" }
  | { readonly type: "timer"; readonly name: TimerName };

export type CallEffect =
  /**
   * Make a peer connection with the typed shape (section 3): no tracks. A caller sets a local offer; a callee first sets
   * `sdpOfSetup(remote)`, then a local answer. Then `setup-ready`. No relay that `relays` forbids may be used.
   */
  | { readonly type: "create-transport"; readonly leg: LegId; readonly role: "caller" }
  | {
      readonly type: "create-transport";
      readonly leg: LegId;
      readonly role: "callee";
      readonly remote: CallSetup;
      readonly relays: RelayUse;
    }
  /** Caller: set `sdpOfSetup(setup)` as the remote answer. From now on no relay that `relays` forbids may be used. */
  | {
      readonly type: "apply-remote-setup";
      readonly leg: LegId;
      readonly setup: CallSetup;
      readonly relays: RelayUse;
    }
  /** The other side refuses these of this side's relays (keys): nothing more is gathered or sent over them, and no path over them counts as one. */
  | { readonly type: "give-up-relays"; readonly leg: LegId; readonly keys: readonly Uint8Array[] }
  /**
   * After the remote description. `ufrag` names the generation they belong to. `forbidden`: relays of the other that must not
   * be tried, told so that a path over one of them is recognised all the same.
   */
  | {
      readonly type: "add-remote-candidates";
      readonly leg: LegId;
      readonly candidates: readonly Candidate[];
      readonly forbidden: readonly Candidate[];
      readonly ufrag: string;
      readonly end: boolean;
    }
  /** Seal `bytes` to the leg's device (kind 4), or send them on the leg's data channel. */
  | { readonly type: "send"; readonly leg: LegId; readonly carrier: Carrier; readonly bytes: Uint8Array }
  /**
   * The person answered and the confirmation held: from now on, and not before, the person's tracks go onto the senders
   * (`replaceTrack`) and the other side's are played. Emitted again with every change of what is sent.
   */
  | { readonly type: "open-media"; readonly leg: LegId; readonly media: MediaState }
  /** Take the tracks off and stop playing. */
  | { readonly type: "close-media"; readonly leg: LegId }
  /** After its queued messages have left. */
  | { readonly type: "close-transport"; readonly leg: LegId }
  /** Caller: make an offer with fresh ICE credentials and set it locally; then `restart-ready`. */
  | { readonly type: "restart-ice"; readonly leg: LegId; readonly generation: number }
  /**
   * Set the remote description again with these credentials (`sdpOfSetup` of `setup`). Callee: as an offer, then answer
   * and `restart-ready`. Caller: as the answer.
   */
  | { readonly type: "apply-restart"; readonly leg: LegId; readonly generation: number; readonly setup: CallSetup }
  /** Replaces a running timer of that name. */
  | { readonly type: "start-timer"; readonly name: TimerName; readonly delayMs: number }
  | { readonly type: "stop-timer"; readonly name: TimerName }
  /** Incoming: show it and ring; then `ring-shown`. */
  | { readonly type: "ring"; readonly wantsVideo: boolean }
  /** Incoming: nobody took it here; shown as missed. */
  | { readonly type: "missed" }
  /** Broken off between the nonces: shown to the person (section 6). */
  | { readonly type: "broken-attempt" }
  /** Addresses that the other sent never arrived by the envelopes and were repaired here: shown. */
  | { readonly type: "candidates-missing"; readonly leg: LegId; readonly count: number }
  /** A message was refused: count it. */
  | { readonly type: "refused"; readonly code: RefusalCode }
  /** Last effect of a call: all its timers are stopped with it. */
  | { readonly type: "ended"; readonly reason: CallEndReason };

export interface CallStep {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

/** Pure and synchronous; never throws on any event in any state. Implemented by `step` in call-machine.ts. */
export type CallStepper = (state: CallState, event: CallEvent) => CallStep;

export interface OutgoingCallOptions {
  /** 16 random bytes. */
  readonly callId: Uint8Array;
  readonly self: Party;
  readonly peer: Uint8Array;
  /** The callee's devices, 1..`CALL_LEGS_MAX`, each with a fresh random nA (16 bytes). Leg ids are the places here. */
  readonly devices: readonly { readonly device: Uint8Array; readonly nonce: Uint8Array }[];
  readonly policy: CallConsent;
  /** Keys (32 bytes) of the relays that this person or their contacts run. Default none. */
  readonly trustedRelays?: readonly Uint8Array[];
  /** This device's homes. Default none. */
  readonly ownHomes?: readonly RelayHost[];
  /** Keep this side's addresses from the other. Default false. */
  readonly relayOnly?: boolean;
  /** False keeps own candidates until the answer. */
  readonly earlyCandidates: boolean;
  readonly media: MediaState;
  /** How far the supernode's clock is ahead of this device's; 0 where that is not known. */
  readonly clockCorrectionMs?: number;
}

export interface IncomingCallOptions {
  readonly callId: Uint8Array;
  readonly self: Party;
  /** The caller, as the envelope authenticated it. */
  readonly caller: Party;
  /** Fresh random nB, 16 bytes. */
  readonly nonce: Uint8Array;
  readonly policy: CallConsent;
  /** Keys (32 bytes) of the relays that this person or their contacts run. Default none. */
  readonly trustedRelays?: readonly Uint8Array[];
  /** This device's homes. Default none. */
  readonly ownHomes?: readonly RelayHost[];
  /** Keep this side's addresses from the other. Default false. */
  readonly relayOnly?: boolean;
  /** This contact may have this side's candidates while it rings. */
  readonly earlyCandidates: boolean;
  /** This device is in another call: the invite is answered `busy`. */
  readonly busy: boolean;
  /** How far the supernode's clock is ahead of this device's; 0 where that is not known. */
  readonly clockCorrectionMs?: number;
}
