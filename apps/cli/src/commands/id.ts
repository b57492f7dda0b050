/** `earshot id`: who this home folder is. */
import { decodeCard } from "@earshot/core";
import encodeQR from "qr";
import type { CommonOptions } from "../common-options.ts";
import { goOnline, openSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";

export interface IdOptions extends CommonOptions {
  /** The name that the card suggests from now on. */
  readonly name?: string;
}

/**
 * Shows the id and the card. The card tells where this person is reached, so the first time needs the node; later an
 * absent node is only a note.
 */
export async function showId(options: IdOptions, terminal: Terminal): Promise<void> {
  const session = await openSession(options);
  try {
    await goOnline(session, terminal).catch((error: unknown) => {
      if (!hasHome(session.client.card())) throw error;
      terminal.note(terminal.warn(`${(error as Error).message}\nThe card below is from the last time.`));
    });
    if (options.name !== undefined) await session.client.setName(options.name);
    const { id, name } = session.client;
    const card = session.client.card();
    terminal.emit({ id, card, name });
    terminal.say(`${terminal.bold("Name")}  ${name}`);
    terminal.say(`${terminal.bold("Id")}    ${id}`);
    terminal.say(`${terminal.bold("Card")}  ${card}`);
    terminal.say();
    sayQrCode(card, terminal);
    terminal.say("Give your card to the people who should be able to call you, and add theirs:");
    terminal.say("  earshot contacts add <their card>");
  } finally {
    await session.close();
  }
}

/** Two rows of the code to a line of text; only where a terminal has room for it. */
function sayQrCode(card: string, terminal: Terminal): void {
  const code = encodeQR(card, "ascii", { ecc: "low", border: 2 });
  if (code.indexOf("\n") <= terminal.columns) terminal.say(code);
}

function hasHome(card: string): boolean {
  const decoded = decodeCard(card);
  return decoded.ok && decoded.value.homes.length > 0;
}
