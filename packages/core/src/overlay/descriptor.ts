/**
 * What a supernode says of itself, signed: the only way in which one is named on the wire. docs/protocol/backbone.md section 3.
 *
 *   version u8 ‖ network id 8 ‖ supernode key 32 ‖ hop key 32 ‖ flags u8 ‖ issuedAt u64 ‖ clients u32 ‖ maxClients u32
 *   ‖ bytes8 url ‖ bytes8 dht ‖ bytes8 operator ‖ signature 64
 */
import { bytesToUtf8 } from "@noble/ciphers/utils.js";
import { type ByteReader, ByteWriter, concat, decodeBytes, equalBytes, utf8 } from "../bytes.ts";
import { checkText } from "../cbor.ts";
import { accept, type Result, refuse } from "../errors.ts";
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";
import { decodePublicKey, SIGNATURE_BYTES, verifyEd25519 } from "../identity/ed25519.ts";
import { decodeX25519Key } from "../identity/x25519.ts";
import type { SignatureBackend } from "../ports.ts";
import { NETWORK_ID_BYTES } from "./network.ts";
import { readDht, readUrl, writeDht, writeUrl } from "./ref-codec.ts";

export const DESCRIPTOR_VERSION = 1;
/** After this a descriptor says nothing any more: whoever serves signs a new one well before. */
export const DESCRIPTOR_LIFETIME_MS = 3 * 3_600_000;
/** When the own one is signed anew. */
export const DESCRIPTOR_REFRESH_MS = 30 * 60_000;
/** The largest has 386 bytes. */
export const DESCRIPTOR_MAX_BYTES = 400;
export const OPERATOR_MAX_BYTES = 48;

const LABEL = utf8("EARSHOT-SUPERNODE-1");
const FLAG_DEDICATED = 1;
const FLAG_SERVES_APP = 2;
const FLAG_RELAYS = 4;

export interface SupernodeDescriptor {
  /** `networkIdOf` the network's key, 8 bytes. */
  readonly networkId: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly supernodeKey: Uint8Array;
  /** X25519, 32 bytes. */
  readonly hopKey: Uint8Array;
  /** Run for good by somebody, as opposed to promoted while its machine happens to be on. */
  readonly dedicated: boolean;
  /** Its own address gives out the web app. */
  readonly servesApp: boolean;
  /** It is a relay for calls besides (edge.md, `get-relay`). */
  readonly relays: boolean;
  /** Unix ms. */
  readonly issuedAt: number;
  readonly clients: number;
  /** 0: serves only its own person. */
  readonly maxClients: number;
  /** `wss://…` of its edge listener; empty where HyperDHT alone reaches it. */
  readonly url: string;
  /** `ip:port` of its HyperDHT node; empty where it has none that others reach. */
  readonly dht: string;
  /** Who says to run it, in at most 48 bytes: unproven, shown as a name in quotes. */
  readonly operator: string;
}

/** The part that is signed. RangeError or RefusedError `bad-text` where a field breaks its bounds: the caller's mistake. */
export function encodeDescriptor(descriptor: SupernodeDescriptor): Uint8Array {
  const operator = utf8(descriptor.operator);
  if (operator.length > OPERATOR_MAX_BYTES) throw new RangeError(`an operator has at most ${OPERATOR_MAX_BYTES} bytes`);
  if (!checkText(descriptor.operator).ok) throw new RangeError("an operator without control characters");
  const w = new ByteWriter()
    .u8(DESCRIPTOR_VERSION)
    .fixed(descriptor.networkId, NETWORK_ID_BYTES)
    .fixed(descriptor.supernodeKey, 32)
    .fixed(descriptor.hopKey, 32)
    .u8(flagsOf(descriptor))
    .u64(descriptor.issuedAt)
    .u32(descriptor.clients)
    .u32(descriptor.maxClients);
  writeUrl(w, descriptor.url);
  writeDht(w, descriptor.dht);
  return w.bytes8(operator).finish();
}

/** Whole and signed. `sign` signs under the supernode key. Throws as {@link encodeDescriptor}. */
export function signDescriptor(descriptor: SupernodeDescriptor, sign: (message: Uint8Array) => Uint8Array): Uint8Array {
  const signedPart = encodeDescriptor(descriptor);
  return concat(signedPart, sign(descriptorMessage(signedPart)));
}

/** What the supernode key signs. */
export function descriptorMessage(signedPart: Uint8Array): Uint8Array {
  return concat(LABEL, signedPart);
}

/**
 * The layout alone: nothing is proven. Refused: `too-large`, `unknown-version`, `bad-frame`, `bad-text`. Byte fields are
 * views of `bytes`.
 */
export function decodeDescriptor(bytes: Uint8Array): Result<{ descriptor: SupernodeDescriptor; bytes: Uint8Array }> {
  if (bytes.length > DESCRIPTOR_MAX_BYTES) return refuse("too-large", "descriptor");
  return decodeBytes(bytes, (r) => {
    if (r.u8() !== DESCRIPTOR_VERSION) return refuse("unknown-version", "descriptor");
    const descriptor = readFields(r);
    if (!descriptor.ok) return descriptor;
    r.bytes(SIGNATURE_BYTES);
    return accept({ descriptor: descriptor.value, bytes });
  });
}

function flagsOf({ dedicated, servesApp, relays }: SupernodeDescriptor): number {
  return (dedicated ? FLAG_DEDICATED : 0) | (servesApp ? FLAG_SERVES_APP : 0) | (relays ? FLAG_RELAYS : 0);
}

function readFields(r: ByteReader): Result<SupernodeDescriptor> {
  const keys = { networkId: r.bytes(NETWORK_ID_BYTES), supernodeKey: r.bytes(32), hopKey: r.bytes(32) };
  const flags = r.u8();
  if ((flags & ~(FLAG_DEDICATED | FLAG_SERVES_APP | FLAG_RELAYS)) !== 0) return refuse("bad-frame", "flags");
  const numbers = { issuedAt: r.u64(), clients: r.u32(), maxClients: r.u32() };
  const url = readUrl(r);
  if (!url.ok) return url;
  const dht = readDht(r);
  if (!dht.ok) return dht;
  const operator = readOperator(r);
  if (!operator.ok) return operator;
  return accept({
    ...keys,
    dedicated: (flags & FLAG_DEDICATED) !== 0,
    servesApp: (flags & FLAG_SERVES_APP) !== 0,
    relays: (flags & FLAG_RELAYS) !== 0,
    ...numbers,
    url: url.value,
    dht: dht.value,
    operator: operator.value,
  });
}

function readOperator(r: ByteReader): Result<string> {
  const bytes = r.bytes8();
  if (bytes.length > OPERATOR_MAX_BYTES) return refuse("bad-frame", "operator");
  const text = bytesToUtf8(bytes);
  // Decoded leniently: whatever was replaced or swallowed differs on the way back.
  if (!equalBytes(utf8(text), bytes)) return refuse("bad-text", "operator");
  return checkText(text);
}

/**
 * What a stranger's descriptor says, once its keys, signature, age and network are found good. Refused besides
 * {@link decodeDescriptor}'s: `not-allowed` (another network's), `expired`, `from-future`, `bad-key`, `bad-signature`.
 */
export async function verifyDescriptor(
  signatures: SignatureBackend,
  bytes: Uint8Array,
  expected: { readonly networkId: Uint8Array; readonly now: number },
): Promise<Result<SupernodeDescriptor>> {
  const decoded = decodeDescriptor(bytes);
  if (!decoded.ok) return decoded;
  const { descriptor } = decoded.value;
  if (!equalBytes(descriptor.networkId, expected.networkId)) return refuse("not-allowed", "another network");
  if (descriptor.issuedAt + DESCRIPTOR_LIFETIME_MS < expected.now - CLOCK_SKEW_MS)
    return refuse("expired", "descriptor");
  if (descriptor.issuedAt > expected.now + CLOCK_SKEW_MS) return refuse("from-future", "descriptor");
  if (!decodePublicKey(descriptor.supernodeKey, signatures.x25519).ok || !decodeX25519Key(descriptor.hopKey).ok)
    return refuse("bad-key", "descriptor");
  const message = descriptorMessage(bytes.subarray(0, -SIGNATURE_BYTES));
  const signature = bytes.subarray(-SIGNATURE_BYTES);
  const signed = await verifyEd25519(signatures, descriptor.supernodeKey, message, signature);
  return signed ? accept(descriptor) : refuse("bad-signature", "descriptor");
}
