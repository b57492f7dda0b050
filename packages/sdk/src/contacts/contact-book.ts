import {
  type ContactState,
  type DeviceListState,
  encodeId,
  equalBytes,
  newContact,
  toHex,
  tokenSecrets,
} from "@earshot/core";
import type { Contact, ContactRequest, Storage } from "../api.ts";
import { ContactError } from "../errors.ts";
import { Stored } from "../state/stored.ts";
import { type ContactEntry, contactsCodec } from "./contact-codec.ts";

/** Contacts, waiting and blocked ones included. Each costs two secrets' tokens of nine days at the home, which takes those of 512. */
export const MAX_CONTACTS = 500;
/** Requests that wait for an answer: beyond it new ones are refused, so that strangers cannot push each other out. */
export const MAX_REQUESTS = 100;
/** Removed people whose last messages are remembered. */
const MAX_FORGOTTEN = 1_000;

/** Everyone this account knows, kept in storage. Knows no protocol: it holds what core's steps give. */
export class ContactBook {
  readonly #stored: Stored<readonly ContactEntry[]>;
  readonly #self: Uint8Array;
  readonly #entries: Map<string, ContactEntry>;

  private constructor(stored: Stored<readonly ContactEntry[]>, self: Uint8Array, entries: readonly ContactEntry[]) {
    this.#stored = stored;
    this.#self = self;
    this.#entries = new Map(entries.map((entry) => [toHex(entry.state.accountKey), entry]));
  }

  static async load(storage: Storage, self: Uint8Array): Promise<ContactBook> {
    const stored = new Stored(storage, "contacts", contactsCodec);
    return new ContactBook(stored, self, (await stored.load()) ?? []);
  }

  get(accountKey: Uint8Array): ContactEntry | undefined {
    return this.#entries.get(toHex(accountKey));
  }

  /** The entry, or that of somebody unknown. */
  of(accountKey: Uint8Array, now: number): ContactEntry {
    const known = this.get(accountKey);
    return known ?? { state: newContact(accountKey), label: "", addedAt: now, listHead: null, revoked: [] };
  }

  /** Durable when it resolves. Throws {@link ContactError} `too-many-contacts`. */
  async put(entry: ContactEntry): Promise<void> {
    const key = toHex(entry.state.accountKey);
    const isNew = !counts(this.#entries.get(key)?.state) && counts(entry.state);
    if (isNew && this.contacts().length >= MAX_CONTACTS)
      throw new ContactError("too-many-contacts", `There are ${MAX_CONTACTS} contacts already. Remove one first.`);
    this.#entries.delete(key); // to the end: forgotten ones leave in the order in which they were forgotten
    this.#entries.set(key, entry);
    this.#dropForgotten();
    await this.#stored.save([...this.#entries.values()]);
  }

  all(): ContactEntry[] {
    return [...this.#entries.values()];
  }

  contacts(): Contact[] {
    return this.all().flatMap((entry) => viewOf(entry) ?? []);
  }

  contact(accountKey: Uint8Array): Contact | undefined {
    const entry = this.get(accountKey);
    return entry && viewOf(entry);
  }

  requests(): ContactRequest[] {
    return this.all().flatMap(({ state, addedAt }) =>
      state.status === "requested" ? [{ id: encodeId(state.accountKey), name: state.name, receivedAt: addedAt }] : [],
    );
  }

  /** Secrets whose tokens open our mailbox. */
  tokenSecrets(): Uint8Array[] {
    return this.all().flatMap(({ state }) => tokenSecrets(this.#self, state));
  }

  isRevoked(accountKey: Uint8Array, deviceKey: Uint8Array): boolean {
    return this.get(accountKey)?.revoked.some((revoked) => equalBytes(revoked, deviceKey)) ?? false;
  }

  /** Remembers a verified list. Gives the devices that it adds to the one known before: none where none was known. */
  async learnList(accountKey: Uint8Array, list: DeviceListState): Promise<readonly Uint8Array[]> {
    const entry = this.get(accountKey);
    if (!entry || (entry.listHead && entry.listHead.n >= list.head.n)) return [];
    await this.put({ ...entry, listHead: list.head, revoked: list.revoked });
    return entry.listHead ? list.added : [];
  }

  #dropForgotten(): void {
    const forgotten = [...this.#entries].filter(([, { state }]) => state.status === "none");
    for (const [key] of forgotten.slice(0, Math.max(0, forgotten.length - MAX_FORGOTTEN))) this.#entries.delete(key);
  }
}

function counts(state: ContactState | undefined): boolean {
  return state !== undefined && state.status !== "none" && state.status !== "requested";
}

function viewOf({ state, label, addedAt }: ContactEntry): Contact | undefined {
  if (state.status === "none" || state.status === "requested") return undefined;
  const ownName = state.status === "contact" ? state.name : "";
  const id = encodeId(state.accountKey);
  return { id, name: label || ownName || `${id.slice(0, 12)}…`, state: state.status, addedAt };
}
