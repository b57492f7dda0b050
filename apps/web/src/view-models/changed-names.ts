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

const YET_ANOTHER =
  "The name leads to yet another key now than the one you were shown, so nothing was changed. Ask them in another way before you go on.";

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
        const { address, name, nameChangedTo } = contact;
        if (address === undefined || nameChangedTo === undefined) return undefined;
        // Asked before anything is lost: it may not answer, or name yet another key than the person was shown.
        const leadsTo = await nowLeadsTo(client, contact.id, address);
        if (leadsTo === contact.id) return contact.id;
        if (leadsTo === nameChangedTo) {
          await client.removeContact(contact.id);
          const added = await client.addContact(address, name);
          if (added.id === nameChangedTo) return added.id;
          await client.removeContact(added.id);
        }
        problem.value = YET_ANOTHER;
        return undefined;
      }),
  };
}

/** Whose id the domain gives for that name at this moment. */
async function nowLeadsTo(client: Client, contactId: string, address: string): Promise<string | undefined> {
  try {
    return (await client.addContact(address)).id;
  } catch (error) {
    if (codeOf(error) !== "name-changed") throw error;
    return client.contacts().find(({ id }) => id === contactId)?.nameChangedTo;
  }
}
