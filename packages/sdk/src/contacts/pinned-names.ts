/** Names pinned to keys on first use: a domain may say once who somebody is, and no more without a warning. docs/protocol/names.md section 4. */
import {
  type Clock,
  decodeCard,
  encodeId,
  equalBytes,
  formatNameAddress,
  looksLikeName,
  parseNameAddress,
  type Result,
} from "@earshot/core";
import type { ClientEvents, Contact } from "../api.ts";
import { CallError, ContactError } from "../errors.ts";
import type { ContactBook } from "./contact-book.ts";
import type { NamePin } from "./name-pin.ts";

/** A name is looked up again after this long, … */
export const NAME_RECHECK_MS = 4 * 3_600_000;
/** … before a call already after this long, … */
export const NAME_CALL_RECHECK_MS = 3_600_000;
/** … which the call waits for no longer than this: a domain that cannot be asked stops nobody. */
export const NAME_CALL_WAIT_MS = 1_500;
/** Between two looks at which names are due. */
const ROUND_MS = 3_600_000;
/** Between two tries at a name whose domain did not answer. */
const RETRY_MS = 600_000;

export interface PinnedNamesParts {
  readonly clock: Clock;
  readonly book: Pick<ContactBook, "all" | "get" | "put" | "contact">;
  /** `name@domain` to a card's text or an id. */
  readonly resolve: (address: string) => Promise<string>;
}

export interface PinnedNamesHandlers {
  onContacts(): void;
  onChanged(change: ClientEvents["nameChanged"]): void;
  onProblem(error: unknown): void;
}

/** What was typed, as a card; where it was a name, which, and what to call them if their card does not say. */
export interface LookedUp {
  readonly card: string;
  readonly address?: string;
  readonly suggested?: string;
}

export class PinnedNames {
  readonly #parts: PinnedNamesParts;
  readonly #handlers: PinnedNamesHandlers;
  readonly #checks = new Map<string, Promise<void>>();
  readonly #triedAt = new Map<string, number>();
  #running = false;
  #cancelRound: () => void = () => {};

  constructor(parts: PinnedNamesParts, handlers: PinnedNamesHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  /** Looks the pinned names up now and then, until {@link stop}. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#round();
  }

  stop(): void {
    this.#running = false;
    this.#cancelRound();
  }

  /** The account that a contact's name is pinned to. */
  known(text: string): Uint8Array | undefined {
    return looksLikeName(text) ? this.#pinnedTo(addressOf(text))?.accountKey : undefined;
  }

  /**
   * A name's card; a card or id as it is. Throws {@link ContactError}: `name-changed` where a contact of that name has another key,
   * and what the resolver rejects with.
   */
  async lookUp(text: string): Promise<LookedUp> {
    if (!looksLikeName(text)) return { card: text };
    const address = addressOf(text);
    const card = await this.#parts.resolve(address);
    const decoded = decodeCard(card);
    if (!decoded.ok) throw new ContactError("name-refused", "What the domain publishes under that name is no card.");
    const pinned = this.#pinnedTo(address);
    if (pinned && !equalBytes(pinned.accountKey, decoded.value.accountKey)) {
      await this.#learn(pinned.accountKey, decoded.value.accountKey);
      throw new ContactError(
        "name-changed",
        `${changedText(address)} Remove the contact first if it is to be the new one.`,
      );
    }
    const [suggested] = address.split("@") as [string];
    return { card, address, ...(decoded.value.name === "" ? { suggested } : {}) };
  }

  /** From now on this contact has that name. */
  async pin(accountKey: Uint8Array, address: string): Promise<Contact> {
    await this.#save(accountKey, { address, checkedAt: this.#parts.clock.now(), changedTo: null, kept: null });
    return this.#contact(accountKey);
  }

  /** The person's word: the pinned key is right. Throws {@link ContactError} `not-a-contact`. */
  async keep(accountKey: Uint8Array): Promise<void> {
    this.#contact(accountKey);
    const pin = this.#parts.book.get(accountKey)?.pin;
    if (pin?.changedTo) await this.#save(accountKey, { ...pin, kept: pin.changedTo, changedTo: null });
  }

  /** Throws {@link CallError} `name-changed` where the domain names somebody else by this contact's name, as far as can be known in time. */
  async beforeCall(accountKey: Uint8Array): Promise<void> {
    const pin = this.#parts.book.get(accountKey)?.pin;
    if (!pin) return;
    const { clock } = this.#parts;
    if (!pin.changedTo && this.#isDue(pin, NAME_CALL_RECHECK_MS)) {
      let cancel = () => {};
      const late = new Promise<void>((resolve) => {
        cancel = clock.setTimer(NAME_CALL_WAIT_MS, resolve);
      });
      await Promise.race([this.#check(accountKey, pin), late]);
      cancel();
    }
    if (this.#parts.book.get(accountKey)?.pin?.changedTo)
      throw new CallError("name-changed", `${changedText(pin.address)} Ask them in another way before you call.`);
  }

  async #round(): Promise<void> {
    for (const { state } of this.#parts.book.all()) {
      const pin = this.#parts.book.get(state.accountKey)?.pin;
      if (pin && this.#running && this.#isDue(pin, NAME_RECHECK_MS)) await this.#check(state.accountKey, pin);
    }
    if (this.#running) this.#cancelRound = this.#parts.clock.setTimer(ROUND_MS, () => void this.#round());
  }

  #isDue({ address, checkedAt }: NamePin, afterMs: number): boolean {
    const now = this.#parts.clock.now();
    const triedMs = now - (this.#triedAt.get(address) ?? Number.NEGATIVE_INFINITY);
    const isTried = triedMs >= 0 && triedMs < RETRY_MS;
    return !isTried && (now - checkedAt >= afterMs || checkedAt > now);
  }

  /** One at a time for each name. Never rejects: a domain that cannot be asked changes nothing. */
  #check(accountKey: Uint8Array, { address }: NamePin): Promise<void> {
    const running = this.#checks.get(address);
    if (running) return running;
    this.#triedAt.set(address, this.#parts.clock.now());
    const check = this.#parts
      .resolve(address)
      .then(async (card) => {
        const decoded: Result<{ readonly accountKey: Uint8Array }> = decodeCard(card);
        if (decoded.ok) await this.#learn(accountKey, decoded.value.accountKey);
        this.#triedAt.delete(address);
      })
      .catch(this.#handlers.onProblem)
      .finally(() => this.#checks.delete(address));
    this.#checks.set(address, check);
    return check;
  }

  /** The domain says that this contact's name is `named`'s. */
  async #learn(accountKey: Uint8Array, named: Uint8Array): Promise<void> {
    const pin = this.#parts.book.get(accountKey)?.pin;
    if (!pin) return; // removed meanwhile
    const checkedAt = this.#parts.clock.now();
    if (equalBytes(named, accountKey)) return this.#save(accountKey, { ...pin, checkedAt, changedTo: null });
    if (isSame(pin.kept, named)) return this.#save(accountKey, { ...pin, checkedAt });
    const isNew = !isSame(pin.changedTo, named);
    await this.#save(accountKey, { ...pin, checkedAt, changedTo: named });
    if (isNew)
      this.#handlers.onChanged({ contactId: encodeId(accountKey), address: pin.address, newId: encodeId(named) });
  }

  async #save(accountKey: Uint8Array, pin: NamePin): Promise<void> {
    const entry = this.#parts.book.get(accountKey);
    if (!entry) return;
    await this.#parts.book.put({ ...entry, pin });
    this.#handlers.onContacts();
  }

  #pinnedTo(address: string): { readonly accountKey: Uint8Array } | undefined {
    return this.#parts.book.all().find(({ pin }) => pin?.address === address)?.state;
  }

  #contact(accountKey: Uint8Array): Contact {
    const contact = this.#parts.book.contact(accountKey);
    if (!contact) throw new ContactError("not-a-contact", "Nobody with this id is among the contacts.");
    return contact;
  }
}

/** Throws {@link ContactError} `name-malformed`. */
function addressOf(text: string): string {
  const parsed = parseNameAddress(text);
  if (!parsed.ok) throw new ContactError("name-malformed", "A name looks like ann@example.org, in plain letters.");
  return formatNameAddress(parsed.value);
}

function isSame(one: Uint8Array | null, other: Uint8Array): boolean {
  return one !== null && equalBytes(one, other);
}

function changedText(address: string): string {
  return `Somebody else is behind ${address} now: they use another account, or somebody has taken over the name.`;
}
