/** What the node's own person asks of it and tells it: `/api/node`, `/api/consent`, `/api/relay-consent`, `/api/step-down`. Token checked before. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { NodeReporter } from "../report/node-report.ts";
import { parseRelayLimits } from "../relay/relay-consent.ts";
import { parseConsentLimits } from "../roles/consent-store.ts";
import { readBody, sendJson } from "./responses.ts";

const MAX_BODY_BYTES = 1_024;
const DEDICATED = { error: "dedicated", message: "It serves because it was started so." };
const NOT_LENT = { error: "not-lent", message: "Whether it relays calls was said when it was started." };

/** Answers the route, or gives false where it is none of these. */
export async function handleNodeRoute(
  reporter: NodeReporter,
  route: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (route === "GET /api/node") sendJson(response, 200, reporter.report());
  else if (route === "PUT /api/consent") await setConsent(reporter, request, response);
  else if (route === "PUT /api/relay-consent") await setRelayConsent(reporter, request, response);
  else if (route === "POST /api/step-down") {
    reporter.stepDown();
    sendJson(response, 202, {});
  } else return false;
  return true;
}

async function setConsent(reporter: NodeReporter, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const word = await readWord(request, response, parseConsentLimits);
  if (word === undefined) return;
  const consent = reporter.setConsent(word.given, word.limits);
  if (consent === undefined) return sendJson(response, 409, DEDICATED);
  return sendJson(response, 200, consent);
}

async function setRelayConsent(
  reporter: NodeReporter,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const word = await readWord(request, response, parseRelayLimits);
  if (word === undefined) return;
  const lending = await reporter.setRelayConsent(word.given, word.limits);
  if (lending === null) return sendJson(response, 409, NOT_LENT);
  return sendJson(response, 200, lending);
}

/** A yes or no, with limits or without; undefined where it was answered that it is none. */
async function readWord<Limits>(
  request: IncomingMessage,
  response: ServerResponse,
  parse: (value: unknown) => Limits | undefined,
): Promise<{ given: boolean; limits: Limits | undefined } | undefined> {
  const body = parseBody((await readBody(request, MAX_BODY_BYTES))?.toString("utf8") ?? "");
  const limits = body?.limits === undefined ? undefined : parse(body.limits);
  if (body !== undefined && (body.limits === undefined || limits !== undefined)) return { given: body.given, limits };
  sendJson(response, 400, { error: body === undefined ? "bad-body" : "bad-limits" });
  return undefined;
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
