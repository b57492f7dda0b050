/** How a contact's state is kept: CBOR `[1, status, account key 32, last own, last peer, own, peer, name, locators]`, null where a status has none. */
import {
  asArray,
  asBytes,
  asNullable,
  asText,
  asUint,
  asVersioned,
  type CborValue,
  encodeCbor,
  readCbor,
} from "../cbor.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { KEY_BYTES } from "../identity/ed25519.ts";
import { CONTACT_NAME_MAX_BYTES, SECRET_HALF_BYTES } from "./contact-messages.ts";
import { CONTACT_MAX_DEVICES, type ContactState, type DeviceLocator, type SecretHalf } from "./contact-state.ts";

const STATUSES = ["none", "added", "requested", "contact", "blocked"] as const;

/** For the client's own storage, secrets included: the storage seals it. */
export function encodeContactState(state: ContactState): Uint8Array {
  const half = (value: SecretHalf | undefined) => (value === undefined ? null : [value.half, value.since]);
  const locators = "locators" in state ? state.locators : [];
  return encodeCbor([
    1,
    STATUSES.indexOf(state.status),
    state.accountKey,
    state.lastOwn,
    state.lastPeer,
    half("own" in state ? state.own : undefined),
    half("peer" in state ? state.peer : undefined),
    "name" in state ? state.name : null,
    locators.map(({ deviceKey, locatorKey, since }) => [deviceKey, locatorKey, since]),
  ]);
}

/** Refused: `bad-cbor`, `bad-text`, `unknown-version`. */
export function decodeContactState(bytes: Uint8Array): Result<ContactState> {
  return readCbor<ContactState>(bytes, (value) => {
    const places = asVersioned(value, 9);
    const status = STATUSES[asUint(places[1], STATUSES.length - 1)] as (typeof STATUSES)[number];
    const accountKey = asBytes(places[2], KEY_BYTES);
    const memory = { accountKey, lastOwn: asTime(places[3]), lastPeer: asTime(places[4]) };
    const [own, peer] = [asNullable(places[5], asHalf), asNullable(places[6], asHalf)];
    const name = asNullable(places[7], (text) => asText(text, CONTACT_NAME_MAX_BYTES));
    const locators = asArray(places[8], [0, CONTACT_MAX_DEVICES]).map(asLocator);
    if (status === "added" && own) return accept({ ...memory, status, own, locators });
    if (status === "requested" && peer && name !== null) return accept({ ...memory, status, peer, name, locators });
    if (status === "contact" && own && peer && name !== null)
      return accept({ ...memory, status, own, peer, name, locators });
    return status === "none" || status === "blocked"
      ? accept({ ...memory, status })
      : refuse("bad-cbor", "a place that the status needs is null");
  });
}

function asTime(value: CborValue | undefined): number {
  return asUint(value, Number.MAX_SAFE_INTEGER);
}

function asHalf(value: CborValue): SecretHalf {
  const places = asArray(value, 2);
  return { half: asBytes(places[0], SECRET_HALF_BYTES), since: asTime(places[1]) };
}

function asLocator(value: CborValue): DeviceLocator {
  const places = asArray(value, 3);
  const [deviceKey, locatorKey] = [asBytes(places[0], KEY_BYTES), asBytes(places[1], KEY_BYTES)];
  return { deviceKey, locatorKey, since: asTime(places[2]) };
}
