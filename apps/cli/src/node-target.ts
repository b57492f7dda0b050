/** Which node a command talks to. */
import { readRunFile } from "@earshot/node";
import type { NodeAddress } from "@earshot/sdk";
import { DEFAULT_PORT } from "./default-port.ts";
import { UsageError } from "./usage-error.ts";

const LOOPBACK_HOSTS: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/**
 * The node at `url` (`--node`), or else at `EARSHOT_NODE` (no other user sees a token in it, as in a list of processes), or
 * else the one on this machine's default port. A node on this machine that the same
 * person runs has left its token in a note that only they can read; an address with a token of its own needs no note.
 * Throws {@link UsageError} for what is no http, https, ws or wss address.
 */
export function nodeTarget(url: string | undefined, findRunFile = readRunFile): NodeAddress {
  const text = url ?? (process.env["EARSHOT_NODE"] || `http://127.0.0.1:${DEFAULT_PORT}`);
  if (!URL.canParse(text) || !/^(https?|wss?):$/.test(new URL(text).protocol))
    throw new UsageError(
      `${url === undefined ? "EARSHOT_NODE" : "--node"} takes an address such as http://127.0.0.1:${DEFAULT_PORT}, not "${text}".`,
    );
  const parsed = new URL(text);
  const carriesToken = parsed.hash.includes("token=") || parsed.searchParams.has("token");
  if (carriesToken || !LOOPBACK_HOSTS.includes(parsed.hostname)) return { url: text };
  const port = Number(parsed.port || (parsed.protocol === "http:" || parsed.protocol === "ws:" ? 80 : 443));
  const note = findRunFile(port);
  return note === undefined ? { url: text } : { url: text, token: note.token };
}
