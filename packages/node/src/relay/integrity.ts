/** MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 sections 14.5 and 14.6): an HMAC over what stands before it. */
import { createHmac, timingSafeEqual } from "node:crypto";
import {
  encodeStun,
  STUN_HEADER_BYTES,
  STUN_MESSAGE_INTEGRITY,
  STUN_MESSAGE_INTEGRITY_SHA256,
  type StunAttribute,
  type StunMessage,
} from "@earshot/core";

const ATTRIBUTE_HEADER_BYTES = 4;

/** Which of them `message` carries first, if any: what stands behind it is not covered. */
export function integrityOf(message: StunMessage): StunAttribute | undefined {
  return message.attributes.find(({ type }) => isIntegrity(type));
}

/** The attributes that its integrity covers. */
export function covered(message: StunMessage): StunMessage {
  const end = message.attributes.findIndex(({ type }) => isIntegrity(type));
  return end < 0 ? message : { ...message, attributes: message.attributes.slice(0, end) };
}

/** `bytes`: what `message` was decoded from, of which its attributes are views. */
export function hasIntegrity(bytes: Uint8Array, message: StunMessage, key: Uint8Array): boolean {
  const attribute = integrityOf(message);
  if (attribute === undefined) return false;
  const offset = attribute.value.byteOffset - bytes.byteOffset - ATTRIBUTE_HEADER_BYTES;
  const expected = macOf(bytes.subarray(0, offset), attribute.type, key);
  return attribute.value.length === expected.length && timingSafeEqual(attribute.value, expected);
}

/** Encoded, with the integrity of that type behind the other attributes. */
export function encodeWithIntegrity(message: StunMessage, type: number, key: Uint8Array): Uint8Array {
  const plain = encodeStun({ ...message, hasFingerprint: false });
  const value = macOf(plain, type, key);
  return encodeStun({ ...message, attributes: [...message.attributes, { type, value }] });
}

function isIntegrity(type: number): boolean {
  return type === STUN_MESSAGE_INTEGRITY || type === STUN_MESSAGE_INTEGRITY_SHA256;
}

/** The header's length counts up to the end of the attribute itself. */
function macOf(before: Uint8Array, type: number, key: Uint8Array): Buffer {
  const algorithm = type === STUN_MESSAGE_INTEGRITY ? "sha1" : "sha256";
  const macBytes = algorithm === "sha1" ? 20 : 32;
  const counted = Buffer.from(before);
  counted.writeUInt16BE(before.length - STUN_HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + macBytes, 2);
  return createHmac(algorithm, key).update(counted).digest();
}
