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
import { isKnown, NO_DEVICES, newIn, withDevice, withList } from "./known-devices.ts";

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
  /** Devices that were new since this book was loaded. */
  readonly #new = new Set<string>();

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
    return known ?? { state: newContact(accountKey), label: "", addedAt: now, ...NO_DEVICES };
  }

  /** Durable when it resolves. Throws {@link ContactError} `too-many-contacts`. */
  put(entry: ContactEntry): Promise<void> {
    return this.putAll([entry]);
  }

  /** All of them, or where it breaks off, none. As {@link put}. */
  async putAll(entries: readonly ContactEntry[]): Promise<void> {
    for (const entry of entries) this.#take(entry);
    await this.#stored.save([...this.#entries.values()]);
  }

  #take(entry: ContactEntry): void {
    const key = toHex(entry.state.accountKey);
    const isNew = !counts(this.#entries.get(key)?.state) && counts(entry.state);
    if (isNew && this.contacts().length >= MAX_CONTACTS)
      throw new ContactError("too-many-contacts", `There are ${MAX_CONTACTS} contacts already. Remove one first.`);
    this.#entries.delete(key); // to the end: forgotten ones leave in the order in which they were forgotten
    // Who is added again after a removal is met anew: their list may have been started anew.
    this.#entries.set(key, entry.state.status === "none" ? forgotten(entry) : entry);
    this.#dropForgotten();
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

  /**
   * The devices among these that this account's person is to be told of: never seen, of somebody whose devices were. Tell first,
   * then {@link learnDevice} or {@link learnList}: repeating a notice after a crash does no harm, losing it would.
   */
  newDevices(accountKey: Uint8Array, from: Uint8Array | DeviceListState): readonly Uint8Array[] {
    const entry = this.get(accountKey);
    if (!entry || !viewOf(entry)) return [];
    const found =
      "head" in from ? newIn(entry, from) : isKnown(entry, from) || entry.devices.length === 0 ? [] : [from];
    for (const device of found) this.#new.add(toHex(device));
    return found;
  }

  /** Whether this device was new since the client was made. */
  wasNew(deviceKey: Uint8Array): boolean {
    return this.#new.has(toHex(deviceKey));
  }

  /** Remembers a device that signed what came from them. False where there are too many of them already. */
  async learnDevice(accountKey: Uint8Array, device: Uint8Array): Promise<boolean> {
    const entry = this.get(accountKey);
    if (!entry || entry.state.status === "none") return true;
    const learned = withDevice(entry, device);
    if (learned !== entry) await this.put(learned);
    return isKnown(learned, device);
  }

  /** Remembers a verified list. */
  async learnList(accountKey: Uint8Array, list: DeviceListState): Promise<void> {
    const entry = this.get(accountKey);
    const learned = entry && entry.state.status !== "none" ? withList(entry, list) : entry;
    if (learned && learned !== entry) await this.put(learned);
  }

  #dropForgotten(): void {
    const forgotten = [...this.#entries].filter(([, { state }]) => state.status === "none");
    for (const [key] of forgotten.slice(0, Math.max(0, forgotten.length - MAX_FORGOTTEN))) this.#entries.delete(key);
  }
}

function counts(state: ContactState | undefined): boolean {
  return state !== undefined && state.status !== "none" && state.status !== "requested";
}

function forgotten({ state, label, addedAt }: ContactEntry): ContactEntry {
  return { state, label, addedAt, ...NO_DEVICES };
}

function viewOf({ state, label, addedAt, pin }: ContactEntry): Contact | undefined {
  if (state.status === "none" || state.status === "requested") return undefined;
  const ownName = state.status === "contact" ? state.name : "";
  const id = encodeId(state.accountKey);
  const name = label || ownName || `${id.slice(0, 12)}…`;
  return {
    id,
    name,
    state: state.status,
    addedAt,
    ...(pin ? { address: pin.address } : {}),
    ...(pin?.changedTo ? { nameChangedTo: encodeId(pin.changedTo) } : {}),
  };
}
