import type { Client } from "@earshot/sdk";
import type { ClockPort, SessionPort } from "./ports.ts";

const ADDED_KEY = "echo-added";
/** Echo is a process of its own beside the node and starts after it: asked for again at growing intervals, a minute in all. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000, 30_000];

/**
 * Adds the node's Echo as a contact, once per id (its card changes with the node's address): whoever removes Echo keeps
 * it removed. Gives up quietly (no Echo here,
 * offline all the while); the next start tries again.
 */
export async function addEchoOnce(client: Client, session: SessionPort, clock: ClockPort): Promise<void> {
  for (const delayMs of [0, ...RETRY_DELAYS_MS]) {
    if (delayMs > 0) await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
    if (await isEchoThere(client, session)) return;
  }
}

/** False where another try may help. */
async function isEchoThere(client: Client, session: SessionPort): Promise<boolean> {
  try {
    const card = await session.echoCard();
    if (card === undefined) return false;
    const checked = session.checkCard(card);
    if (!checked.ok) return false;
    if ((await session.notes.load(ADDED_KEY)) === checked.id) return true;
    await client.addContact(card, "Echo");
    await session.notes.save(ADDED_KEY, checked.id);
    return true;
  } catch {
    return false;
  }
}
