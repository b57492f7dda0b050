/**
 * STUN messages (RFC 8489 section 5).
 *
 *   0 0 | class and method 14 bits | length u16 | magic cookie u32 | transaction id 12 | attributes
 *   attribute: type u16 | length u16 | value, padded to 4 bytes (the padding is not checked, section 14)
 */
import { ByteWriter, concat } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";

export const STUN_MAGIC_COOKIE = 0x2112_a442;
export const STUN_HEADER_BYTES = 20;
/** Far above any Binding request; a longer datagram is not worth parsing. */
export const STUN_MAX_BYTES = 1_280;
export const STUN_MAX_ATTRIBUTES = 64;

export const STUN_BINDING_REQUEST = 0x0001;
export const STUN_BINDING_SUCCESS = 0x0101;
export const STUN_BINDING_ERROR = 0x0111;

export const STUN_ERROR_CODE = 0x0009;
export const STUN_UNKNOWN_ATTRIBUTES = 0x000a;
export const STUN_XOR_MAPPED_ADDRESS = 0x0020;
export const STUN_SOFTWARE = 0x8022;
export const STUN_FINGERPRINT = 0x8028;

const FINGERPRINT_XOR = 0x5354_554e;
const FINGERPRINT_BYTES = 8;

export interface StunAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface StunMessage {
  /** Class and method as they stand in the first 16 bits. */
  readonly type: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** In order, FINGERPRINT left out. */
  readonly attributes: readonly StunAttribute[];
  /** A FINGERPRINT was there, and right. */
  readonly hasFingerprint: boolean;
}

/**
 * Refused: `bad-frame` (no STUN message, wrong lengths, a wrong or misplaced FINGERPRINT), `too-large` (beyond `maxBytes`), `too-many`.
 * Values of attributes are views of `bytes`.
 */
export function decodeStun(bytes: Uint8Array, maxBytes = STUN_MAX_BYTES): Result<StunMessage> {
  if (bytes.length > maxBytes) return refuse("too-large", "stun");
  if (bytes.length < STUN_HEADER_BYTES) return refuse("bad-frame", "stun header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.getUint16(0);
  const length = view.getUint16(2);
  const isStun = type < 0x4000 && length % 4 === 0 && view.getUint32(4) === STUN_MAGIC_COOKIE;
  if (!isStun || length !== bytes.length - STUN_HEADER_BYTES) return refuse("bad-frame", "stun header");
  const attributes: StunAttribute[] = [];
  let hasFingerprint = false;
  for (let at = STUN_HEADER_BYTES; at < bytes.length; ) {
    if (hasFingerprint) return refuse("bad-frame", "stun attribute after the fingerprint");
    if (attributes.length >= STUN_MAX_ATTRIBUTES) return refuse("too-many", "stun attributes");
    const attributeType = view.getUint16(at);
    const valueLength = view.getUint16(at + 2);
    const end = at + 4 + valueLength;
    if (end > bytes.length) return refuse("bad-frame", "stun attribute");
    if (attributeType === STUN_FINGERPRINT) {
      const right = valueLength === 4 && view.getUint32(at + 4) === stunFingerprint(bytes.subarray(0, at));
      if (!right) return refuse("bad-frame", "stun fingerprint");
      hasFingerprint = true;
    } else attributes.push({ type: attributeType, value: bytes.subarray(at + 4, end) });
    at += 4 + padded(valueLength);
  }
  return accept({ type, transactionId: bytes.subarray(8, STUN_HEADER_BYTES), attributes, hasFingerprint });
}

/** Throws RangeError for a transaction id that is not 12 bytes long. */
export function encodeStun(message: StunMessage): Uint8Array {
  const body = new ByteWriter();
  for (const { type, value } of message.attributes)
    body
      .u16(type)
      .bytes16(value)
      .raw(new Uint8Array(padded(value.length) - value.length));
  const attributes = body.finish();
  const header = new ByteWriter()
    .u16(message.type)
    .u16(attributes.length + (message.hasFingerprint ? FINGERPRINT_BYTES : 0))
    .u32(STUN_MAGIC_COOKIE)
    .fixed(message.transactionId, 12);
  const bytes = concat(header.finish(), attributes);
  if (!message.hasFingerprint) return bytes;
  return concat(bytes, new ByteWriter().u16(STUN_FINGERPRINT).u16(4).u32(stunFingerprint(bytes)).finish());
}

/** RFC 8489 section 14.7, over everything before the attribute; the header's length already counts it. */
export function stunFingerprint(bytes: Uint8Array): number {
  return (crc32(bytes) ^ FINGERPRINT_XOR) >>> 0;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  return crc;
});

/** ITU V.42. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] as number);
  return ~crc >>> 0;
}
