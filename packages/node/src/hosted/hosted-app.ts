/**
 * The hosted app as a worker gives it out: from memory, so that all that is served is what the manifest says, no stranger's request opens a
 * file, and no path leads anywhere.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { sendText } from "../http/responses.ts";
import { fileHeaders, setAppHeaders } from "../http/static-app.ts";
import type { HostedOrders } from "../workers/control.ts";

const JSON_TYPE = "application/json; charset=utf-8";
/** A hosted app may turn to supernodes of other operators. */
const CONNECT_SOURCES = "'self' wss:";
/** What is smaller compressed, and is not so already. */
const COMPRESSED = /\.(html|js|css|svg|json|webmanifest|txt)$/;

interface HostedFile {
  readonly plain: Buffer;
  readonly gzip: Buffer | undefined;
}

export class HostedApp {
  readonly #label: string;
  readonly #manifest: string;
  readonly #files = new Map<string, HostedFile>();

  constructor({ label, manifest, files }: HostedOrders) {
    this.#label = label;
    this.#manifest = manifest;
    for (const [path, base64] of Object.entries(files)) {
      const plain = Buffer.from(base64, "base64");
      this.#files.set(path, { plain, gzip: COMPRESSED.test(path) ? gzipSync(plain) : undefined });
    }
  }

  /** Answers GET and HEAD for `pathname`. */
  serve(pathname: string, request: IncomingMessage, response: ServerResponse): void {
    if (pathname === "/hosted.json") return sendText(response, 200, this.#label, JSON_TYPE);
    if (pathname === "/app-manifest.json") return sendText(response, 200, this.#manifest, JSON_TYPE);
    setAppHeaders(response, CONNECT_SOURCES);
    // Paths in a manifest hold nothing that a URL would escape.
    const path = pathname === "/" ? "index.html" : pathname.slice(1);
    const file = this.#files.get(path);
    if (file === undefined) return sendText(response, 404, "Not found\n");
    const zipped = file.gzip !== undefined && takesGzip(request);
    const body = zipped ? (file.gzip as Buffer) : file.plain;
    response.writeHead(200, {
      ...fileHeaders(path, pathname),
      "content-length": body.length,
      ...(zipped ? { "content-encoding": "gzip" } : {}),
      ...(file.gzip === undefined ? {} : { vary: "accept-encoding" }),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

/** It says so, and not with a weight of nought. */
function takesGzip({ headers }: IncomingMessage): boolean {
  const accepted = String(headers["accept-encoding"] ?? "").split(",");
  return accepted.some((each) => /^\s*gzip\s*(;\s*q=(1|0\.0*[1-9]).*)?$/i.test(each));
}
