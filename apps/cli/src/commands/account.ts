/** `earshot account`: where the account key is; forget, provide, words. */
import type { AccountStatus } from "@earshot/sdk";
import { accountLines } from "../account-lines.ts";
import type { CommonOptions } from "../common-options.ts";
import { readPhrase } from "../read-phrase.ts";
import { connectSession, openSession, type Session } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export interface ProvideOptions extends CommonOptions {
  /** The key stays on this device. */
  readonly keep?: boolean;
}

/** Shows whether the key is here and, while it is away, what it will be needed for. */
export async function showAccount(options: CommonOptions, terminal: Terminal): Promise<void> {
  const session = await openSession(options);
  try {
    tell(session.client.account, terminal);
  } finally {
    await session.close();
  }
}

/** Prints the recovery phrase: it is the account key. */
export async function showWords(options: CommonOptions, terminal: Terminal): Promise<void> {
  const session = await openSession(options);
  try {
    const phrase = await session.client.recoveryPhrase();
    terminal.emit({ phrase });
    terminal.say(phrase);
    terminal.note("Write these 24 words on paper, in order. Whoever has them can be you.");
  } finally {
    await session.close();
  }
}

/** Takes the key offline. The words are asked for first: without them on paper the account would be lost. */
export async function forgetKey(options: CommonOptions, terminal: Terminal): Promise<void> {
  terminal.note("The words bring the key back, and nothing else does. They are: earshot account words");
  await withWords(options, terminal, ({ client }, phrase) => client.provideAccountKey(phrase));
}

/** Signs for the coming weeks with the key, which is forgotten again unless `--keep`. */
export async function provideKey(options: ProvideOptions, terminal: Terminal): Promise<void> {
  await withWords(options, terminal, ({ client }, phrase) =>
    client.provideAccountKey(phrase, { keep: options.keep ?? false }),
  );
}

/** `earshot account <something else>`. */
export async function unknownAccountCommand(word: string): Promise<never> {
  // The word may be the first of a phrase: it is not repeated.
  throw new UsageError(
    `account knows no "${word.length > 12 ? "…" : word}". There are: account forget, account provide, account words. The 24 words are read from the terminal or stdin, never from the command line.`,
  );
}

async function withWords(
  options: CommonOptions,
  terminal: Terminal,
  act: (session: Session, phrase: string) => Promise<void>,
): Promise<void> {
  const phrase = await readPhrase(process.stdin, process.stderr);
  const session = await connectSession(options, terminal);
  try {
    await act(session, phrase);
    tell(session.client.account, terminal);
  } finally {
    await session.close();
  }
}

function tell(account: AccountStatus, terminal: Terminal): void {
  terminal.emit({ account });
  const { state, advice } = accountLines(account);
  terminal.say(state);
  if (advice !== undefined) terminal.say(terminal.warn(`! ${advice}`));
}
