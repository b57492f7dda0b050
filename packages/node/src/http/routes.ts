/** What the daemon answers over HTTP. docs/operating.md, "HTTP". */
import type { IncomingMessage, ServerResponse } from "node:http";
import { fromHex } from "@earshot/core";
import type { NodeMetrics } from "../metrics.ts";
import type { NodeReporter } from "../report/node-report.ts";
import { answerName } from "../names/name-route.ts";
import type { NameResolver } from "../names/name-resolver.ts";
import type { Access } from "./access.ts";
import { handleNodeRoute } from "./node-routes.ts";
import { COMMON_HEADERS, readBody, sendJson, sendText } from "./responses.ts";
import { serveApp } from "./static-app.ts";

const MAX_BODY_BYTES = 1_024;
const SALT_BYTES = 32;

export interface RouteServices {
  readonly access: Access;
  readonly metrics: NodeMetrics;
  /** Undefined where no app is served: a public listener. */
  readonly app: { readonly dir: string | undefined } | undefined;
  /** False while shutting down. */
  isHealthy(): boolean;
  info(): object;
  status(): object;
  readonly reporter: NodeReporter;
  keyHalf(salt: Uint8Array): Buffer;
  readonly names: Pick<NameResolver, "resolve">;
}

/** Answers one request; never rejects. */
export async function handleHttp(s: RouteServices, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
  if (!s.access.isHostAllowed(request)) return sendText(response, 421, "This node is not known by that name.\n");
  if (!s.access.isOriginAllowed(request)) return sendText(response, 403, "Other pages have no business here.\n");
  const pathname = pathOf(request);
  if (pathname === undefined) return sendText(response, 400, "Bad request\n");
  if (pathname.startsWith("/api/")) return handleApi(s, pathname, request, response);
  if (request.method !== "GET" && request.method !== "HEAD") return sendText(response, 405, "Method not allowed\n");
  if (pathname === "/healthz")
    return sendText(response, s.isHealthy() ? 200 : 503, s.isHealthy() ? "ok\n" : "stopping\n");
  if (pathname === "/metrics") return sendText(response, 200, await s.metrics.text(), s.metrics.contentType);
  if (pathname === "/edge") return sendText(response, 426, "The edge protocol speaks WebSocket.\n");
  if (s.app === undefined) return sendText(response, 404, "This is an Earshot supernode. It serves no pages.\n");
  return serveApp(s.app.dir, pathname, request, response);
}

async function handleApi(
  s: RouteServices,
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!s.access.hasBearerToken(request)) {
    response.setHeader("www-authenticate", "Bearer");
    return sendJson(response, 401, { error: "token-needed" });
  }
  const route = `${request.method} ${pathname}`;
  if (route === "GET /api/info") return sendJson(response, 200, s.info());
  if (route === "GET /api/status") return sendJson(response, 200, s.status());
  if (route === "GET /api/name") return answerName(s.names, request, response);
  if (route === "POST /api/key-half") return keyHalf(s, request, response);
  if (await handleNodeRoute(s.reporter, route, request, response)) return;
  return sendJson(response, 404, { error: "not-found" });
}

/** `{ "salt": hex of 32 bytes }` gives `{ "half": hex of 32 bytes }`. */
async function keyHalf(s: RouteServices, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request, MAX_BODY_BYTES);
  const salt = saltOf(body?.toString("utf8") ?? "");
  if (salt === undefined) return sendJson(response, 400, { error: "bad-salt" });
  return sendJson(response, 200, { half: s.keyHalf(salt).toString("hex") });
}

function saltOf(text: string): Uint8Array | undefined {
  try {
    const { salt } = JSON.parse(text) as { salt?: unknown };
    const bytes = typeof salt === "string" ? fromHex(salt) : undefined;
    return bytes?.ok && bytes.value.length === SALT_BYTES ? bytes.value : undefined;
  } catch {
    return undefined;
  }
}

function pathOf(request: IncomingMessage): string | undefined {
  try {
    return new URL(request.url ?? "", "http://node.invalid").pathname;
  } catch {
    return undefined;
  }
}
