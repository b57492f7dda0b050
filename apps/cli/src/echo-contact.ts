/** Echo as a contact from the first start: the node tells its card, the CLI adds it once. */
import { decodeCard, encodeId } from "@earshot/core";
import type { Session } from "./session.ts";

/** In the client's storage: the id of the Echo that was added, so that one which the person removed stays away. */
const ADDED_KEY = "cli/echo-added";
/** The node is on this machine or one hop away; Echo must not hold up a command. */
const INFO_TIMEOUT_MS = 2_000;
const MAX_INFO_BYTES = 16_384;
const ECHO_NAME = "Echo";

/** Echo comes up a few seconds after the node; who calls it by name may wait for it. */
const WAIT_MS = 15_000;
const ASK_AGAIN_MS = 250;

/** What `/api/info` says of Echo: nothing without one, `starting` until it is online. */
type EchoInfo = { readonly card?: unknown; readonly starting?: unknown } | undefined;

/** Adds the node's Echo, where it has one that was not added before. Never fails a command. */
export async function addEcho(session: Session, waitUntilOnline: boolean): Promise<void> {
  try {
    const card = await echoCardOf(session, waitUntilOnline);
    const decoded = card === undefined ? undefined : decodeCard(card);
    if (card === undefined || decoded?.ok !== true) return;
    const id = encodeId(decoded.value.accountKey);
    const added = await session.storage.get(ADDED_KEY);
    if (added !== undefined && Buffer.from(added).toString() === id) return;
    await session.client.addContact(card, ECHO_NAME);
    await session.storage.set(ADDED_KEY, Buffer.from(id));
  } catch {
    // Echo is a courtesy; the next command tries again.
  }
}

async function echoCardOf(session: Session, waitUntilOnline: boolean): Promise<string | undefined> {
  const giveUpAt = performance.now() + WAIT_MS;
  for (;;) {
    const echo = await askForEcho(session);
    if (typeof echo?.card === "string") return echo.card;
    if (echo?.starting !== true || !waitUntilOnline || performance.now() > giveUpAt) return undefined;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

async function askForEcho({ node }: Session): Promise<EchoInfo> {
  const url = new URL("/api/info", node.url.replace(/^ws/, "http"));
  const token = node.token ?? new URLSearchParams(new URL(node.url).hash.slice(1)).get("token");
  const response = await fetch(url, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    signal: AbortSignal.timeout(INFO_TIMEOUT_MS),
  });
  if (!response.ok) return undefined;
  const text = await response.text();
  if (text.length > MAX_INFO_BYTES) return undefined;
  return (JSON.parse(text) as { echo?: EchoInfo } | null)?.echo;
}
