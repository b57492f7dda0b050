/** What TURN adds to STUN (RFC 8656): methods, attributes, and the frames of channels. */
import { accept, refuse, type Result } from "../errors.ts";
import { decodeStun, type StunMessage } from "./message.ts";

/** Longest datagram or frame that is taken: above any WebRTC packet with the header of a Send indication. */
export const TURN_MAX_BYTES = 2_048;

/** Methods with the class bits of a request (RFC 8656 section 17). */
export const TURN_ALLOCATE = 0x0003;
export const TURN_REFRESH = 0x0004;
export const TURN_CREATE_PERMISSION = 0x0008;
export const TURN_CHANNEL_BIND = 0x0009;
/** Indications. */
export const TURN_SEND = 0x0016;
export const TURN_DATA = 0x0017;
/** Class bits: what a method's number is or-ed with. */
export const STUN_SUCCESS = 0x0100;
export const STUN_ERROR = 0x0110;
const CLASS_BITS = 0x0110;

export const STUN_USERNAME = 0x0006;
export const STUN_MESSAGE_INTEGRITY = 0x0008;
export const TURN_CHANNEL_NUMBER = 0x000c;
export const TURN_LIFETIME = 0x000d;
export const TURN_XOR_PEER_ADDRESS = 0x0012;
export const TURN_DATA_ATTRIBUTE = 0x0013;
export const STUN_REALM = 0x0014;
export const STUN_NONCE = 0x0015;
export const TURN_XOR_RELAYED_ADDRESS = 0x0016;
export const TURN_REQUESTED_ADDRESS_FAMILY = 0x0017;
export const TURN_EVEN_PORT = 0x0018;
export const TURN_REQUESTED_TRANSPORT = 0x0019;
export const STUN_MESSAGE_INTEGRITY_SHA256 = 0x001c;
export const TURN_RESERVATION_TOKEN = 0x0022;

/** RFC 8656 section 12 ends them at 0x4FFF; WebRTC and coturn's clients use those of RFC 5766 section 11, too. */
export const TURN_FIRST_CHANNEL = 0x4000;
export const TURN_LAST_CHANNEL = 0x7fff;
export const CHANNEL_HEADER_BYTES = 4;

/** Whether it is a request, whose number then is the method. */
export function isStunRequest({ type }: StunMessage): boolean {
  return (type & CLASS_BITS) === 0;
}

/** As {@link decodeStun}, with room for the data of a Send indication. */
export function decodeTurn(bytes: Uint8Array): Result<StunMessage> {
  return decodeStun(bytes, TURN_MAX_BYTES);
}

/** The value of the first attribute of that type. */
export function attributeOf(message: StunMessage, type: number): Uint8Array | undefined {
  return message.attributes.find((attribute) => attribute.type === type)?.value;
}

export interface ChannelData {
  /** 0x4000 to 0x7FFF. */
  readonly channel: number;
  readonly data: Uint8Array;
}

/** Whether the first byte is that of a ChannelData message and not of STUN (RFC 8656 section 12). */
export function isChannelData(firstByte: number): boolean {
  return firstByte >= 0x40 && firstByte <= 0x7f;
}

/** RFC 8656 section 12.4; what follows the data is padding. Refused: `too-large`, `bad-frame`. */
export function decodeChannelData(bytes: Uint8Array): Result<ChannelData> {
  if (bytes.length > TURN_MAX_BYTES) return refuse("too-large", "channel data");
  if (bytes.length < CHANNEL_HEADER_BYTES || !isChannelData(bytes[0] as number))
    return refuse("bad-frame", "channel header");
  const channel = ((bytes[0] as number) << 8) | (bytes[1] as number);
  const length = ((bytes[2] as number) << 8) | (bytes[3] as number);
  if (CHANNEL_HEADER_BYTES + length > bytes.length) return refuse("bad-frame", "channel length");
  return accept({ channel, data: bytes.subarray(CHANNEL_HEADER_BYTES, CHANNEL_HEADER_BYTES + length) });
}

/** `padded`: to a multiple of 4, as streams need it. `allocate` may give bytes of any content. */
export function encodeChannelData(
  channel: number,
  data: Uint8Array,
  padded: boolean,
  allocate: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): Uint8Array {
  const length = CHANNEL_HEADER_BYTES + data.length;
  const bytes = allocate(padded ? (length + 3) & ~3 : length);
  if (bytes.length > length) bytes.fill(0, length);
  bytes[0] = channel >>> 8;
  bytes[1] = channel;
  bytes[2] = data.length >>> 8;
  bytes[3] = data.length;
  bytes.set(data, CHANNEL_HEADER_BYTES);
  return bytes;
}
