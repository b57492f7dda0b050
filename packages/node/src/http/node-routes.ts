/** What the node's own person asks of it and tells it: `/api/node`, `/api/consent`, `/api/step-down`. Token checked before. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { NodeReporter } from "../report/node-report.ts";
import { parseConsentLimits } from "../roles/consent-store.ts";
import { readBody, sendJson } from "./responses.ts";

const MAX_BODY_BYTES = 1_024;
const DEDICATED = { error: "dedicated", message: "It serves because it was started so." };

/** Answers the route, or gives false where it is none of these. */
export async function handleNodeRoute(
  reporter: NodeReporter,
  route: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (route === "GET /api/node") sendJson(response, 200, reporter.report());
  else if (route === "PUT /api/consent") await setConsent(reporter, request, response);
  else if (route === "POST /api/step-down") {
    reporter.stepDown();
    sendJson(response, 202, {});
  } else return false;
  return true;
}

async function setConsent(reporter: NodeReporter, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = parseBody((await readBody(request, MAX_BODY_BYTES))?.toString("utf8") ?? "");
  if (body === undefined) return sendJson(response, 400, { error: "bad-body" });
  const limits = body.limits === undefined ? undefined : parseConsentLimits(body.limits);
  if (body.limits !== undefined && limits === undefined) return sendJson(response, 400, { error: "bad-limits" });
  const consent = reporter.setConsent(body.given, limits);
  if (consent === undefined) return sendJson(response, 409, DEDICATED);
  return sendJson(response, 200, consent);
}

function parseBody(text: string): { given: boolean; limits?: unknown } | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null || !("given" in body)) return undefined;
    if (typeof body.given !== "boolean") return undefined;
    return { given: body.given, ...("limits" in body ? { limits: body.limits } : {}) };
  } catch {
    return undefined;
  }
}
