import type { Client } from "@earshot/sdk";
import type { SessionPort } from "./ports.ts";

const ADDED_KEY = "echo-added";

/**
 * Adds the node's Echo as a contact, once per card: whoever removes Echo keeps it removed. Failing (offline, no Echo
 * here) costs nothing but Echo; the next start tries again.
 */
export async function addEchoOnce(client: Client, session: SessionPort): Promise<void> {
  try {
    const card = await session.echoCard();
    if (card === undefined || (await session.notes.load(ADDED_KEY)) === card) return;
    await client.addContact(card, "Echo");
    await session.notes.save(ADDED_KEY, card);
  } catch {
    // Tried again at the next start.
  }
}
