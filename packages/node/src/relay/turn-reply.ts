/** Answers of the TURN server, and what it reads out of requests. */
import {
  attributeOf,
  ByteWriter,
  decodeXorAddress,
  encodeStun,
  type Result,
  STUN_ERROR,
  STUN_ERROR_CODE,
  STUN_NONCE,
  STUN_REALM,
  STUN_SOFTWARE,
  STUN_SUCCESS,
  STUN_UNKNOWN_ATTRIBUTES,
  type StunAddress,
  type StunAttribute,
  type StunMessage,
  TURN_LIFETIME,
  TURN_XOR_PEER_ADDRESS,
  utf8,
} from "@earshot/core";
import { encodeWithIntegrity } from "./integrity.ts";
import type { RelayFamily } from "./relay-ports.ts";
import { TURN_REALM } from "./turn-credentials.ts";

/** RFC 8656 section 19 and RFC 8489 section 14.8. */
export type TurnErrorCode = 400 | 401 | 403 | 420 | 437 | 438 | 440 | 441 | 442 | 443 | 486 | 508;

const REASONS: Readonly<Record<TurnErrorCode, string>> = {
  400: "Bad Request",
  401: "Unauthenticated",
  403: "Forbidden",
  420: "Unknown Attribute",
  437: "Allocation Mismatch",
  438: "Stale Nonce",
  440: "Address Family not Supported",
  441: "Wrong Credentials",
  442: "Unsupported Transport Protocol",
  443: "Peer Address Family Mismatch",
  486: "Allocation Quota Reached",
  508: "Insufficient Capacity",
};
const MAX_UNKNOWN_NAMED = 8;
const SOFTWARE: StunAttribute = { type: STUN_SOFTWARE, value: utf8("earshot") };

/** Who asked, proved: answers to them are proved, too. */
export interface Proof {
  readonly key: Uint8Array;
  /** Which kind of integrity the request carried. */
  readonly type: number;
}

export function success(request: StunMessage, attributes: readonly StunAttribute[], proof: Proof): Uint8Array {
  return encode(request, STUN_SUCCESS, [...attributes, SOFTWARE], proof);
}

export function failure(request: StunMessage, code: TurnErrorCode, proof?: Proof): Uint8Array {
  return encode(request, STUN_ERROR, [errorCode(code)], proof);
}

/** 420, with the attributes that were not understood. */
export function unknownAttributes(request: StunMessage, types: readonly number[], proof?: Proof): Uint8Array {
  const names = new ByteWriter();
  for (const type of types.slice(0, MAX_UNKNOWN_NAMED)) names.u16(type);
  return encode(request, STUN_ERROR, [errorCode(420), { type: STUN_UNKNOWN_ATTRIBUTES, value: names.finish() }], proof);
}

/** 401 or 438: how to prove oneself. */
export function challenge(request: StunMessage, code: 401 | 438, nonce: Uint8Array): Uint8Array {
  return encode(request, STUN_ERROR, [
    errorCode(code),
    { type: STUN_REALM, value: utf8(TURN_REALM) },
    { type: STUN_NONCE, value: nonce },
  ]);
}

export function lifetime(seconds: number): StunAttribute {
  return { type: TURN_LIFETIME, value: new ByteWriter().u32(seconds).finish() };
}

/** Seconds, if the request says. Undefined where it does not, `"bad"` where it is none. */
export function lifetimeOf(request: StunMessage): number | undefined | "bad" {
  const value = attributeOf(request, TURN_LIFETIME);
  if (value === undefined) return undefined;
  return value.length === 4 ? new DataView(value.buffer, value.byteOffset).getUint32(0) : "bad";
}

/** REQUESTED-ADDRESS-FAMILY; undefined for one that is not known. */
export function familyOf(value: Uint8Array): RelayFamily | undefined {
  if (value.length !== 4) return undefined;
  return value[0] === 1 ? 4 : value[0] === 2 ? 6 : undefined;
}

export function peersOf(request: StunMessage): Result<StunAddress>[] {
  return request.attributes
    .filter(({ type }) => type === TURN_XOR_PEER_ADDRESS)
    .map(({ value }) => decodeXorAddress(value, request.transactionId));
}

function errorCode(code: TurnErrorCode): StunAttribute {
  const value = new ByteWriter()
    .u16(0)
    .u8(Math.floor(code / 100))
    .u8(code % 100)
    .raw(utf8(REASONS[code]))
    .finish();
  return { type: STUN_ERROR_CODE, value };
}

function encode(
  request: StunMessage,
  classBits: number,
  attributes: readonly StunAttribute[],
  proof?: Proof,
): Uint8Array {
  const { transactionId, hasFingerprint } = request;
  const message = { type: request.type | classBits, transactionId, attributes, hasFingerprint };
  return proof === undefined ? encodeStun(message) : encodeWithIntegrity(message, proof.type, proof.key);
}
