/**
 * What a build of the web app is: the SHA-256 of every file, and one hash over all of them, so that two builds can be compared without
 * trusting either's word.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { EarshotError } from "@earshot/core";

export const MANIFEST_VERSION = 1;
export const MAX_MANIFEST_FILES = 1_000;
/** Of one file. */
export const MAX_APP_FILE_BYTES = 16 * 1024 * 1024;
/** Of all files: whoever serves them holds them in memory. */
const MAX_APP_BYTES = 32 * 1024 * 1024;

export interface AppManifest {
  readonly version: typeof MANIFEST_VERSION;
  /** SHA-256, hex, over the lines `path NUL hash LF` of all files in the order of their paths. */
  readonly root: string;
  /** By path as in the URL, without the leading slash. */
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
}

export interface BuiltApp {
  readonly manifest: AppManifest;
  /** Of the manifest's files, by the same paths. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

/** Of the app built in `appDir`. Rejects with EarshotError `app-not-built`. */
export async function manifestOf(appDir: string): Promise<AppManifest> {
  return (await readApp(appDir)).manifest;
}

/** The app built in `appDir`, read once: each hash is that of the content beside it. Rejects with EarshotError `app-not-built`. */
export async function readApp(appDir: string): Promise<BuiltApp> {
  const paths = await filesIn(appDir);
  if (!paths.includes("index.html"))
    throw new EarshotError("app-not-built", "the web app is not built: run npm start once, or npx vite build apps/web");
  if (paths.length > MAX_MANIFEST_FILES) throw new EarshotError("app-not-built", `${appDir} holds more than an app`);
  const files: Record<string, { sha256: string; bytes: number }> = {};
  const contents = new Map<string, Buffer>();
  let bytes = 0;
  for (const path of paths) {
    const content = await readFile(join(appDir, path));
    bytes += content.length;
    if (content.length > MAX_APP_FILE_BYTES || bytes > MAX_APP_BYTES)
      throw new EarshotError("app-not-built", `${appDir} holds more than an app`);
    files[path] = { sha256: sha256(content), bytes: content.length };
    contents.set(path, content);
  }
  return { manifest: { version: MANIFEST_VERSION, root: rootOf(files), files }, contents };
}

export function rootOf(files: AppManifest["files"]): string {
  const hash = createHash("sha256");
  for (const path of Object.keys(files).sort(byCodeUnit)) hash.update(`${path}\0${files[path]?.sha256}\n`);
  return hash.digest("hex");
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A manifest as somebody else serves it: undefined if it is none. */
export function parseManifest(text: string): AppManifest | undefined {
  let value: { version?: unknown; root?: unknown; files?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== "object" || value.version !== MANIFEST_VERSION) return undefined;
  const { root, files } = value;
  if (typeof root !== "string" || typeof files !== "object" || files === null) return undefined;
  const entries = Object.entries(files as Record<string, unknown>);
  if (entries.length > MAX_MANIFEST_FILES || !entries.every(([path, file]) => isPath(path) && isFile(file)))
    return undefined;
  const parsed = files as AppManifest["files"];
  return rootOf(parsed) === root ? { version: MANIFEST_VERSION, root, files: parsed } : undefined;
}

function isFile(file: unknown): boolean {
  if (typeof file !== "object" || file === null) return false;
  const { sha256: hash, bytes } = file as { sha256?: unknown; bytes?: unknown };
  return typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash) && Number.isSafeInteger(bytes);
}

/** What a build makes: no dot files, nothing that leads elsewhere. */
function isPath(path: string): boolean {
  return path.length <= 200 && path.split("/").every((part) => /^[\w@~-][\w.@~-]*$/.test(part));
}

/** Those that are served, in the order of their paths. */
async function filesIn(appDir: string): Promise<string[]> {
  const found = await readdir(appDir, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths: string[] = [];
  for (const entry of found) {
    const path = join(entry.parentPath, entry.name).slice(join(appDir, "/").length);
    if (isPath(path) && (await stat(join(appDir, path))).isFile()) paths.push(path);
  }
  return paths.sort(byCodeUnit);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
