import {
  type BackupContact,
  type ContactEffect,
  type ContactEvent,
  type ContactState,
  contactSecret,
  decodeContactMessage,
  type DeviceLocator,
  decodeCard,
  encodeContactMessage,
  equalBytes,
  type OpenedEnvelope,
  type RefusalCode,
  stepContact,
  unwrap,
} from "@earshot/core";
import type { Contact } from "../api.ts";
import { ContactError } from "../errors.ts";
import { checkedName, type Identity, type IdentityPorts } from "../identity/identity.ts";
import { entryOf } from "./backup-contacts.ts";
import type { ContactBook } from "./contact-book.ts";
import type { ContactEntry } from "./contact-codec.ts";
import { NO_DEVICES } from "./known-devices.ts";
import { MAX_CONTACTS, MAX_REQUESTS } from "./contact-book.ts";
import type { Locator } from "./locator.ts";
import type { Letter } from "./outbox-codec.ts";
import type { Outbox } from "./outbox.ts";

const HALF_BYTES = 32;
/** Who has not answered for this long is not asked again when this device moves. As long as the outbox keeps a request. */
const STILL_WAITING_MS = 30 * 86_400_000;
/** A contact none of whose devices can be found is asked again after each move of this device, and otherwise this often. */
const ASK_AGAIN_MS = 7 * 86_400_000;

export interface ContactsParts {
  readonly ports: IdentityPorts;
  readonly identity: Identity;
  readonly book: ContactBook;
  readonly outbox: Outbox;
  readonly locator: Locator;
  readonly acceptAll: boolean;
}

/** What the manager tells its owner. */
export interface ContactsHandlers {
  onContacts(): void;
  onRequests(): void;
  onRefused(code: RefusalCode): void;
  /** Whose tokens open our mailbox has changed. */
  onTokens(): Promise<void>;
  /** The locator key is a new one: the mailbox follows, and the records. Resolves when the move is durable. */
  onRotate(): Promise<void>;
}

/** Adding, accepting, removing: feeds core's contact steps, and carries out what they say. */
export class ContactsManager {
  readonly #parts: ContactsParts;
  readonly #handlers: ContactsHandlers;

  constructor(parts: ContactsParts, handlers: ContactsHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  /** Adds who this card or id names. Throws RefusedError (`id-mistyped`, `card-mistyped`, …) or {@link ContactError}. */
  async add(cardText: string, name?: string): Promise<Contact> {
    const card = unwrap(decodeCard(cardText));
    const { accountKey } = card;
    if (equalBytes(accountKey, this.#parts.identity.accountKey))
      throw new ContactError("own-card", "This is your own card. Give it to somebody, and add theirs.");
    const entry = this.#entry(accountKey);
    const given = name ?? (entry.label || card.name);
    const label = given === "" ? "" : checkedName(given);
    const { random, clock } = this.#parts.ports;
    const now = clock.now();
    const isNew = entry.state.status !== "added" && entry.state.status !== "contact";
    // Adding somebody again confirms the devices they have now, though their list was started anew.
    const next = isNew ? { ...entry, label, addedAt: now } : { ...entry, ...NO_DEVICES, label };
    await this.#apply(next, { type: "add", half: random.bytes(HALF_BYTES), now });
    // Their devices may be others than those that this side became a contact of.
    if (entry.state.status === "contact") await this.#askAgain(this.#entry(accountKey));
    return this.#contact(accountKey);
  }

  async accept(accountKey: Uint8Array): Promise<Contact> {
    const entry = this.#entry(accountKey);
    if (entry.state.status !== "requested")
      throw new ContactError("unknown-request", "Nobody with this id asks to be a contact.");
    const { random, clock } = this.#parts.ports;
    await this.#apply(entry, { type: "accept", half: random.bytes(HALF_BYTES), now: clock.now() });
    return this.#contact(accountKey);
  }

  async decline(accountKey: Uint8Array): Promise<void> {
    const entry = this.#entry(accountKey);
    if (entry.state.status !== "requested")
      throw new ContactError("unknown-request", "Nobody with this id asks to be a contact.");
    await this.#apply(entry, { type: "decline" });
  }

  async rename(accountKey: Uint8Array, name: string): Promise<void> {
    this.#contact(accountKey);
    await this.#parts.book.put({ ...this.#entry(accountKey), label: checkedName(name) });
    this.#handlers.onContacts();
  }

  async remove(accountKey: Uint8Array): Promise<void> {
    this.#contact(accountKey);
    await this.#parts.outbox.drop(accountKey);
    await this.#apply(this.#entry(accountKey), { type: "remove", now: this.#parts.ports.clock.now() });
  }

  async block(accountKey: Uint8Array): Promise<void> {
    await this.#parts.outbox.drop(accountKey);
    await this.#apply(this.#entry(accountKey), { type: "block" });
  }

  /** Takes the contacts over from a backup, and tells them of this new device. Throws RefusedError where one does not read. */
  async restore(contacts: readonly BackupContact[]): Promise<void> {
    const { book, ports } = this.#parts;
    const entries = contacts.map((contact) => unwrap(entryOf(contact)));
    await book.putAll(entries);
    for (const entry of entries) {
      // Asked again by this device; the half stays, so that an answer on its way still fits.
      const again = { type: "add", half: ports.random.bytes(HALF_BYTES), now: ports.clock.now() } as const;
      if (entry.state.status === "added") await this.#apply(entry, again);
    }
    await this.announceLocator();
  }

  /** A contact message that an envelope brought; resolves when what it changes is durable. */
  async handleEnvelope({ sender, kind, body, sentAt }: OpenedEnvelope): Promise<void> {
    const { ports, book, acceptAll } = this.#parts;
    const message = decodeContactMessage(kind, body, ports.signatures.x25519);
    if (!message.ok) return this.#handlers.onRefused(message.code);
    const accountKey = Uint8Array.from(sender.accountKey);
    const known = this.#entry(accountKey);
    const asks = known.state.status === "none" && kind === "contact-request";
    if (asks && book.requests().length >= MAX_REQUESTS) return this.#handlers.onRefused("too-many");
    const entry = asks ? { ...known, addedAt: ports.clock.now() } : known;
    const senderDevice = Uint8Array.from(sender.deviceKey);
    await this.#apply(entry, { type: "message", message: message.value, senderDevice, sentAt });
    // A contact that asks again may have been cut off from this device: the accept that answers tells nothing of where it is now.
    if (known.state.status === "contact" && kind === "contact-request") await this.#tellAgain(accountKey);
    if (acceptAll && this.#entry(accountKey).state.status === "requested") await this.#acceptUnasked(accountKey);
  }

  /** As many as there is room for. Who finds none is declined: a request that was thrown at would come again and again. */
  async #acceptUnasked(accountKey: Uint8Array): Promise<void> {
    if (this.#parts.book.contacts().length < MAX_CONTACTS) {
      await this.accept(accountKey);
      return;
    }
    await this.decline(accountKey);
    this.#handlers.onRefused("too-many");
  }

  /** Does over a rotation that a crash cut short. */
  async resume(): Promise<void> {
    if (this.#parts.locator.owed) await this.#rotate();
  }

  /** Tells every contact, and everyone who has not answered yet, where this device is found from now on. */
  async announceLocator(): Promise<void> {
    const now = this.#parts.ports.clock.now();
    for (const entry of this.#parts.book.all()) {
      if (isWaiting(entry, now)) await this.#askAgain(entry);
      else await this.#announceTo(entry.state);
    }
    void this.#parts.outbox.flush();
  }

  /** None of a contact's devices can be found where it was last: asks by its public record, which a move leaves alone. */
  async handleLost(accountKey: Uint8Array): Promise<void> {
    const entry = this.#parts.book.get(accountKey);
    if (entry?.state.status !== "contact") return;
    const { ports, locator } = this.#parts;
    const { since } = entry.state.own;
    if (since < locator.since || ports.clock.now() - since > ASK_AGAIN_MS) await this.#askAgain(entry);
  }

  #askAgain(entry: ContactEntry): Promise<void> {
    const { ports, locator } = this.#parts;
    return this.#apply(entry, { type: "ask-again", now: Math.max(ports.clock.now(), locator.since) });
  }

  async #tellAgain(accountKey: Uint8Array): Promise<void> {
    await this.#announceTo(this.#entry(accountKey).state);
    void this.#parts.outbox.flush(accountKey);
  }

  async #rotate(): Promise<void> {
    const { locator } = this.#parts;
    await locator.rotate();
    await this.#handlers.onRotate();
    await this.announceLocator();
    await locator.settle();
  }

  async #announceTo(state: ContactState): Promise<void> {
    const { identity, locator, outbox } = this.#parts;
    const tokenSecret = contactSecret(identity.accountKey, state);
    if (!tokenSecret || state.status !== "contact") return;
    const { deviceKey } = identity;
    const body = encodeContactMessage({
      kind: "contact-update",
      deviceKey,
      locatorKey: locator.publicKey,
      since: locator.since,
    });
    await outbox.put(this.#letter("contact-update", state, body, tokenSecret, state.locators));
  }

  async #apply(entry: ContactEntry, event: ContactEvent): Promise<void> {
    const { identity, book } = this.#parts;
    const before = entry.state;
    const { state, effects, refused } = stepContact(identity.accountKey, before, event);
    if (refused) this.#handlers.onRefused(refused);
    // Somebody unknown whose message changed nothing is not worth remembering.
    if (state === before && !book.get(state.accountKey)) return;
    // Owed before the reason for it is on disk: a crash must not leave somebody removed with this device's place.
    if (effects.some(({ type }) => type === "rotate-locator")) await this.#parts.locator.owe();
    await book.put({ ...entry, state });
    for (const effect of effects) await this.#carryOut(effect, before, state);
    if (before.status === "requested" || state.status === "requested") this.#handlers.onRequests();
    this.#handlers.onContacts();
    void this.#parts.outbox.flush(state.accountKey);
  }

  async #carryOut(effect: ContactEffect, before: ContactState, after: ContactState): Promise<void> {
    const { outbox, identity, locator } = this.#parts;
    switch (effect.type) {
      case "send-request":
      case "send-accept": {
        const kind = effect.type === "send-request" ? "contact-request" : "contact-accept";
        const { half, since } = effect.own;
        const body = encodeContactMessage({ kind, locatorKey: locator.publicKey, half, since, name: identity.name });
        const tokenSecret = effect.type === "send-accept" ? effect.tokenSecret : null;
        return outbox.put(this.#letter(kind, after, body, tokenSecret, locatorsOf(after)));
      }
      case "send-end": {
        const body = encodeContactMessage({ kind: "contact-end", since: effect.since });
        return outbox.put(this.#letter("contact-end", after, body, effect.tokenSecret, locatorsOf(before)));
      }
      case "register-tokens":
      case "revoke-tokens":
        return this.#handlers.onTokens();
      case "rotate-locator":
        return this.#rotate();
      case "notify":
        return; // the lists are told of after every step
    }
  }

  #letter(
    kind: Letter["kind"],
    { accountKey }: ContactState,
    body: Uint8Array,
    tokenSecret: Uint8Array | null,
    locators: readonly DeviceLocator[],
  ): Letter {
    return { kind, accountKey, body, tokenSecret, locators, writtenAt: this.#parts.ports.clock.now() };
  }

  #entry(accountKey: Uint8Array): ContactEntry {
    return this.#parts.book.of(accountKey, this.#parts.ports.clock.now());
  }

  #contact(accountKey: Uint8Array): Contact {
    const contact = this.#parts.book.contact(accountKey);
    if (!contact) throw new ContactError("not-a-contact", "Nobody with this id is among the contacts.");
    return contact;
  }
}

/** Added, and neither answered nor ended by them since, in a time in which they may still answer. */
function isWaiting({ state, addedAt }: ContactEntry, now: number): boolean {
  return state.status === "added" && state.lastPeer <= state.own.since && now - addedAt < STILL_WAITING_MS;
}

function locatorsOf(state: ContactState): readonly DeviceLocator[] {
  return "locators" in state ? state.locators : [];
}
