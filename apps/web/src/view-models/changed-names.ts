/** A contact whose name at a domain leads to another key now: calls to them stop until the person has decided. */
import type { Client, Contact } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import { cardProblem, codeOf } from "./plain-words.ts";

export interface ChangedNamesModel {
  readonly busy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** Goes on with the key that this app knows, whatever the domain says now. */
  keep(contactId: string): Promise<void>;
  /** Forgets the contact and adds whoever the name leads to now. Their id, or undefined where that failed. */
  addAnew(contact: Contact): Promise<string | undefined>;
}

/** What can be done about it; {@link Contact.nameChangedTo} tells of whom it is true. */
export function createChangedNamesModel(client: Client): ChangedNamesModel {
  const busy = signal(false);
  const problem = signal<string | undefined>(undefined);
  const attempt = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
    if (busy.value) return undefined;
    busy.value = true;
    problem.value = undefined;
    try {
      return await act();
    } catch (error) {
      problem.value = `That did not work. ${cardProblem(codeOf(error))}`;
      return undefined;
    } finally {
      busy.value = false;
    }
  };
  return {
    busy,
    problem,
    keep: (id) => attempt(() => client.keepContactKey(id)),
    addAnew: (contact) =>
      attempt(async () => {
        const { address, name } = contact;
        if (address === undefined) return undefined;
        await client.removeContact(contact.id);
        return (await client.addContact(address, name)).id;
      }),
  };
}
