/** The node's report and its owner's word, over its small HTTP interface. */
import { type ConsentLimits, EarshotError, type NodeReport } from "@earshot/core";
import type { NodeAddress } from "@earshot/sdk";

const REQUEST_TIMEOUT_MS = 10_000;

/** Errors: `node-unreachable`, `node-refused`, `no-report` (a node that tells nothing of itself). */
export interface NodeApi {
  readonly origin: string;
  report(): Promise<NodeReport>;
  setConsent(given: boolean, limits?: ConsentLimits): Promise<void>;
  stepDown(): Promise<void>;
}

/** Of the node that a command talks to. */
export function nodeApi(node: NodeAddress): NodeApi {
  const url = new URL(node.url);
  const origin = `${url.protocol.replace("ws", "http")}//${url.host}`;
  const token =
    node.token ?? new URLSearchParams(url.hash.slice(1)).get("token") ?? url.searchParams.get("token") ?? "";
  const ask = async (method: string, path: string, body?: object): Promise<Response> => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    }).catch(() => undefined);
    if (response === undefined || response.status >= 500)
      throw new EarshotError("node-unreachable", `No Earshot node answers at ${origin}. Start one with: earshot start`);
    if (response.status === 401 || response.status === 403 || response.status === 421)
      throw new EarshotError(
        "node-refused",
        `The node at ${origin} refused. Use the URL that it printed, with its token.`,
      );
    if (response.status === 404)
      throw new EarshotError("no-report", `The node at ${origin} does not tell about itself; is it up to date?`);
    if (!response.ok)
      throw new EarshotError("node-refused", `The node at ${origin} did not take that (HTTP ${response.status}).`);
    return response;
  };
  return {
    origin,
    report: async () => (await (await ask("GET", "/api/node")).json()) as NodeReport,
    setConsent: async (given, limits) => {
      await ask("PUT", "/api/consent", { given, ...(limits === undefined ? {} : { limits }) });
    },
    stepDown: async () => {
      await ask("POST", "/api/step-down");
    },
  };
}
