/** The contact list, who is selected, and what one can do with a contact other than calling. */
import type { Client, Contact } from "@earshot/sdk";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { codeOf } from "./plain-words.ts";

export interface ContactsModel {
  /** Contacts that can be called first, then those waiting, then blocked ones; by name within each. */
  readonly list: ReadonlySignal<readonly Contact[]>;
  readonly selected: ReadonlySignal<Contact | undefined>;
  readonly problem: ReadonlySignal<string | undefined>;
  select(id: string | undefined): void;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
  block(id: string): Promise<void>;
  /** The contact's name, or a short word for somebody who is not in the list. */
  nameOf(id: string): string;
  dispose(): void;
}

const ORDER: Readonly<Record<Contact["state"], number>> = { contact: 0, added: 1, blocked: 2 };

/** Follows `client.contacts()`. */
export function createContactsModel(client: Client): ContactsModel {
  const list = signal(sorted(client.contacts()));
  const selectedId = signal<string | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  const unsubscribe = client.on("contacts", (contacts) => {
    list.value = sorted(contacts);
  });

  const attempt = async (what: string, act: () => Promise<void>) => {
    problem.value = undefined;
    try {
      await act();
    } catch (error) {
      problem.value = `${what} did not work (${codeOf(error)}). Try again.`;
    }
  };

  return {
    list,
    selected: computed(() => list.value.find((contact) => contact.id === selectedId.value)),
    problem,
    select: (id) => {
      selectedId.value = id;
      problem.value = undefined;
    },
    rename: (id, name) => attempt("Renaming", () => client.renameContact(id, name.trim())),
    remove: (id) =>
      attempt("Removing", async () => {
        await client.removeContact(id);
        selectedId.value = undefined;
      }),
    block: (id) => attempt("Blocking", () => client.blockContact(id)),
    nameOf: (id) => list.value.find((contact) => contact.id === id)?.name ?? "Somebody",
    dispose: unsubscribe,
  };
}

function sorted(contacts: readonly Contact[]): readonly Contact[] {
  return contacts.toSorted((a, b) => ORDER[a.state] - ORDER[b.state] || a.name.localeCompare(b.name));
}
