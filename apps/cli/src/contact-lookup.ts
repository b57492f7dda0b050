/** The contact that a person means by what they typed. */
import { decodeCard, encodeId } from "@earshot/core";
import type { Client, Contact } from "@earshot/sdk";
import { UsageError } from "./usage-error.ts";

/** A contact, or a well-formed id or card of somebody who is not one. */
export type Meant = { readonly contact: Contact } | { readonly card: string; readonly id: string };

/**
 * Takes a contact's name (letter case does not matter), an id, the unique beginning of a contact's id, or a card.
 * Throws {@link UsageError} for anything else, and where several contacts are meant.
 */
export function whoIsMeant(client: Pick<Client, "contacts">, text: string): Meant {
  const contacts = client.contacts();
  const wanted = text.trim().toLowerCase();
  const named = contacts.filter((contact) => contact.name.toLowerCase() === wanted);
  if (named.length > 1) throw new UsageError(`You have ${named.length} contacts called "${text}"; use the id.`);
  if (named[0] !== undefined) return { contact: named[0] };
  const decoded = decodeCard(text);
  if (decoded.ok) {
    const id = encodeId(decoded.value.accountKey);
    const known = contacts.find((contact) => contact.id === id);
    return known === undefined ? { card: text, id } : { contact: known };
  }
  const begun = wanted.length >= 8 ? contacts.filter((contact) => contact.id.startsWith(wanted)) : [];
  if (begun.length === 1 && begun[0] !== undefined) return { contact: begun[0] };
  throw new UsageError(problemWith(text, decoded.code));
}

/** Why a text is no id, card or name. */
function problemWith(text: string, code: string): string {
  const shown = text.length > 24 ? `${text.slice(0, 20)}…` : text;
  if (code === "id-mistyped")
    return `"${shown}" is an id with a typing mistake: its check does not fit. Copy it again.`;
  if (code === "card-mistyped")
    return `"${shown}" is a damaged card: its check does not fit. Copy the whole of it again.`;
  if (/^(earshot:)?ear1/i.test(text)) return `"${shown}" is not a whole id or card. Copy all of it, in quotes.`;
  return `"${shown}" is no contact's name, no id (ear1…) and no card (earshot:ear1…). See: earshot contacts`;
}
