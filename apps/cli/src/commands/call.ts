/** `earshot call`: rings somebody and talks. */
import { EarshotError } from "@earshot/core";
import type { Call, CallMedia, Client, Contact } from "@earshot/sdk";
import type { CallOptions } from "../call-options.ts";
import { whoIsMeant } from "../contact-lookup.ts";
import type { ExitCode } from "../exit-codes.ts";
import { holdCall } from "../hold-call.ts";
import { nameChangedText } from "../name-changed-text.ts";
import { goOnline } from "../session.ts";
import type { Terminal } from "../terminal.ts";

/** Somebody who is online and has added us accepts within a second or two. */
const ACCEPT_TIMEOUT_MS = 10_000;

/** Calls by contact name, id or card; gives the exit code once the call has ended. */
export function placeCall(whom: string, options: CallOptions, terminal: Terminal): Promise<ExitCode> {
  return holdCall(options, terminal, async ({ session, media, interrupted }) => {
    await goOnline(session, terminal, whom.trim().toLowerCase() === "echo");
    const contact = await Promise.race([reachable(session.client, whom, terminal), interrupted]);
    return Promise.race([dial(session.client, contact, media, terminal), interrupted]);
  });
}

async function dial(client: Client, contact: Contact, media: CallMedia, terminal: Terminal): Promise<Call> {
  const theirs = await clearTheLine(client, contact, terminal);
  if (theirs !== undefined) {
    await theirs.answer(media);
    return theirs;
  }
  try {
    return await client.call(contact.id, media);
  } catch (error) {
    if (!(error instanceof EarshotError)) throw error;
    const advice: Record<string, string> = {
      "contact-unreachable": `${contact.name} cannot be reached now: their devices are offline.`,
      "name-changed": nameChangedText(contact),
      "no-relay": "Your address is to be hidden, which takes a relay, and none is there. Nobody was called.",
      "not-a-contact": `${contact.name} has removed you, or never accepted.`,
    };
    throw new EarshotError(error.code, advice[error.code] ?? error.message, { cause: error });
  }
}

/** Declines what rings here at this moment, but for a call of the very person: that one is as good as ours. */
async function clearTheLine(client: Client, contact: Contact, terminal: Terminal): Promise<Call | undefined> {
  const ringing = client.calls().filter((call) => call.direction === "incoming" && call.phase === "ringing");
  for (const call of ringing) {
    if (call.peer.id === contact.id) continue;
    terminal.say(`${call.peer.name} is calling too, and was told that you are busy.`);
    await call.decline();
  }
  return ringing.find((call) => call.peer.id === contact.id);
}

/** The contact meant by `whom`, added first where necessary, once they can be called. Throws `waiting-for-contact`. */
async function reachable(client: Client, whom: string, terminal: Terminal): Promise<Contact> {
  const meant = whoIsMeant(client, whom);
  const contact = "contact" in meant ? meant.contact : await add(client, meant.card, terminal);
  if (contact.state === "contact") return contact;
  if (contact.state === "blocked") throw new EarshotError("not-a-contact", `You have blocked ${contact.name}.`);
  terminal.progress(`Waiting for ${contact.name} to accept you …`);
  terminal.emit({ event: "waiting-for-contact", peer: { id: contact.id, name: contact.name } });
  return await accepted(client, contact).finally(() => terminal.progress(undefined));
}

async function add(client: Client, card: string, terminal: Terminal): Promise<Contact> {
  terminal.progress("Adding them; sending your request, with its proof of work …");
  return await client.addContact(card).finally(() => terminal.progress(undefined));
}

function accepted(client: Client, { id, name }: Contact): Promise<Contact> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      const now = client.contacts().find((contact) => contact.id === id);
      if (now?.state !== "contact") return;
      settle();
      resolve(now);
    };
    const stop = client.on("contacts", check);
    const timer = setTimeout(() => {
      settle();
      reject(
        new EarshotError(
          "waiting-for-contact",
          `${name} has not accepted you yet. Ask them to add your card (earshot id shows it), or to accept your request.`,
        ),
      );
    }, ACCEPT_TIMEOUT_MS);
    const settle = (): void => {
      stop();
      clearTimeout(timer);
    };
    check();
  });
}
