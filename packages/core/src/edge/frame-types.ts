/**
 * The frames of the edge protocol as data. docs/protocol/edge.md sections 2 and 3 fix their bytes; lengths in comments
 * are enforced by the codec.
 */
import type { SupernodeRef } from "../overlay/addresses.ts";
import type { EdgeErrorCode } from "./error-codes.ts";

/** The whole frame, type and request id included. Holds the largest sealed next hop (8,294 bytes) with room to spare. */
export const MAX_FRAME_BYTES = 10_240;
export const EDGE_VERSION = 1;
/** WebSocket sub-protocol of this version. */
export const EDGE_SUBPROTOCOL = "earshot.edge.1";
/** A daemon that asks for its token takes it from a second sub-protocol: this prefix, then the token. */
export const EDGE_TOKEN_SUBPROTOCOL_PREFIX = "earshot.token.";
/** Token hashes in one `set-tokens`. */
export const MAX_TOKENS_PER_FRAME = 256;
export const MAX_HELLO_VERSIONS = 8;
export const MAX_ICE_URLS = 8;
/** Descriptors in one `supernodes`. */
export const MAX_SUPERNODES = 20;
/** Descriptors in one `drain`. */
export const MAX_DRAIN_SUPERNODES = 5;
export const MAX_PROBE_BYTES = 10_000;
/** Of one URL in `ice`. */
export const MAX_ICE_URL_BYTES = 256;
/** Of one relay: UDP, TCP and TLS, and one of another address family. */
export const MAX_RELAY_URLS = 4;
/** Of a relay's user name and of its password. */
export const MAX_RELAY_SECRET_BYTES = 128;
export const MAX_BUNDLE_BYTES = 8_192;
export const MAX_RECORD_VALUE_BYTES = 1_000;

/** Who may deliver to a mailbox: bits of the `lanes` byte. */
export const LANE_CONTACT = 1;
export const LANE_REQUEST = 2;

/** A mutable record as it travels: records.md section 2. */
export interface RecordOnWire {
  readonly publicKey: Uint8Array;
  readonly seq: number;
  readonly signature: Uint8Array;
  /** At most 1,000 bytes. */
  readonly value: Uint8Array;
}

export interface TokenEntry {
  /** Unix day (UTC) on which the token is meant to be used. */
  readonly day: number;
  /** First 16 bytes of H(token). */
  readonly tokenHash: Uint8Array;
}

export type TokenOperation = "add" | "remove" | "clear";

/** What a supernode says about itself before anything else. */
export interface Welcome {
  readonly version: number;
  readonly supernodeKey: Uint8Array;
  readonly hopKey: Uint8Array;
  /** 32 bytes, fresh for the connection: mailbox signatures cover it. */
  readonly challenge: Uint8Array;
  /** Unix milliseconds at the supernode. */
  readonly time: number;
  readonly maxFrameBytes: number;
  readonly mailboxWorkBits: number;
  readonly requestWorkBits: number;
  readonly retentionSeconds: number;
}

type Body<T extends string, Fields = object> = { readonly type: T } & Fields;

/** What a client asks, without its request id. */
export type EdgeRequest =
  | Body<"hello", { versions: readonly number[]; clientNonce: Uint8Array }>
  | Body<"open-mailbox", { mailboxKey: Uint8Array; lanes: number; hour: number; work: number; signature: Uint8Array }>
  | Body<"close-mailbox", { mailboxId: Uint8Array; forget: boolean }>
  | Body<"deliver", { to: SupernodeRef; sealedHop: Uint8Array }>
  | Body<"ack", { mailboxId: Uint8Array; seq: number }>
  | Body<"put-record", { record: RecordOnWire }>
  | Body<"get-record", { publicKey: Uint8Array }>
  /** `at` null: at the supernode that is asked. */
  | Body<"put-bundle", { at: SupernodeRef | null; bundle: Uint8Array }>
  | Body<"get-bundle", { hash: Uint8Array; at: SupernodeRef | null }>
  | Body<"set-tokens", { mailboxId: Uint8Array; operation: TokenOperation; tokens: readonly TokenEntry[] }>
  | Body<"list-supernodes">
  | Body<"get-ice">
  | Body<"ping">
  /** Makes the connection a peer's: the asker is the supernode of the descriptor. */
  | Body<"peer-hello", { descriptor: Uint8Array; signature: Uint8Array }>
  /** Asks to be dialled over HyperDHT, at `dht` (or where the asker is seen, if empty), under that key. */
  | Body<"dial-back", { dht: string; supernodeKey: Uint8Array }>
  | Body<"probe", { padding: Uint8Array }>
  | Body<"get-descriptor">
  /** For whoever has that mailbox open. */
  | Body<"get-relay", { mailboxId: Uint8Array }>;

/** What a supernode says, as an answer (with the request's id) or by itself (id 0). */
export type EdgeReply =
  | Body<"welcome", { welcome: Welcome; signedPart: Uint8Array; signature: Uint8Array }>
  | Body<"opened", { mailboxId: Uint8Array; stored: number }>
  | Body<"envelope", { mailboxId: Uint8Array; seq: number; envelope: Uint8Array }>
  | Body<"ok">
  | Body<"record", { record: RecordOnWire | null }>
  | Body<"bundle", { bundle: Uint8Array | null }>
  /** `tunnels`: this daemon tunnels for whoever holds its token. `self`: the first one is the answering node itself. */
  | Body<"supernodes", { tunnels: boolean; self: boolean; descriptors: readonly Uint8Array[] }>
  | Body<"ice", { urls: readonly string[] }>
  | Body<"drain", { graceMs: number; retryAfterMs: number; descriptors: readonly Uint8Array[] }>
  | Body<"pong">
  | Body<"moved", { mailboxId: Uint8Array }>
  /** `observedHost`: the asker's address as it is seen, without brackets. */
  | Body<"dialled", { reached: boolean; observedHost: string }>
  | Body<"descriptor", { descriptor: Uint8Array }>
  /** `turn:` and `turns:` URLs, and what opens them until `expiresAt` (Unix ms). */
  | Body<"relay", { urls: readonly string[]; username: string; password: string; expiresAt: number }>
  | Body<"error", { code: EdgeErrorCode; retryAfterMs: number }>;

export type ClientFrame = EdgeRequest & { readonly requestId: number };
export type ServerFrame = EdgeReply & { readonly requestId: number };
export type EdgeFrame = ClientFrame | ServerFrame;
