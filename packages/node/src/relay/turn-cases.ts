/** A TURN client of few words, for tests and benchmarks: requests as bytes, answers taken apart. */
import { randomBytes } from "node:crypto";
import {
  attributeOf,
  ByteWriter,
  decodeTurn,
  decodeXorAddress,
  encodeStun,
  encodeXorAddress,
  STUN_ERROR_CODE,
  STUN_MESSAGE_INTEGRITY,
  STUN_NONCE,
  STUN_REALM,
  STUN_USERNAME,
  type StunAddress,
  type StunAttribute,
  type StunMessage,
  TURN_ALLOCATE,
  TURN_CHANNEL_BIND,
  TURN_CHANNEL_NUMBER,
  TURN_CREATE_PERMISSION,
  TURN_DATA_ATTRIBUTE,
  TURN_LIFETIME,
  TURN_REFRESH,
  TURN_REQUESTED_TRANSPORT,
  TURN_SEND,
  TURN_XOR_PEER_ADDRESS,
  TURN_XOR_RELAYED_ADDRESS,
  utf8,
} from "@earshot/core";
import { encodeWithIntegrity } from "./integrity.ts";
import { longTermKey, type TurnCredential } from "./turn-credentials.ts";

export const ipv4 = (text: string, port: number): StunAddress => ({
  address: Uint8Array.from(text.split("."), Number),
  port,
});
export const udpTransport: StunAttribute = { type: TURN_REQUESTED_TRANSPORT, value: Uint8Array.of(17, 0, 0, 0) };
export const lifetimeOfSeconds = (seconds: number): StunAttribute => ({
  type: TURN_LIFETIME,
  value: new ByteWriter().u32(seconds).finish(),
});

/** Makes requests; remembers realm and nonce of the last challenge. */
export class TurnAsker {
  readonly #credential: TurnCredential;
  #challenge: readonly StunAttribute[] = [];

  constructor(credential: TurnCredential) {
    this.#credential = credential;
  }

  /** Unproved before the first challenge. */
  request(type: number, attributes: readonly StunAttribute[], transactionId = randomBytes(12)): Uint8Array {
    if (this.#challenge.length === 0) return encodeStun({ type, transactionId, attributes, hasFingerprint: false });
    const { username, password } = this.#credential;
    const realm = this.#challenge.find((attribute) => attribute.type === STUN_REALM);
    const key = longTermKey(username, Buffer.from(realm?.value ?? []).toString(), password);
    const all = [...attributes, { type: STUN_USERNAME, value: utf8(username) }, ...this.#challenge];
    const message = { type, transactionId, attributes: all, hasFingerprint: false };
    return encodeWithIntegrity(message, STUN_MESSAGE_INTEGRITY, key);
  }

  allocate(...more: readonly StunAttribute[]): Uint8Array {
    return this.request(TURN_ALLOCATE, [udpTransport, ...more]);
  }
  refresh(seconds: number): Uint8Array {
    return this.request(TURN_REFRESH, [lifetimeOfSeconds(seconds)]);
  }
  permit(...peers: readonly StunAddress[]): Uint8Array {
    const id = randomBytes(12);
    const attributes = peers.map((peer) => ({ type: TURN_XOR_PEER_ADDRESS, value: encodeXorAddress(peer, id) }));
    return this.request(TURN_CREATE_PERMISSION, attributes, id);
  }
  bind(channel: number, peer: StunAddress): Uint8Array {
    const id = randomBytes(12);
    const number = new ByteWriter().u16(channel).u16(0).finish();
    const attributes = [
      { type: TURN_CHANNEL_NUMBER, value: number },
      { type: TURN_XOR_PEER_ADDRESS, value: encodeXorAddress(peer, id) },
    ];
    return this.request(TURN_CHANNEL_BIND, attributes, id);
  }

  /** Takes the challenge of a 401 or 438. */
  take(answer: StunMessage): void {
    const challenge = answer.attributes.filter(({ type }) => type === STUN_REALM || type === STUN_NONCE);
    if (challenge.length === 2) this.#challenge = challenge;
  }
}

export function sendIndication(peer: StunAddress, data: Uint8Array): Uint8Array {
  const transactionId = randomBytes(12);
  const attributes = [
    { type: TURN_XOR_PEER_ADDRESS, value: encodeXorAddress(peer, transactionId) },
    { type: TURN_DATA_ATTRIBUTE, value: data },
  ];
  return encodeStun({ type: TURN_SEND, transactionId, attributes, hasFingerprint: false });
}

export function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeTurn(bytes);
  if (!message.ok) throw new Error(`no STUN message: ${message.code}`);
  return message.value;
}

/** STUN's number of an error answer; 0 for any other. */
export function codeOf(message: StunMessage): number {
  const value = attributeOf(message, STUN_ERROR_CODE);
  return value === undefined ? 0 : (value[2] as number) * 100 + (value[3] as number);
}

export function relayedOf(message: StunMessage): StunAddress {
  const value = attributeOf(message, TURN_XOR_RELAYED_ADDRESS);
  const address = value && decodeXorAddress(value, message.transactionId);
  if (!address?.ok) throw new Error("no relayed address");
  return address.value;
}

export function secondsOf(message: StunMessage): number {
  const value = attributeOf(message, TURN_LIFETIME);
  return value === undefined ? Number.NaN : new DataView(value.buffer, value.byteOffset).getUint32(0);
}
