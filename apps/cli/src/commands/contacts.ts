/** `earshot contacts`: list, add, accept, keep, remove. */
import type { Client, Contact, ContactRequest } from "@earshot/sdk";
import { checkCard, whoIsMeant } from "../contact-lookup.ts";
import type { CommonOptions } from "../common-options.ts";
import { nameChangedText } from "../name-changed-text.ts";
import { connectSession, goOnline, openSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

/** Lists contacts and requests: what waits at the node as well, where it can be reached. */
export async function listContacts(options: CommonOptions, terminal: Terminal): Promise<void> {
  const session = await openSession(options);
  try {
    await goOnline(session, terminal).catch((error: unknown) => {
      terminal.note(terminal.warn(`${(error as Error).message}\nNew requests are not in this list.`));
    });
    const contacts = [...session.client.contacts()].sort((a, b) => a.name.localeCompare(b.name));
    const requests = session.client.requests();
    terminal.emit({ contacts, requests });
    if (contacts.length === 0)
      terminal.say("No contacts yet. Add one by the card they gave you:\n  earshot contacts add <card>");
    for (const contact of contacts) terminal.say(contactLine(contact, terminal));
    if (requests.length > 0) tellRequests(requests, terminal);
  } finally {
    await session.close();
  }
}

export interface AddOptions extends CommonOptions {
  /** What to call them, instead of what their card suggests. */
  readonly name?: string;
}

/** Adds a card, id or name@domain and sends the request. A mistyped card or id is refused before the node is asked. */
export async function addContact(card: string, options: AddOptions, terminal: Terminal): Promise<void> {
  checkCard(card);
  await withClient(options, terminal, async (client) => {
    terminal.progress("Sending your request, with its proof of work …");
    const contact = await client.addContact(card, options.name).finally(() => terminal.progress(undefined));
    terminal.emit({ contact });
    if (contact.state === "contact")
      terminal.say(terminal.good(`${contact.name} and you are contacts: earshot call ${callable(contact)}`));
    else {
      terminal.say(
        `${terminal.good(`Asked ${contact.name}`)} to be a contact. You can call each other as soon as they add your card or accept:`,
      );
      terminal.say("  earshot id                    shows your card");
      terminal.say(`  earshot call ${callable(contact)}`);
    }
  });
}

/** Accepts the request of a stranger, by the id or name that `earshot contacts` shows. */
export async function acceptRequest(text: string, options: CommonOptions, terminal: Terminal): Promise<void> {
  await withClient(options, terminal, async (client) => {
    const contact = await client.acceptRequest(requestMeant(client.requests(), text).id);
    terminal.emit({ contact });
    terminal.say(terminal.good(`${contact.name} and you are contacts: earshot call ${callable(contact)}`));
  });
}

/** Stays with a contact's key though the domain of their name names another now. */
export async function keepContact(text: string, options: CommonOptions, terminal: Terminal): Promise<void> {
  const session = await openSession(options);
  try {
    const meant = whoIsMeant(session.client, text);
    if (!("contact" in meant)) throw new UsageError("They are not among your contacts. See: earshot contacts");
    const { id, name, nameChangedTo } = meant.contact;
    await session.client.keepContactKey(id);
    terminal.emit({ kept: { id, name } });
    terminal.say(
      nameChangedTo === undefined
        ? `There was nothing to decide: ${name} is who they were.`
        : terminal.good(`${name} stays who they were: earshot call ${callable(meant.contact)}`),
    );
  } finally {
    await session.close();
  }
}

/** Removes a contact, or declines a request. */
export async function removeContact(text: string, options: CommonOptions, terminal: Terminal): Promise<void> {
  await withClient(options, terminal, async (client) => {
    const requests = client.requests().filter((request) => request.id === text.trim().toLowerCase());
    if (requests[0] !== undefined) {
      await client.declineRequest(requests[0].id);
      terminal.emit({ removed: { id: requests[0].id, name: requests[0].name } });
      terminal.say(`Declined ${requests[0].name}'s request.`);
      return;
    }
    const meant = whoIsMeant(client, text);
    if (!("contact" in meant)) throw new UsageError("They are not among your contacts. See: earshot contacts");
    const { id, name } = meant.contact;
    await client.removeContact(id);
    terminal.emit({ removed: { id, name } });
    terminal.say(`Removed ${name}. They can no longer find or ring this device.`);
  });
}

async function withClient(
  options: CommonOptions,
  terminal: Terminal,
  act: (client: Client) => Promise<void>,
): Promise<void> {
  const session = await connectSession(options, terminal);
  try {
    await act(session.client);
  } finally {
    await session.close();
  }
}

function requestMeant(requests: readonly ContactRequest[], text: string): ContactRequest {
  const wanted = text.trim().toLowerCase();
  const found = requests.filter(
    ({ id, name }) => id === wanted || name.toLowerCase() === wanted || (wanted.length >= 8 && id.startsWith(wanted)),
  );
  if (found.length === 1 && found[0] !== undefined) return found[0];
  if (found.length > 1) throw new UsageError(`${found.length} requests fit "${text}"; use the whole id.`);
  throw new UsageError(
    requests.length === 0
      ? "Nobody's request is waiting."
      : `No request fits "${text}". Waiting: ${requests.map(({ name, id }) => `${name} (${id.slice(0, 12)}…)`).join(", ")}`,
  );
}

const STATES: Record<Contact["state"], string> = {
  contact: "can call",
  added: "waiting for them to add or accept you",
  blocked: "blocked",
};

function contactLine(contact: Contact, terminal: Terminal): string {
  const state = contact.state === "contact" ? terminal.good(STATES.contact) : terminal.warn(STATES[contact.state]);
  const address = contact.address === undefined ? "" : `  ${contact.address}`;
  const line = `${terminal.bold(contact.name.padEnd(20))}  ${state}${address}\n  ${terminal.dim(contact.id)}`;
  return contact.nameChangedTo === undefined ? line : `${line}\n  ${terminal.warn(`! ${nameChangedText(contact)}`)}`;
}

function tellRequests(requests: readonly ContactRequest[], terminal: Terminal): void {
  terminal.say();
  terminal.say(
    `${requests.length === 1 ? "Somebody asks" : `${requests.length} people ask`} to be your contact (the names are their own words):`,
  );
  for (const { name, id, receivedAt } of requests) {
    terminal.say(`${terminal.bold(name.padEnd(20))}  asked ${new Date(receivedAt).toLocaleString()}`);
    terminal.say(`  ${terminal.dim(id)}`);
  }
  terminal.say("  earshot contacts accept <id>     or: earshot contacts remove <id>");
}

/** What to type to call them: the name where a shell takes it as one word. */
function callable({ name, id }: Contact): string {
  return /^[\w.-]+$/.test(name) ? name.toLowerCase() : id;
}

/** `earshot contacts <something else>`. */
export async function unknownContactsCommand(word: string): Promise<never> {
  throw new UsageError(
    `contacts ${word}? There are: contacts add <card>, contacts accept <id>, contacts keep <name>, contacts remove <id>.`,
  );
}
