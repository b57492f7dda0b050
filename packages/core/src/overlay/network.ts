/** What every member of a network derives from its key. docs/protocol/backbone.md sections 1 and 2. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, toHex, utf8 } from "../bytes.ts";

export const NETWORK_KEY_BYTES = 32;
export const NETWORK_ID_BYTES = 8;
/** Bytes of the first message on a HyperDHT stream that carries the edge protocol. */
export const GATE_BYTES = 32;
/** A private network's edge listener that takes strangers asks for a second sub-protocol: this prefix, then {@link edgeGate} in hex. */
export const EDGE_NETWORK_SUBPROTOCOL_PREFIX = "earshot.network.";
/** The network that anyone may join: its key is no secret. */
export const OPEN_NETWORK_KEY: Uint8Array = sha256(utf8("earshot open network 1"));

/** The network id of a node that is in no network. */
export const NO_NETWORK_ID: Uint8Array = new Uint8Array(NETWORK_ID_BYTES);

/** What descriptors name the network by, 8 bytes: says nothing of the key. */
export function networkIdOf(networkKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8("earshot network id 1"), checkKey(networkKey))).slice(0, NETWORK_ID_BYTES);
}

/** Where in the DHT the network's supernodes announce themselves, 32 bytes. */
export function supernodeTopic(networkKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8("earshot supernodes 1"), checkKey(networkKey)));
}

/** Where nodes announce themselves that relay calls and are no supernodes, 32 bytes. */
export function relayTopic(networkKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8("earshot relays 1"), checkKey(networkKey)));
}

/** The dialler's first message on a HyperDHT stream: membership, bound to the stream by its Noise handshake hash. */
export function streamGate(networkKey: Uint8Array, handshakeHash: Uint8Array): Uint8Array {
  return hmac(sha256, checkKey(networkKey), concat(utf8("earshot gate 1"), handshakeHash));
}

/** What a client shows a private network's edge listener: membership, good at that supernode alone. */
export function edgeGate(networkKey: Uint8Array, supernodeKey: Uint8Array): Uint8Array {
  return hmac(sha256, checkKey(networkKey), concat(utf8("earshot edge gate 1"), supernodeKey));
}

/** {@link edgeGate} as the second sub-protocol. */
export function edgeGateSubprotocol(networkKey: Uint8Array, supernodeKey: Uint8Array): string {
  return EDGE_NETWORK_SUBPROTOCOL_PREFIX + toHex(edgeGate(networkKey, supernodeKey));
}

function checkKey(networkKey: Uint8Array): Uint8Array {
  if (networkKey.length !== NETWORK_KEY_BYTES) throw new RangeError(`a network key has ${NETWORK_KEY_BYTES} bytes`);
  return networkKey;
}
