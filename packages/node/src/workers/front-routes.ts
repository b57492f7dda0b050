/** What a worker answers over HTTP: whether it works, and the app where its operator said so. No API, no token, no metrics. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HostedApp } from "../hosted/hosted-app.ts";
import type { Access } from "../http/access.ts";
import { COMMON_HEADERS, sendText } from "../http/responses.ts";

export interface FrontRouteServices {
  readonly access: Access;
  readonly hosted: HostedApp | undefined;
  isHealthy(): boolean;
}

/** Answers one request. */
export function handleFrontRequest(
  { access, hosted, isHealthy }: FrontRouteServices,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
  if (!access.isHostAllowed(request)) return sendText(response, 421, "This node is not known by that name.\n");
  if (request.method !== "GET" && request.method !== "HEAD") return sendText(response, 405, "Method not allowed\n");
  const pathname = pathOf(request);
  if (pathname === undefined) return sendText(response, 400, "Bad request\n");
  if (pathname === "/healthz") return sendText(response, isHealthy() ? 200 : 503, isHealthy() ? "ok\n" : "stopping\n");
  if (pathname === "/edge") return sendText(response, 426, "The edge protocol speaks WebSocket.\n");
  if (pathname.startsWith("/api/") || pathname === "/metrics") return sendText(response, 404, "Not found\n");
  if (hosted === undefined) return sendText(response, 404, "This is an Earshot supernode. It serves no pages.\n");
  hosted.serve(pathname, request, response);
}

function pathOf(request: IncomingMessage): string | undefined {
  try {
    return new URL(request.url ?? "", "http://node.invalid").pathname;
  } catch {
    return undefined;
  }
}
