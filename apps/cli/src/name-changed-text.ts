import type { Contact } from "@earshot/sdk";

/** What a person should know and can do where the key behind a contact's name is another now. */
export function nameChangedText({ name, address }: Pick<Contact, "name" | "address">): string {
  return `Somebody else is behind ${address ?? "their name"} now, so calls to ${name} wait. Ask them in another way: they may use a new account, or somebody has taken over the name. Then: earshot contacts keep ${address ?? "<id>"}   or remove them and add them anew.`;
}
