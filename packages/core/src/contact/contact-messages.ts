/**
 * What contacts tell each other outside calls: CBOR bodies of envelope kinds 1, 2, 3 and 5. docs/protocol/call.md section 1.
 *
 *   request, accept   [1, locator key 32, secret half 32, since, name]
 *   update            [1, device key 32, locator key 32, since]
 *   end               [1, since]
 */
import { utf8 } from "../bytes.ts";
import { asBytes, asText, asUint, asVersioned, type CborValue, encodeCbor, readCbor } from "../cbor.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { decodePublicKey, KEY_BYTES } from "../identity/ed25519.ts";
import type { X25519Function } from "../ports.ts";
import type { EnvelopeKind } from "../sealing/envelope.ts";

/** UTF-8 bytes of a name in a contact message; a request with the longest still fits the request lane. */
export const CONTACT_NAME_MAX_BYTES = 48;
export const SECRET_HALF_BYTES = 32;

/** Offers to be contacts, or takes up the offer: the two have the same places. */
export interface ContactOffer {
  readonly kind: "contact-request" | "contact-accept";
  /** Ed25519 public key under which the sending device's contact record is found. */
  readonly locatorKey: Uint8Array;
  /** The sender's half of the pairwise secret. */
  readonly half: Uint8Array;
  /** When the sender last asked for this relation, Unix ms by its clock, never going back: the latest counts, in whatever order they arrive. */
  readonly since: number;
  /** What the sender calls themselves: unverified. */
  readonly name: string;
}

/** A device is found elsewhere from now on, or is new. */
export interface ContactUpdate {
  readonly kind: "contact-update";
  readonly deviceKey: Uint8Array;
  readonly locatorKey: Uint8Array;
  readonly since: number;
}

/** The sender has removed the receiver. */
export interface ContactEnd {
  readonly kind: "contact-end";
  readonly since: number;
}

export type ContactMessage = ContactOffer | ContactUpdate | ContactEnd;

/** The body for an envelope of `message.kind`. Fields out of bounds are the caller's mistake (EarshotError from the CBOR encoder, or RangeError). */
export function encodeContactMessage(message: ContactMessage): Uint8Array {
  switch (message.kind) {
    case "contact-request":
    case "contact-accept": {
      if (utf8(message.name).length > CONTACT_NAME_MAX_BYTES) throw new RangeError("name too long");
      return encodeCbor([1, message.locatorKey, message.half, message.since, message.name]);
    }
    case "contact-update":
      return encodeCbor([1, message.deviceKey, message.locatorKey, message.since]);
    case "contact-end":
      return encodeCbor([1, message.since]);
  }
}

/** Refused: `bad-cbor`, `bad-text`, `unknown-version`, `bad-key` (locator or device key), `unknown-type` (not a contact's kind). */
export function decodeContactMessage(
  kind: EnvelopeKind,
  body: Uint8Array,
  x25519?: X25519Function,
): Result<ContactMessage> {
  const message = readCbor<ContactMessage>(body, (value) => readMessage(kind, value));
  if (!message.ok) return message;
  const keys = "locatorKey" in message.value ? [message.value.locatorKey] : [];
  if ("deviceKey" in message.value) keys.push(message.value.deviceKey);
  for (const key of keys) {
    const decoded = decodePublicKey(key, x25519);
    if (!decoded.ok) return decoded;
  }
  return message;
}

function readMessage(kind: EnvelopeKind, value: CborValue): Result<ContactMessage> {
  switch (kind) {
    case "contact-request":
    case "contact-accept": {
      const places = asVersioned(value, 5);
      return accept({
        kind,
        locatorKey: asBytes(places[1], KEY_BYTES),
        half: asBytes(places[2], SECRET_HALF_BYTES),
        since: asUint(places[3], Number.MAX_SAFE_INTEGER),
        name: asText(places[4], CONTACT_NAME_MAX_BYTES),
      });
    }
    case "contact-update": {
      const places = asVersioned(value, 4);
      const [deviceKey, locatorKey] = [asBytes(places[1], KEY_BYTES), asBytes(places[2], KEY_BYTES)];
      return accept({ kind, deviceKey, locatorKey, since: asUint(places[3], Number.MAX_SAFE_INTEGER) });
    }
    case "contact-end":
      return accept({ kind, since: asUint(asVersioned(value, 2)[1], Number.MAX_SAFE_INTEGER) });
    case "call":
      return refuse("unknown-type", "not a contact message");
  }
}
