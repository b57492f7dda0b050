/** What two sides of a call tell each other (docs/protocol/call.md): typed set-ups, candidates and messages. */

export type CallRole = "caller" | "callee";

// ---------------------------------------------------------------- set-up (section 3)

/** `opus`: 48 kHz stereo; `red`: RFC 2198 over opus. */
export type AudioCodecName = "opus" | "red";
/** VP9 is profile 0, H264 is 42e01f in packetization mode 1. */
export type VideoCodecName = "vp8" | "vp9" | "h264" | "av1";
/** RTP header extensions: SDES mid, transport-wide congestion control, abs-send-time, client-to-mixer audio level. */
export type ExtensionName = "mid" | "transport-cc" | "abs-send-time" | "audio-level";

export interface AudioCodec {
  readonly name: AudioCodecName;
  /** RTP payload type, 35..63 or 96..127. */
  readonly payloadType: number;
}

export interface VideoCodec {
  readonly name: VideoCodecName;
  readonly payloadType: number;
  /** Payload type of its retransmissions (RFC 4588), or null. */
  readonly rtxPayloadType: number | null;
}

export interface HeaderExtension {
  readonly name: ExtensionName;
  /** 1..14, unique within the set-up. */
  readonly number: number;
}

/** Which relays a side lets carry the call: none, only its own and its contacts', or any. */
export type RelayLevel = "never" | "trusted" | "any";

/** A node, as far as relays are told from it. */
export interface RelayHost {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Who says to run it, unproven: at most `RELAY_OPERATOR_MAX_BYTES` of UTF-8, may be empty. */
  readonly operator: string;
}

/** A relay as a set-up or a restart names it. */
export interface NamedRelay extends RelayHost {
  /** The round trip between it and who names it, in steps of `RELAY_STEP_MS`: 0..`RELAY_STEPS_MAX`, the last where it is not told. */
  readonly steps: number;
}

/** What a side's person lets a call do. */
export interface CallConsent {
  readonly relay: RelayLevel;
  /** This side will take and may send video. */
  readonly video: boolean;
}

/** A side's consent, and the relays it may itself allocate at in this call. */
export interface CallPolicy extends CallConsent {
  /** At most `RELAYS_MAX`, no key twice; none where the level is `never`, or where none was found. */
  readonly relays: readonly NamedRelay[];
}

/** What a side would rather be sent of a picture. */
export type PictureWish = "full" | "small" | "none";

/** What a side asks the other to send of its voice and picture: for one who wants little data used. Nobody has to follow it. */
export interface MediaWish {
  readonly leanVoice: boolean;
  readonly picture: PictureWish;
}

/** What both sides' levels come to, for one side. */
export interface RelayUse {
  /** The levels let this side's own relays carry the call; which of them it was told not to use stands in its leg. */
  readonly mine: boolean;
  /** Whether each of those that the other names may, in their order; none where it names none. */
  readonly theirs: readonly boolean[];
}

/** Everything that one side's WebRTC must be told of the other: the typed form of an SDP. */
export interface CallSetup {
  readonly role: CallRole;
  /** SHA-256 of the DTLS certificate, 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** 4..32 ice-chars. */
  readonly ufrag: string;
  /** 22..64 ice-chars. */
  readonly pwd: string;
  readonly audio: readonly AudioCodec[];
  readonly video: readonly VideoCodec[];
  readonly extensions: readonly HeaderExtension[];
  readonly policy: CallPolicy;
}

/** A set-up with the exact bytes that were sent or received: hashes are over the bytes. */
export interface EncodedSetup {
  readonly bytes: Uint8Array;
  readonly setup: CallSetup;
}

// ---------------------------------------------------------------- candidates (section 4)

export interface Candidate {
  readonly foundation: string;
  readonly transport: "udp" | "tcp";
  /** u32. */
  readonly priority: number;
  /** IPv4, IPv6 or `uuid.local`. */
  readonly address: string;
  readonly port: number;
  readonly type: "host" | "srflx" | "prflx" | "relay";
  readonly relatedAddress: string | null;
  readonly relatedPort: number | null;
  /** Set if and only if the transport is tcp. */
  readonly tcpType: "active" | "passive" | "so" | null;
  /** Which of the relays that its sender names it is on, by their place; null where it is on none, or the sender cannot tell. */
  readonly relay: number | null;
}

/** How far one direction's candidate chain has come: what `confirm` compares. */
export interface ChainMark {
  readonly generation: number;
  readonly count: number;
  /** Chain hash after `count` candidates, 32 bytes. */
  readonly head: Uint8Array;
  readonly ended: boolean;
}

// ---------------------------------------------------------------- messages (section 2)

/** 0 caller hung up, 1 answered elsewhere, 2 declined elsewhere, 3 timed out. */
export type CancelReason = "hung-up" | "answered-elsewhere" | "declined-elsewhere" | "timed-out";
/**
 * 0 a person hung up, 1 connection failed, 2 not confirmed, 3 shutting down, 4 only a relay could carry the call, and there
 * is none or the two sides' settings allow none.
 */
export type HangUpReason = "hung-up" | "connection-failed" | "not-confirmed" | "shutdown" | "relay-needed";

export type CallMessage =
  | {
      readonly type: "invite";
      /** H("EARSHOT-NONCE-1" ‖ nA). */
      readonly commitment: Uint8Array;
      readonly setup: EncodedSetup;
      readonly wantsVideo: boolean;
      /** How far the caller's supernode has its clock ahead of the caller's own: at most `CLOCK_SKEW_MS` either way. */
      readonly clockCorrectionMs: number;
    }
  /** `setup` is null where the callee's policy keeps its addresses until the answer. */
  | { readonly type: "ringing"; readonly setup: EncodedSetup | null }
  | {
      readonly type: "answer";
      /** nB, 16 bytes. */
      readonly nonce: Uint8Array;
      /** Always there when carried by an envelope; null on the data channel. */
      readonly setup: EncodedSetup | null;
      readonly video: boolean;
    }
  /** nA, 16 bytes. */
  | { readonly type: "reveal"; readonly nonce: Uint8Array }
  | {
      readonly type: "candidates";
      readonly generation: number;
      /** Number of the first candidate, from 1. */
      readonly firstIndex: number;
      readonly candidates: readonly Candidate[];
      /** No more will follow in this generation. */
      readonly end: boolean;
    }
  | { readonly type: "decline" }
  | { readonly type: "busy" }
  | { readonly type: "cancel"; readonly reason: CancelReason }
  | { readonly type: "hang-up"; readonly reason: HangUpReason }
  | { readonly type: "confirm"; readonly hash: Uint8Array; readonly sent: ChainMark; readonly received: ChainMark }
  | { readonly type: "media"; readonly audio: boolean; readonly video: boolean }
  | {
      readonly type: "restart";
      readonly generation: number;
      readonly ufrag: string;
      readonly pwd: string;
      readonly isAnswer: boolean;
      /** The relays that the sender may allocate at from now on; null: the same as before. */
      readonly relays: readonly NamedRelay[] | null;
    }
  | { readonly type: "ping"; readonly n: number }
  | { readonly type: "pong"; readonly n: number }
  | { readonly type: "resend-candidates"; readonly generation: number; readonly fromIndex: number }
  /** The callee asks the caller to restart ICE. */
  | { readonly type: "ask-restart"; readonly generation: number }
  | ({ readonly type: "wish" } & MediaWish)
  /** Keys of relays, of those that the receiver named, that the sender does not let carry the call: 1..`RELAYS_MAX`. */
  | { readonly type: "refuse-relays"; readonly keys: readonly Uint8Array[] };

/** What an envelope of kind 4, or one data-channel message, holds. */
export interface CallPacket {
  /** 16 bytes. */
  readonly callId: Uint8Array;
  /** From 1, consecutive per sender, receiver, call and carrier. */
  readonly number: number;
  readonly message: CallMessage;
}

/** How a message travels. Each carrier has its own numbers. */
export type Carrier = "envelope" | "channel";
