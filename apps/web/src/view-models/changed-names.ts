/** Contacts whose name at a domain leads to another key now: calls to them stop until the person has decided. */
import type { Client, Contact } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import { addressOf, onNameChanged, overlayOf } from "./overlay-client.ts";
import { codeOf } from "./plain-words.ts";

export interface ChangedNamesModel {
  /** Ids of those contacts. */
  readonly changed: ReadonlySignal<ReadonlySet<string>>;
  readonly busy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** A call was refused because of it. */
  note(contactId: string): void;
  /** Goes on with the key that this app knows, whatever the domain says now. */
  keep(contactId: string): Promise<void>;
  /** Forgets the contact and adds whoever the name leads to now. Their id, or undefined where that failed. */
  addAnew(contact: Contact): Promise<string | undefined>;
  dispose(): void;
}

/** Follows `client`. */
export function createChangedNamesModel(client: Client): ChangedNamesModel {
  const changed = signal<ReadonlySet<string>>(new Set());
  const busy = signal(false);
  const problem = signal<string | undefined>(undefined);
  const note = (id: string) => {
    changed.value = new Set([...changed.value, id]);
  };
  const forget = (id: string) => {
    changed.value = new Set([...changed.value].filter((one) => one !== id));
  };
  const unsubscribe = onNameChanged(client, ({ contactId }) => note(contactId));

  const attempt = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
    if (busy.value) return undefined;
    busy.value = true;
    problem.value = undefined;
    try {
      return await act();
    } catch (error) {
      problem.value = `That did not work (${codeOf(error)}). Nobody was called; try again.`;
      return undefined;
    } finally {
      busy.value = false;
    }
  };
  return {
    changed,
    busy,
    problem,
    note,
    keep: (id) =>
      attempt(async () => {
        await overlayOf(client).keepContactKey(id);
        forget(id);
      }),
    addAnew: (contact) =>
      attempt(async () => {
        const address = addressOf(contact);
        if (address === undefined) return undefined;
        await client.removeContact(contact.id);
        forget(contact.id);
        return (await client.addContact(address)).id;
      }),
    dispose: unsubscribe,
  };
}
