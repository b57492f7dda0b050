import {
  accept,
  asArray,
  asBytes,
  asNullable,
  asText,
  asUint,
  asVersioned,
  type CborValue,
  type ContactState,
  decodeContactState,
  encodeContactState,
  type Result,
} from "@earshot/core";
import type { StoredCodec } from "../state/stored.ts";
import { cborOfPin, type NamePin, pinOfCbor } from "./name-pin.ts";
import { type KnownDevices, MAX_KNOWN_DEVICES } from "./known-devices.ts";

/** Contacts and requests together; core remembers forgotten ones in the same form, so that nothing old revives them. */
export const MAX_ENTRIES = 2_500;
export const LABEL_MAX_BYTES = 64;
const MAX_STATE_BYTES = 4_096;
const MAX_LIST_NUMBER = 0xffff_ffff;

/** Core's state of one person, and what this app adds to it. */
export interface ContactEntry extends KnownDevices {
  readonly state: ContactState;
  /** What this side's person calls them; empty: what they call themselves. */
  readonly label: string;
  /** When they were added, or asked. */
  readonly addedAt: number;
  /** Where they were added by a name. */
  readonly pin?: NamePin;
}

function encodeEntry(entry: ContactEntry): CborValue {
  const { state, label, addedAt, listHead, revoked, devices, pin } = entry;
  const head = listHead && [listHead.n, listHead.hash];
  return [encodeContactState(state), label, addedAt, head, revoked, devices, pin ? cborOfPin(pin) : null];
}

function decodeEntry(value: CborValue): Result<ContactEntry> {
  const [stateBytes, label, addedAt, head, revoked, devices, pinned] = asArray(value, 7);
  const state = decodeContactState(asBytes(stateBytes, [1, MAX_STATE_BYTES]));
  if (!state.ok) return state;
  const pin = asNullable(pinned, pinOfCbor);
  return accept({
    state: state.value,
    label: asText(label, LABEL_MAX_BYTES),
    addedAt: asUint(addedAt, Number.MAX_SAFE_INTEGER),
    listHead: asNullable(head, (pair) => {
      const [n, hash] = asArray(pair, 2);
      return { n: asUint(n, MAX_LIST_NUMBER), hash: asBytes(hash, 32) };
    }),
    revoked: asArray(revoked, [0, MAX_KNOWN_DEVICES]).map((device) => asBytes(device, 32)),
    devices: asArray(devices, [0, MAX_KNOWN_DEVICES]).map((device) => asBytes(device, 32)),
    ...(pin === null ? {} : { pin }),
  });
}

/** `[1, [[state, label, added at, [n, hash] | null, [revoked…], [devices seen…], pin | null]…]]`. */
export const contactsCodec: StoredCodec<readonly ContactEntry[]> = {
  encode: (entries) => [1, entries.map(encodeEntry)],
  decode(value) {
    const [, list] = asVersioned(value, 2);
    const entries: ContactEntry[] = [];
    for (const item of asArray(list, [0, MAX_ENTRIES])) {
      const entry = decodeEntry(item);
      if (!entry.ok) return entry;
      entries.push(entry.value);
    }
    return accept(entries);
  },
};
