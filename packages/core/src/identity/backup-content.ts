/** What a backup holds. docs/protocol/identity.md section 6. */
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
import { CARD_NAME_MAX_BYTES } from "./card.ts";
import { DEVICE_LIST_ENTRY_BYTES, DEVICE_LIST_MAX_ENTRIES, HASH_BYTES, type ListHead } from "./device-list.ts";
import { KEY_BYTES } from "./ed25519.ts";

export const BACKUP_MAX_CONTACTS = 1_000;
const STATES = ["added", "contact", "blocked"] as const;
/** Eight devices' locators and the halves take about 800. */
const RELATION_MAX_BYTES = 900;
const MAX_LIST_NUMBER = 0xffff_ffff;

/** Never a device, locator, mailbox or prekey's private half: a restored account is a new device. */
export interface BackupContent {
  readonly name: string;
  /** The account's own list: a new device is appended to it. */
  readonly deviceList: readonly Uint8Array[];
  readonly contacts: readonly BackupContact[];
}

export interface BackupContact {
  readonly accountKey: Uint8Array;
  readonly name: string;
  readonly state: (typeof STATES)[number];
  /** Unix milliseconds. */
  readonly addedAt: number;
  /**
   * The relation as `encodeContactState` writes it: both halves of the pairwise secret, and where the contact's devices are
   * found. Another device that held other halves would undo those of the account's first.
   */
  readonly relation: Uint8Array;
  /** The contact's device-list head as last seen; null where none was. */
  readonly listHead: ListHead | null;
}

/** What exceeds the limits is the caller's mistake (RangeError, RefusedError `bad-text`). */
export function encodeBackupContent({ name, deviceList, contacts }: BackupContent): Uint8Array {
  if (contacts.length > BACKUP_MAX_CONTACTS)
    throw new RangeError(`a backup holds at most ${BACKUP_MAX_CONTACTS} contacts`);
  return encodeCbor([1, name, deviceList, contacts.map(cborOfContact)]);
}

/** Refused: `backup-malformed`, `unknown-version`. */
export function decodeBackupContent(bytes: Uint8Array): Result<BackupContent> {
  const content = readCbor(bytes, (value) => {
    const [, name, deviceList, contacts] = asVersioned(value, 4);
    return accept({
      name: asText(name, CARD_NAME_MAX_BYTES),
      deviceList: asArray(deviceList, [0, DEVICE_LIST_MAX_ENTRIES]).map((e) => asBytes(e, DEVICE_LIST_ENTRY_BYTES)),
      contacts: asArray(contacts, [0, BACKUP_MAX_CONTACTS]).map(contactOfCbor),
    });
  });
  return content.ok || content.code === "unknown-version" ? content : refuse("backup-malformed", content.detail);
}

function cborOfContact(contact: BackupContact): CborValue {
  return [
    contact.accountKey,
    contact.name,
    STATES.indexOf(contact.state),
    contact.addedAt,
    contact.relation,
    contact.listHead && [contact.listHead.n, contact.listHead.hash],
  ];
}

function contactOfCbor(value: CborValue): BackupContact {
  const [accountKey, name, state, addedAt, relation, head] = asArray(value, 6);
  return {
    accountKey: asBytes(accountKey, KEY_BYTES),
    name: asText(name, CARD_NAME_MAX_BYTES),
    state: STATES[asUint(state, STATES.length - 1)] as BackupContact["state"],
    addedAt: asUint(addedAt, Number.MAX_SAFE_INTEGER),
    relation: asBytes(relation, [1, RELATION_MAX_BYTES]),
    listHead: asNullable(head, (pair) => {
      const [n, hash] = asArray(pair, 2);
      return { n: asUint(n, MAX_LIST_NUMBER), hash: asBytes(hash, HASH_BYTES) };
    }),
  };
}
