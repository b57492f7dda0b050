/** The contact that a person means by what they typed. */
import { decodeCard, EarshotError, encodeId, looksLikeName } from "@earshot/core";
import type { Client, Contact } from "@earshot/sdk";
import { UsageError } from "./usage-error.ts";

/** A contact, or a well-formed id, card or name@domain of somebody who is not one. */
export type Meant = { readonly contact: Contact } | { readonly card: string; readonly id: string };

/**
 * Takes a contact's name (letter case does not matter), an id, the unique beginning of a contact's id, a card, or a name@domain.
 * Throws {@link UsageError} for anything else, and where several contacts are meant; what {@link checkCard} throws for an
 * id or card that was mistyped.
 */
export function whoIsMeant(client: Pick<Client, "contacts">, text: string): Meant {
  const contacts = client.contacts();
  const wanted = text.trim().toLowerCase();
  if (looksLikeName(text)) {
    // Before what people call themselves: anyone may call themselves ann@example.org.
    const pinned = contacts.find((contact) => contact.address === wanted);
    return pinned === undefined ? { card: wanted, id: wanted } : { contact: pinned };
  }
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
  throw (
    damage(text, decoded.code) ??
    new UsageError(
      `"${shown(text)}" is no contact's name, no id (ear1…) and no card (earshot:ear1…). See: earshot contacts`,
    )
  );
}

/** Throws for what is no id, card or name@domain: `id-mistyped` and `card-mistyped` where the check in it shows a slip, or else {@link UsageError}. */
export function checkCard(text: string): void {
  if (looksLikeName(text)) return; // the node is asked
  const decoded = decodeCard(text);
  if (decoded.ok) return;
  throw (
    damage(text, decoded.code) ??
    new UsageError(
      `"${shown(text)}" is no id (ear1…) and no card (earshot:ear1…). Ask them for what this shows: earshot id`,
    )
  );
}

/** For what was meant to be an id or card. */
function damage(text: string, code: string): EarshotError | undefined {
  if (code === "id-mistyped")
    return new EarshotError(
      code,
      `"${shown(text)}" is an id with a typing mistake: its check does not fit. Copy it again.`,
    );
  if (code === "card-mistyped")
    return new EarshotError(
      code,
      `"${shown(text)}" is a damaged card: its check does not fit. Copy the whole of it again.`,
    );
  if (/^\s*(earshot:)?ear1/i.test(text))
    return new UsageError(`"${shown(text)}" is not a whole id or card. Copy all of it, in quotes.`);
  return undefined;
}

function shown(text: string): string {
  return text.length > 24 ? `${text.slice(0, 20)}…` : text;
}
