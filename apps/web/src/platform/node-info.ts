/** The node's `GET /api/info`: whether the token holds, and Echo's card. */
import type { Obstacle } from "../view-models/ports.ts";

const REQUEST_TIMEOUT_MS = 10_000;

/** What stands in the way of using the node with `token`, if anything. */
export async function tokenStatus(token: string): Promise<Obstacle | undefined> {
  const response = await getInfo(token).catch(() => undefined);
  if (response === undefined || response.status >= 500) return "node-unreachable";
  // A hosted copy's server has no such thing, and no token of ours.
  return [401, 403, 404].includes(response.status) ? "token-refused" : undefined;
}

/** Echo's card, or undefined where this node hosts none. Rejects where the node does not answer. */
export async function echoCard(token: string | undefined): Promise<string | undefined> {
  const info: unknown = await (await getInfo(token)).json();
  if (typeof info !== "object" || info === null || !("echo" in info)) return undefined;
  const { echo } = info;
  if (typeof echo !== "object" || echo === null || !("card" in echo)) return undefined;
  return typeof echo.card === "string" ? echo.card : undefined;
}

function getInfo(token: string | undefined): Promise<Response> {
  return fetch("/api/info", {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    cache: "no-store",
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
}
