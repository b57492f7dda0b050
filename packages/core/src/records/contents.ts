/** What the two kinds of record say. docs/protocol/records.md section 4. */
import { asArray, asBytes, asText, asUint, asVersioned, type CborValue, encodeCbor, readCbor } from "../cbor.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { cborOfHome, type Home, homeOfCbor } from "../identity/card.ts";
import { DEVICE_LIST_MAX_ACTIVE, HASH_BYTES, type ListHead } from "../identity/device-list.ts";
import { decodePublicKey, KEY_BYTES } from "../identity/ed25519.ts";
import { DHT_ADDRESS_MAX_BYTES } from "../overlay/addresses.ts";

/** A mailbox at a home. */
export interface Place {
  readonly home: Home;
  readonly mailboxId: Uint8Array;
}

/** A place and the device, counted in its bundle, that has its mailbox there. */
export interface DevicePlace extends Place {
  readonly device: number;
}

/** What a stranger needs, under the account key. `places` take requests only. */
export interface PublicRecord {
  readonly listHead: ListHead;
  readonly bundleHash: Uint8Array;
  readonly places: readonly DevicePlace[];
}

/** What a contact needs, under one device's locator key. */
export interface ContactRecord {
  readonly deviceKey: Uint8Array;
  readonly bundleHash: Uint8Array;
  readonly places: readonly Place[];
}

export const RECORD_MAX_PLACES = 4;
export const MAILBOX_ID_BYTES = 16;
const MAX_LIST_NUMBER = 0xffff_ffff;

/** More places than {@link RECORD_MAX_PLACES}, or none, are the caller's mistake (RangeError). */
export function encodePublicContent({ listHead, bundleHash, places }: PublicRecord): Uint8Array {
  return encodeCbor([1, [listHead.n, listHead.hash], bundleHash, cborOfPlaces(places, ({ device }) => [device])]);
}

/** Refused: `bad-record`, `unknown-version`, `bad-text`. */
export function decodePublicContent(bytes: Uint8Array): Result<PublicRecord> {
  return readContent(bytes, (value) => {
    const [, listHead, bundleHash, places] = asVersioned(value, 4);
    const [n, hash] = asArray(listHead, 2);
    return accept({
      listHead: { n: asUint(n, MAX_LIST_NUMBER), hash: asBytes(hash, HASH_BYTES) },
      bundleHash: asBytes(bundleHash, HASH_BYTES),
      places: devicePlacesOfCbor(places),
    });
  });
}

/** As {@link encodePublicContent}. */
export function encodeContactContent({ deviceKey, bundleHash, places }: ContactRecord): Uint8Array {
  return encodeCbor([1, deviceKey, bundleHash, cborOfPlaces(places, () => [])]);
}

/** Refused: as {@link decodePublicContent}, and `bad-key`. */
export function decodeContactContent(bytes: Uint8Array): Result<ContactRecord> {
  return readContent(bytes, (value) => {
    const [, deviceKey, bundleHash, places] = asVersioned(value, 4);
    const key = decodePublicKey(asBytes(deviceKey, KEY_BYTES));
    if (!key.ok) return key;
    return accept({ deviceKey: key.value, bundleHash: asBytes(bundleHash, HASH_BYTES), places: placesOfCbor(places) });
  });
}

function readContent<T>(bytes: Uint8Array, read: (value: CborValue) => Result<T>): Result<T> {
  const content = readCbor(bytes, read);
  return content.ok || content.code !== "bad-cbor" ? content : refuse("bad-record", content.detail);
}

/** `[home, mailbox id, …more]`, where `more` is what this kind of record says of a place besides. */
function cborOfPlaces<P extends Place>(places: readonly P[], more: (place: P) => CborValue[]): CborValue {
  if (places.length < 1 || places.length > RECORD_MAX_PLACES)
    throw new RangeError(`a record names 1 to ${RECORD_MAX_PLACES} places`);
  return places.map((place) => [cborOfHome(homeInRecord(place.home)), place.mailboxId, ...more(place)]);
}

/** Where there is a URL, the DHT address would only save a second: without it, four of the longest homes fit. */
function homeInRecord(home: Home): Home {
  return home.url === "" ? home : { ...home, dht: "" };
}

function placesOfCbor(value: CborValue | undefined): Place[] {
  return asArray(value, [1, RECORD_MAX_PLACES]).map((place) => placeOf(asArray(place, 2)));
}

function devicePlacesOfCbor(value: CborValue | undefined): DevicePlace[] {
  return asArray(value, [1, RECORD_MAX_PLACES]).map((item) => {
    const place = asArray(item, 3);
    return { ...placeOf(place), device: asUint(place[2], DEVICE_LIST_MAX_ACTIVE - 1) };
  });
}

function placeOf([value, mailboxId]: readonly CborValue[]): Place {
  const home = homeOfCbor(value as CborValue);
  asText(home.dht, home.url === "" ? DHT_ADDRESS_MAX_BYTES : 0);
  return { home, mailboxId: asBytes(mailboxId, MAILBOX_ID_BYTES) };
}
