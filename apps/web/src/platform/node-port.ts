/** The node's report and its owner's word, over HTTP with the token. */
import type { NodeReport } from "@earshot/core";
import type { NodePort } from "../view-models/ports.ts";

const REQUEST_TIMEOUT_MS = 10_000;

class NodePortError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Of the node that serves this page; `token` is read afresh for each request. */
export function nodePort(token: () => string | null | undefined): NodePort {
  const ask = async (method: string, path: string, body?: object): Promise<Response> => {
    const response = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token() ?? ""}`,
        ...(body ? { "content-type": "application/json" } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      cache: "no-store",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    }).catch(() => undefined);
    if (response === undefined || response.status >= 500) throw new NodePortError("node-unreachable");
    if (response.status === 401 || response.status === 403) throw new NodePortError("token-refused");
    if (response.status === 404) throw new NodePortError("no-report");
    if (!response.ok) throw new NodePortError(`http-${response.status}`);
    return response;
  };
  return {
    report: async () => {
      const report: unknown = await (await ask("GET", "/api/node")).json().catch(() => undefined);
      if (!isReport(report)) throw new NodePortError("no-report");
      return report;
    },
    setConsent: async (given, limits) => {
      await ask("PUT", "/api/consent", { given, ...(limits ? { limits } : {}) });
    },
    setRelayConsent: async (given, limits) => {
      await ask("PUT", "/api/relay-consent", { given, ...(limits ? { limits } : {}) });
    },
    stepDown: async () => {
      await ask("POST", "/api/step-down");
    },
  };
}

/** The version is what its shape hangs on; the node is one's own. */
function isReport(value: unknown): value is NodeReport {
  return typeof value === "object" && value !== null && "version" in value && value.version === 1;
}

/** Whether this tab is in front. */
export function watchPageVisible(listener: (visible: boolean) => void): () => void {
  const tell = () => listener(document.visibilityState === "visible");
  document.addEventListener("visibilitychange", tell);
  tell();
  return () => document.removeEventListener("visibilitychange", tell);
}
