/** `earshot homes`: the supernodes that keep this person's mailboxes, and choosing others. */
import type { Client, HomeStatus } from "@earshot/sdk";
import type { CommonOptions } from "../common-options.ts";
import { table } from "../node-lines.ts";
import { connectSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export interface TrustOptions extends CommonOptions {
  /** Take the trust back. */
  readonly not?: boolean;
}

/** So much of a key tells it from the others. */
const SHORT_KEY_LENGTH = 8;

/** Lists homes and the supernodes there are to choose from. */
export async function listHomes(options: CommonOptions, terminal: Terminal): Promise<void> {
  await withClient(options, terminal, async (client) => tellHomes(client, terminal));
}

/** Prefers a supernode as a home from now on, or no longer. */
export async function trustSupernode(text: string, options: TrustOptions, terminal: Terminal): Promise<void> {
  await withClient(options, terminal, async (client) => {
    const key = keyMeant(keysOf(client), text);
    const others = client.supernodes().filter((one) => one.trusted && one.key !== key);
    await client.setTrustedSupernodes([...others.map((one) => one.key), ...(options.not === true ? [] : [key])]);
    terminal.emit({ [options.not === true ? "distrusted" : "trusted"]: { key } });
    terminal.say(
      options.not === true
        ? `No longer preferred: ${short(key)}. If it is a home of yours, it stays so until you move.`
        : `Trusted: ${short(key)} is preferred as a home from now on.`,
    );
  });
}

/** Gives a home up for another that is chosen as homes always are, or for the one named. */
export async function moveHome(from: string, to: string | undefined, options: CommonOptions, terminal: Terminal) {
  await withClient(options, terminal, async (client) => {
    const fromKey = keyMeant(
      (client.status.homes ?? []).map(({ key }) => key),
      from,
    );
    const toKey = to === undefined ? undefined : keyMeant(keysOf(client), to);
    await client.moveHome(fromKey, toKey);
    terminal.emit({ moved: { from: fromKey }, homes: client.status.homes ?? [] });
    terminal.say(`Moved away from ${short(fromKey)}. Your contacts find you at the new home by themselves.`);
  });
}

/** `earshot homes <something else>`. */
export async function unknownHomesCommand(word: string): Promise<never> {
  throw new UsageError(`homes ${word}? There are: homes trust <key>, homes move <key> [to].`);
}

/** One line a home, for `earshot status` as well. */
export function homeLines(homes: readonly HomeStatus[]): string[] {
  return table([
    ["key", homes.map(({ key }) => short(key))],
    ["whose", homes.map(({ kind, operator }) => (kind === "own" ? "your own node" : operator || "-"))],
    ["kind", homes.map(({ kind }) => kind)],
    ["round trip", homes.map(({ roundTripMs }) => (roundTripMs === undefined ? "?" : `${Math.round(roundTripMs)} ms`))],
    ["state", homes.map(({ state, trusted }) => (trusted ? `${state}, trusted` : state))],
  ]);
}

function tellHomes(client: Client, terminal: Terminal): void {
  const homes = client.status.homes ?? [];
  const supernodes = client.supernodes();
  terminal.emit({ homes, supernodes });
  if (supernodes.length === 0 && homes.every(({ kind }) => kind === "own")) {
    terminal.say("Your own node is your home. It is not part of a network, so there is nothing to choose.");
    return;
  }
  terminal.say(terminal.bold("Your homes keep your mailboxes; while one can be reached, your contacts can call you."));
  for (const line of homeLines(homes)) terminal.say(`  ${line}`);
  const others = supernodes.filter(({ home }) => !home);
  if (others.length === 0) return;
  terminal.say(terminal.bold("Others that are known:"));
  const lines = homeLines(others.map((one) => ({ ...one, state: "connected" }) as const));
  for (const line of lines) terminal.say(`  ${line.replace(/ {2}(state|connected)/, "")}`);
  terminal.say("  earshot homes trust <key>     prefer one, say a friend's");
  terminal.say("  earshot homes move <key>      leave a home for another");
}

function keysOf(client: Client): string[] {
  return [...client.supernodes(), ...(client.status.homes ?? [])].map(({ key }) => key);
}

function keyMeant(keys: readonly string[], text: string): string {
  const wanted = text.trim().toLowerCase().replace(/…$/, "");
  const found = [...new Set(keys)].filter((key) => wanted.length >= SHORT_KEY_LENGTH && key.startsWith(wanted));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new UsageError(
    found.length > 1
      ? `${found.length} supernodes fit "${text}"; use the whole key.`
      : `No supernode that is known begins with "${text}". See: earshot homes`,
  );
}

function short(key: string): string {
  return key.slice(0, SHORT_KEY_LENGTH);
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
