/** `earshot id`: who this home folder is. */
import {
  decodeCard,
  formatNameAddress,
  formatNameFile,
  formatNameTxt,
  NAME_FILE_PATH,
  type NameAddress,
  parseNameAddress,
} from "@earshot/core";
import encodeQR from "qr";
import type { CommonOptions } from "../common-options.ts";
import { goOnline, openSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export interface IdOptions extends CommonOptions {
  /** The name that the card suggests from now on. */
  readonly name?: string;
  /** Prints what makes `name@domain` this person's. */
  readonly nameFile?: string;
}

/**
 * Shows the id and the card. The card tells where this person is reached, so the first time needs the node; later an
 * absent node is only a note.
 */
export async function showId(options: IdOptions, terminal: Terminal): Promise<void> {
  const address = options.nameFile === undefined ? undefined : nameOf(options.nameFile);
  const session = await openSession(options);
  try {
    await goOnline(session, terminal).catch((error: unknown) => {
      if (!hasHome(session.client.card())) throw error;
      terminal.note(terminal.warn(`${(error as Error).message}\nThe card below is from the last time.`));
    });
    if (options.name !== undefined) await session.client.setName(options.name);
    const { id, name } = session.client;
    const card = session.client.card();
    if (address !== undefined) return sayNameFile(address, id, terminal);
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

/** Throws {@link UsageError}. */
function nameOf(text: string): NameAddress {
  const address = parseNameAddress(text);
  if (address.ok) return address.value;
  throw new UsageError(`"${text}" is no name: they look like ann@example.org, in plain letters.`);
}

/** The id alone: where a person is reached changes, and whoever adds them looks it up. */
function sayNameFile(address: NameAddress, id: string, terminal: Terminal): void {
  const file = formatNameFile([{ name: address.name, card: id }]);
  const txt = formatNameTxt(address, id);
  const url = `https://${address.domain}${NAME_FILE_PATH}`;
  terminal.emit({ address: formatNameAddress(address), url, file: JSON.parse(file) as unknown, txt });
  terminal.say(
    `The owner of ${address.domain} publishes one of these two. The file is the stronger: it is served over TLS.`,
  );
  terminal.say();
  terminal.say(terminal.bold(`A file at ${url}`));
  terminal.say("(where there is one already, add the line to its names)");
  terminal.say(file.trimEnd());
  terminal.say();
  terminal.say(terminal.bold("or a DNS record, as it stands in a zone file"));
  terminal.say(txt);
  terminal.say();
  terminal.say("Then people can add you by it:");
  terminal.say(`  earshot contacts add ${formatNameAddress(address)}`);
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
