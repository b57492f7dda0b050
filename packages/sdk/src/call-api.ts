/** The part of the SDK's public face that is one call. */
import type { CallQuality, CallSummary, MediaWish } from "@earshot/core";
import type { Contact, Unsubscribe } from "./api.ts";

/** The person's own tracks. Nothing of them leaves before the answer and the confirmation. */
export interface CallMedia {
  readonly audio?: MediaStreamTrack;
  readonly video?: MediaStreamTrack;
}

export type CallPhase =
  | "dialling" // invite on its way
  | "ringing" // outgoing: it rings there; incoming: it rings here
  | "connecting" // answered; transport or confirmation not there yet
  | "active"
  | "reconnecting"
  | "ended";

export type CallEndReason =
  | "hung-up"
  | "declined"
  | "busy"
  | "cancelled"
  | "no-answer"
  | "answered-elsewhere"
  | "declined-elsewhere"
  | "unreachable"
  | "connection-failed"
  | "peer-vanished"
  | "not-confirmed"
  /** Only a relay could carry it, and there was none, or the two people's settings allow none. */
  | "relay-needed"
  | "refused"
  | "local-shutdown";

/** A relay that carries a call, as the signed set-up of the side that chose it names it. */
export interface CallRelay {
  /** Who says to run it, unproven; may be empty. Where that side named two and it cannot be told which: both, joined by `or`. */
  readonly operator: string;
  /** Hex; null where it cannot be told which of two it is. */
  readonly key: string | null;
  /** Whose side chose it. */
  readonly side: "mine" | "theirs";
  /** This person or a contact of theirs runs it. */
  readonly trusted: boolean;
}

/** How the call travels, from the selected candidate pair. */
export interface CallPath {
  readonly kind: "direct" | "relayed";
  /** The relay at this end or, where there is none, the one at the other's; null on a direct path. */
  readonly relay: CallRelay | null;
  /** The other's relay, where there is one at each end. */
  readonly farRelay: CallRelay | null;
  /** This device's addresses are kept from the other in this call: it is relayed for that. */
  readonly addressHidden: boolean;
  /** It is relayed although ICE holds a direct path that works, in two looks one after the other. */
  readonly directShouldHaveWorked: boolean;
  readonly protocol: "udp" | "tcp";
  readonly localType: string;
  readonly remoteType: string;
  readonly localAddress?: string;
  readonly remoteAddress?: string;
  readonly roundTripMs?: number;
  /** False until the confirm exchange held. A relayed path is unverified until then. */
  readonly confirmed: boolean;
  /** Addresses that were sent and did not arrive (promise 2), after repair. */
  readonly missingCandidates: number;
}

export interface CallStats {
  readonly roundTripMs?: number;
  readonly jitterMs?: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface CallEvents {
  /** Anything readable on the call changed. */
  change: Call;
  ended: CallEndReason;
}

export interface Call {
  readonly callId: string;
  readonly peer: Contact;
  readonly direction: "outgoing" | "incoming";
  readonly phase: CallPhase;
  readonly endReason?: CallEndReason;
  /** The caller asked for video (incoming), or this side did (outgoing). */
  readonly wantsVideo: boolean;
  readonly startedAt: number;
  readonly answeredAt?: number;
  readonly endedAt?: number;
  /** Four words to compare by voice, once both nonces are known. */
  readonly words?: readonly string[];
  readonly confirmed: boolean;
  readonly muted: boolean;
  readonly localVideo: MediaStreamTrack | null;
  /** What the other side says it sends. */
  readonly remoteMedia: { readonly audio: boolean; readonly video: boolean };
  /** The other side's tracks, present from the confirmation on. */
  readonly remoteAudio?: MediaStreamTrack;
  readonly remoteVideo?: MediaStreamTrack;
  readonly path?: CallPath;
  /** How the call is at present; judged anew every second, once there is sound. */
  readonly quality?: CallQuality;
  /** This side's picture is not sent at present, so that the voice gets through, or because `askedFor` says so; it comes back by itself. */
  readonly pictureHeld: boolean;
  /** The person wants little data used (`CallSettings.lowData`): the other side is asked for a lean voice and, until `pictureWanted`, for no picture. */
  readonly lowData: boolean;
  /** False in a call with little data to which no picture was taken along, until `setPictureWanted(true)`. */
  readonly pictureWanted: boolean;
  /** What the other side asks to be sent. The call follows it by itself, and sends no more than that. */
  readonly askedFor: MediaWish;
  /** What the call was like, once it has ended. It stays here: nothing sends it anywhere. */
  readonly summary?: CallSummary;
  answer(media?: CallMedia): Promise<void>;
  decline(): Promise<void>;
  hangUp(): Promise<void>;
  setMuted(muted: boolean): void;
  /** Asks the other side for its picture, a small one, in a call with little data; or asks it to send none again. */
  setPictureWanted(wanted: boolean): void;
  setAudio(track: MediaStreamTrack | null): Promise<void>;
  /** Starts, swaps or stops (null) this side's picture. */
  setVideo(track: MediaStreamTrack | null): Promise<void>;
  stats(): Promise<CallStats>;
  on<K extends keyof CallEvents>(event: K, listener: (value: CallEvents[K]) => void): Unsubscribe;
}
