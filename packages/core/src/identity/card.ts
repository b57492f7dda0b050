/** Cards: an id with hints of where its owner is found, as a link. docs/protocol/identity.md section 3. */
import { base64urlnopad } from "@scure/base";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equalBytes, utf8 } from "../bytes.ts";
import { asArray, asBytes, asText, asTextOf, asVersioned, encodeCbor, readCbor, type CborValue } from "../cbor.ts";
import { accept, refuse, type Result } from "../errors.ts";
import {
  DHT_ADDRESS_MAX_BYTES,
  isDhtAddress,
  isNodeUrl,
  NODE_URL_MAX_BYTES,
  type SupernodeRef,
} from "../overlay/addresses.ts";
import { KEY_BYTES } from "./ed25519.ts";
import { decodeId, encodeId } from "./id.ts";

/** A supernode that holds mailboxes. */
export interface Home extends SupernodeRef {
  /** X25519: what next hops are sealed to. */
  readonly hopKey: Uint8Array;
}

/** Name and homes are unsigned hints: shown as suggestions, never trusted. A bare id gives an empty name and no homes. */
export interface Card {
  readonly accountKey: Uint8Array;
  readonly name: string;
  readonly homes: readonly Home[];
}

export const CARD_SCHEME = "earshot:";
export const CARD_NAME_MAX_BYTES = 64;
export const CARD_MAX_HOMES = 3;
/** A card's text: longer than any that {@link encodeCard} makes (1,188 with everything at its largest). */
export const CARD_MAX_LENGTH = 2_048;
const CHECK_BYTES = 4;

/** `earshot:ear1…?c=…`, or `earshot:ear1…` where there are no hints. Oversize hints are the caller's mistake (RangeError, RefusedError). */
export function encodeCard(card: Card): string {
  const id = encodeId(card.accountKey);
  if (card.name === "" && card.homes.length === 0) return CARD_SCHEME + id;
  if (utf8(card.name).length > CARD_NAME_MAX_BYTES)
    throw new RangeError(`a name has at most ${CARD_NAME_MAX_BYTES} bytes`);
  if (card.homes.length > CARD_MAX_HOMES) throw new RangeError(`a card has at most ${CARD_MAX_HOMES} homes`);
  const cbor = encodeCbor([1, card.name, card.homes.map(cborOfHome)]);
  return `${CARD_SCHEME}${id}?c=${base64urlnopad.encode(concat(cbor, checksum(card.accountKey, cbor)))}`;
}

/** A card, a bare id, or a web link with either after `#card=`; white space anywhere is ignored, since links get wrapped. */
export function decodeCard(text: string): Result<Card> {
  if (text.length > CARD_MAX_LENGTH) return refuse("card-malformed", "too long");
  let body = text.replace(/\s+/g, "");
  const fragment = /^https?:[^#]*#(?:.*&)?card=([^&]*)/i.exec(body);
  if (fragment) body = decodeComponent(fragment[1] as string);
  if (body.slice(0, CARD_SCHEME.length).toLowerCase() === CARD_SCHEME)
    body = body.slice(CARD_SCHEME.length).replace(/^\/\//, "");
  const at = body.indexOf("?");
  const id = at < 0 ? body : body.slice(0, at);
  const accountKey = decodeId(id);
  if (!accountKey.ok) return accountKey;
  if (at < 0) return accept({ accountKey: accountKey.value, name: "", homes: [] });
  const query = body.slice(at);
  if (!/^\?c=[A-Za-z0-9_-]*$/.test(query)) return refuse("card-malformed", "hints");
  return decodeHints(accountKey.value, query.slice(3));
}

/** A card as a link to a web app's page; a fragment is not sent to whoever serves the page. */
export function cardLink(pageUrl: string, card: string): string {
  return `${pageUrl.replace(/#.*$/, "")}#card=${encodeURIComponent(card)}`;
}

function decodeHints(accountKey: Uint8Array, encoded: string): Result<Card> {
  let bytes: Uint8Array;
  try {
    bytes = base64urlnopad.decode(encoded);
  } catch {
    return refuse("card-mistyped"); // a length or padding bits that no encoder makes
  }
  if (bytes.length < CHECK_BYTES) return refuse("card-mistyped");
  const cbor = bytes.subarray(0, -CHECK_BYTES);
  if (!equalBytes(checksum(accountKey, cbor), bytes.subarray(-CHECK_BYTES))) return refuse("card-mistyped");
  const card = readCbor(cbor, (value) => {
    const [, name, homes] = asVersioned(value, 3);
    return accept({
      accountKey,
      name: asText(name, CARD_NAME_MAX_BYTES),
      homes: asArray(homes, [0, CARD_MAX_HOMES]).map(homeOfCbor),
    });
  });
  return card.ok || card.code === "unknown-version" ? card : refuse("card-malformed", card.code);
}

function checksum(accountKey: Uint8Array, cbor: Uint8Array): Uint8Array {
  return sha256(concat(utf8("earshot card 1"), accountKey, cbor)).subarray(0, CHECK_BYTES);
}

function decodeComponent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // refused as an id
  }
}

/** `[url, supernode key, hop key, dht]`, as cards and records hold it. RangeError where an address is neither empty nor well-formed. */
export function cborOfHome({ url, supernodeKey, hopKey, dht }: Home): CborValue {
  if (url !== "" && !isNodeUrl(url)) throw new RangeError("a home's url is a ws: or wss: URL of at most 128 bytes");
  if (dht !== "" && !isDhtAddress(dht)) throw new RangeError("a home's dht is ip:port");
  return [url, supernodeKey, hopKey, dht];
}

/** Only inside `readCbor`. */
export function homeOfCbor(value: CborValue): Home {
  const [url, supernodeKey, hopKey, dht] = asArray(value, 4);
  return {
    url: asTextOf(url, NODE_URL_MAX_BYTES, (text) => text === "" || isNodeUrl(text)),
    supernodeKey: asBytes(supernodeKey, KEY_BYTES),
    hopKey: asBytes(hopKey, KEY_BYTES),
    dht: asTextOf(dht, DHT_ADDRESS_MAX_BYTES, (text) => text === "" || isDhtAddress(text)),
  };
}
