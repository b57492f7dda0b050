/** The web app's files, for the person on this machine. Read from one folder; nothing outside it, no listing, no dot files. */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";
import { sendText } from "./responses.ts";

const MIME_TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".wav": "audio/wav",
  ".ogg": "audio/ogg",
  ".mp3": "audio/mpeg",
  ".txt": "text/plain; charset=utf-8",
};

const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>Earshot</title>
<h1>The app is not built yet</h1>
<p>This node runs, but there is no web app in it. Run <code>npm start</code> in the repository, which builds it first;
then reload this page.</p>`;

/** Answers GET and HEAD for `pathname`. */
export async function serveApp(
  appDir: string | undefined,
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  setAppHeaders(response, ownSources(request.headers.host ?? ""));
  const file = appDir === undefined ? undefined : await findFile(appDir, pathname);
  if (file === undefined) {
    if (pathname !== "/") return sendText(response, 404, "Not found\n");
    response.writeHead(503, { "content-type": MIME_TYPES[".html"], "cache-control": "no-store" }).end(NOT_BUILT);
    return;
  }
  response.writeHead(200, {
    ...fileHeaders(file.path, pathname),
    "content-length": file.size,
  });
  if (request.method === "HEAD") response.end();
  else
    createReadStream(file.path)
      .on("error", () => response.destroy())
      .pipe(response);
}

/** What holds for the app's pages and all that they load. `connectSources`: what the app may talk to (CSP connect-src). */
export function setAppHeaders(response: ServerResponse, connectSources: string): void {
  response.setHeader("content-security-policy", contentSecurityPolicy(connectSources));
  response.setHeader("permissions-policy", "camera=(self), microphone=(self), autoplay=(self), geolocation=()");
  response.setHeader("cross-origin-opener-policy", "same-origin");
}

/** Of the file at `path`, asked for as `pathname`. */
export function fileHeaders(path: string, pathname: string): { "content-type": string; "cache-control": string } {
  return {
    "content-type": MIME_TYPES[extname(path).toLowerCase()] ?? "application/octet-stream",
    // Names under /assets/ carry a hash of their content.
    "cache-control": pathname.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-store",
  };
}

async function findFile(appDir: string, pathname: string): Promise<{ path: string; size: number } | undefined> {
  try {
    const decoded = decodeURIComponent(pathname === "/" ? "/index.html" : pathname);
    const parts = decoded.split("/").slice(1);
    if (parts.some((part) => part === "" || part.startsWith(".") || /[\\\0]/.test(part))) return undefined;
    const root = await realpath(appDir);
    // Links are followed before the check, so that none leads out.
    const path = await realpath(join(root, ...parts));
    if (!path.startsWith(root + sep)) return undefined;
    const found = await stat(path);
    return found.isFile() ? { path, size: found.size } : undefined;
  } catch {
    return undefined; // not there, or a malformed escape
  }
}

/** This node alone; `host` is the checked Host header. */
function ownSources(host: string): string {
  return `'self' ws://${host} wss://${host}`;
}

/** Scripts from here alone, nothing inline; not to be framed. */
function contentSecurityPolicy(connectSources: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    `connect-src ${connectSources}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
