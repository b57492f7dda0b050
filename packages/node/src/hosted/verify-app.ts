/** Compares an app that somebody else serves with this installation's own build: every file, by its content. */
import { EarshotError } from "@earshot/core";
import { type AppManifest, MAX_APP_FILE_BYTES, parseManifest, sha256 } from "./manifest.ts";

const TIMEOUT_MS = 20_000;
const MAX_MANIFEST_BYTES = 512 * 1024;
/** Files that are fetched at once. */
const AT_ONCE = 6;

/** What was found. All lists are of paths, and empty where the app is the own one. */
export interface AppComparison {
  readonly same: boolean;
  /** The root hashes: the own, and what its manifest claims; undefined where it publishes none that holds together. */
  readonly ownRoot: string;
  readonly theirRoot: string | undefined;
  /** Served with other content than this installation's. */
  readonly different: readonly string[];
  /** Not served, though this installation's app has them. */
  readonly missing: readonly string[];
  /** In its manifest, and not in this installation's app. */
  readonly extra: readonly string[];
}

/**
 * Downloads manifest and files from `origin` and compares them with `own`. Follows no redirects. Rejects with EarshotError
 * `app-unreachable`.
 */
export async function verifyHostedApp(origin: string, own: AppManifest): Promise<AppComparison> {
  const text = (await download(origin, "app-manifest.json", MAX_MANIFEST_BYTES))?.toString("utf8");
  const theirs = text === undefined ? undefined : parseManifest(text);
  const different: string[] = [];
  const missing: string[] = [];
  // The page itself is asked for as a browser does.
  const paths = ["", ...Object.keys(own.files)];
  const worker = async (): Promise<void> => {
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      const content = await download(origin, path, MAX_APP_FILE_BYTES);
      const expected = own.files[path || "index.html"]?.sha256;
      if (content === undefined) missing.push(path || "/");
      else if (sha256(content) !== expected) different.push(path || "/");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const extra = Object.keys(theirs?.files ?? {}).filter((path) => own.files[path] === undefined);
  const same = different.length + missing.length + extra.length === 0 && theirs?.root === own.root;
  const sorted = { different: different.sort(), missing: missing.sort(), extra: extra.sort() };
  return { same, ownRoot: own.root, theirRoot: theirs?.root, ...sorted };
}

/** The body; undefined where there is none or it is longer than `maxBytes`. */
async function download(origin: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(new URL(`/${path}`, origin), { redirect: "error", signal });
    if (response.status === 200 && response.body !== null) return await readAll(response.body, maxBytes);
    await response.body?.cancel();
    return undefined;
  } catch (cause) {
    const why = `${origin} does not answer in full, or not with a certificate that is trusted here`;
    throw new EarshotError("app-unreachable", why, { cause });
  }
}

async function readAll(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
