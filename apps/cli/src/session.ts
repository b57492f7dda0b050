/** One command's client: opened on the person's home folder, connected, and closed again. */
import { EarshotError } from "@earshot/core";
import { type Client, type ClientOptions, createClient, type NodeAddress, type Storage } from "@earshot/sdk";
import { nodeClientOptions } from "@earshot/sdk/node";
import { userInfo } from "node:os";
import { type CommonOptions, homeOf } from "./common-options.ts";
import { addEcho } from "./echo-contact.ts";
import { nodeTarget } from "./node-target.ts";
import type { Terminal } from "./terminal.ts";

export interface Session {
  readonly client: Client;
  readonly node: NodeAddress;
  readonly storage: Storage;
  /** Disconnects and frees the home folder. */
  close(): Promise<void>;
}

/** From connecting to online: a proof of work on a slow machine and a try or two more. */
const ONLINE_WITHIN_MS = 20_000;
/** A name has at most 48 bytes of UTF-8 (api.ts). */
const MAX_NAME_BYTES = 48;

/** Opens the home folder and makes the identity, without connecting. Throws `storage-in-use`. */
export async function openSession(
  options: CommonOptions,
  more: Pick<ClientOptions, "callSettings"> = {},
): Promise<Session> {
  const node = nodeTarget(options.node);
  const ports = await nodeClientOptions({ home: homeOf(options), node });
  try {
    const client = await createClient({ ...ports, ...more, name: defaultName() });
    return { client, node, storage: ports.storage, close: () => client.stop() };
  } catch (error) {
    await ports.storage.close();
    throw error;
  }
}

/** Opens the session and connects; see {@link goOnline}. */
export async function connectSession(options: CommonOptions, terminal: Terminal): Promise<Session> {
  const session = await openSession(options);
  try {
    await goOnline(session, terminal);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/**
 * Connects an open session, showing what takes long. Echo is made a contact where the node has one; `waitForEcho`: also
 * one that is still coming up. Throws `node-unreachable` or `node-refused` at the first failure: a command that is typed
 * again beats one that hangs.
 */
export async function goOnline(session: Session, terminal: Terminal, waitForEcho = false): Promise<void> {
  terminal.progress("Connecting to your node; the first time includes a proof of work, a few seconds …");
  const failure = watchForFailure(session);
  try {
    await Promise.race([session.client.start(), failure.rejected]);
    await addEcho(session, waitForEcho);
  } finally {
    failure.stop();
    terminal.progress(undefined);
  }
}

/**
 * Rejects when the node cannot be reached or refuses at once: trying again would not help. What else goes wrong may pass
 * (a node that is just starting, a machine that is busy), and is given {@link ONLINE_WITHIN_MS}.
 */
function watchForFailure({ client, node }: Session): { rejected: Promise<never>; stop: () => void } {
  let stop = (): void => undefined;
  const rejected = new Promise<never>((_resolve, reject) => {
    let seen = "offline";
    const fail = (problem: string): void => {
      stop();
      reject(new EarshotError(problem, adviceFor(problem, new URL(node.url).origin)));
    };
    const timer = setTimeout(() => fail(seen), ONLINE_WITHIN_MS);
    const unsubscribe = client.on("status", ({ state, problem }) => {
      if (problem === undefined) return;
      if (state !== "offline") seen = problem;
      else if (problem === "node-unreachable" || problem === "node-refused") fail(problem);
    });
    stop = () => {
      clearTimeout(timer);
      unsubscribe();
    };
  });
  return { rejected, stop: () => stop() };
}

/** What a person can do about the status problem `clock-wrong`. */
export const CLOCK_ADVICE =
  "This computer's clock and the node's are more than 5 minutes apart, so calls fail. Set this one's date and time; if they are right, the node's clock is wrong.";

function adviceFor(problem: string, origin: string): string {
  if (problem === "clock-wrong") return CLOCK_ADVICE;
  if (problem === "moved")
    return "A copy of this home folder runs somewhere else and has taken its place. Stop one of them; for a second device, restore from the recovery words.";
  if (problem === "node-unreachable")
    return `No Earshot node answers at ${origin}. Start one with: earshot start   (or name one with --node URL)`;
  if (problem === "node-refused")
    return `The node at ${origin} refused: it belongs to someone else, or was started anew. Use the URL that it printed, with its token.`;
  return `The node at ${origin} could not be used within ${ONLINE_WITHIN_MS / 1000} s: ${problem}.`;
}

/** A container may run under a number that no user has. */
export function userName(lookUp: () => { readonly username: string } = userInfo): string {
  try {
    return lookUp().username;
  } catch {
    return process.env["USER"] || "me";
  }
}

/** The OS user's name, which the person can change with `earshot id --name`. */
function defaultName(): string {
  let name = "";
  for (const char of userName()) if (Buffer.byteLength(name + char) <= MAX_NAME_BYTES) name += char;
  return name;
}
