/** `earshot homes`: the supernodes that keep this person's mailboxes, and choosing others. */
import type { NodeReport } from "@earshot/core";
import type { Client, HomeStatus } from "@earshot/sdk";
import type { CommonOptions } from "../common-options.ts";
import { nodeApi } from "../node-api.ts";
import { joiningText, table, wrapped } from "../node-lines.ts";
import { connectSession, type Session } from "../session.ts";
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
  await withSession(options, terminal, async ({ client, node }) => {
    const report = await nodeApi(node)
      .report()
      .catch(() => undefined);
    tellHomes(client, report, terminal);
  });
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
    ["round trip", homes.map(roundTripText)],
    ["state", homes.map(({ state, trusted }) => (trusted ? `${state}, trusted` : state))],
  ]);
}

/** The homes; how far they are by the own node's measure, where this client has not measured. */
export function homesOf(client: Client, report: NodeReport | undefined): HomeStatus[] {
  return (client.status.homes ?? []).map((home) => {
    const near = report?.neighbours.find(({ key, self }) => key === home.key && !self)?.roundTripMs ?? undefined;
    const roundTripMs = home.roundTripMs ?? near;
    return roundTripMs === undefined ? home : { ...home, roundTripMs };
  });
}

function tellHomes(client: Client, report: NodeReport | undefined, terminal: Terminal): void {
  const homes = homesOf(client, report);
  const supernodes = client.supernodes();
  terminal.emit({ homes, supernodes });
  if (supernodes.length === 0 && homes.every(({ kind }) => kind === "own")) {
    terminal.say("Your own node is your only home, so there is nothing to choose.");
    if (report !== undefined) for (const line of wrapped(whyAlone(report), "", terminal.columns)) terminal.say(line);
    return;
  }
  terminal.say(terminal.bold("Your homes keep your mailboxes. While one is reached, contacts can call you."));
  for (const line of homeLines(homes)) terminal.say(`  ${line}`);
  const others = supernodes.filter(({ home }) => !home);
  if (others.length === 0) return;
  terminal.say(terminal.bold("Others that are known:"));
  const lines = homeLines(others.map((one) => ({ ...one, state: "connected" }) as const));
  for (const line of lines) terminal.say(`  ${line.replace(/ {2}(state|connected)/, "")}`);
  terminal.say("  earshot homes trust <key>     prefer one, say a friend's");
  terminal.say("  earshot homes move <key>      leave a home for another");
}

function roundTripText({ kind, roundTripMs }: Pick<HomeStatus, "kind" | "roundTripMs">): string {
  if (roundTripMs === undefined) return kind === "own" ? "-" : "?";
  return `${Math.round(roundTripMs)} ms`;
}

function whyAlone(report: NodeReport): string {
  switch (report.network.state) {
    case "alone":
      return "It is not part of a network. Started without --alone, it would be.";
    case "joining":
      return joiningText(report.network);
    case "joined":
      return "It has found no other supernode of its network yet.";
  }
}

function keysOf(client: Client): string[] {
  return [...client.supernodes(), ...(client.status.homes ?? [])].map(({ key }) => key);
}

function keyMeant(keys: readonly string[], text: string): string {
  const wanted = text.trim().toLowerCase().replace(/…$/, "");
  if (wanted.length < SHORT_KEY_LENGTH)
    throw new UsageError(
      `"${text}" is too short for a key: type the ${SHORT_KEY_LENGTH} characters that earshot homes shows.`,
    );
  const found = [...new Set(keys)].filter((key) => key.startsWith(wanted));
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

function withClient(options: CommonOptions, terminal: Terminal, act: (client: Client) => Promise<void>): Promise<void> {
  return withSession(options, terminal, ({ client }) => act(client));
}

async function withSession(
  options: CommonOptions,
  terminal: Terminal,
  act: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await connectSession(options, terminal);
  try {
    await act(session);
  } finally {
    await session.close();
  }
}
