/**
 * A note for other programs of the same OS user: where a running daemon listens and the token it asks for. JSON
 * `{ "url", "token", "pid" }`, mode 0600, at `$XDG_RUNTIME_DIR/earshot-<port>.json`, or `~/.earshot/run/earshot-<port>.json`.
 */
import { rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "./private-file.ts";

export interface RunFile {
  /** Without the token. */
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

function runFilePath(port: number): string {
  const folder = process.env["XDG_RUNTIME_DIR"] || join(homedir(), ".earshot", "run");
  return join(folder, `earshot-${port}.json`);
}

export function writeRunFile(port: number, content: RunFile): void {
  const path = runFilePath(port);
  if (!process.env["XDG_RUNTIME_DIR"]) makePrivateFolder(join(path, ".."));
  writePrivateFile(path, `${JSON.stringify(content)}\n`);
}

/** Removes the note, unless a later daemon on the same port has replaced it. */
export function removeRunFile(port: number, pid: number): void {
  if (readRunFile(port)?.pid === pid) rmSync(runFilePath(port), { force: true });
}

/** What the daemon on `port` of this machine left for its user; undefined where there is none or it is not ours to trust. */
export function readRunFile(port: number): RunFile | undefined {
  try {
    const value: unknown = JSON.parse(readPrivateFile(runFilePath(port))?.toString("utf8") ?? "null");
    if (typeof value !== "object" || value === null) return undefined;
    const { url, token, pid } = value as Record<string, unknown>;
    if (typeof url !== "string" || typeof token !== "string" || typeof pid !== "number") return undefined;
    return { url, token, pid };
  } catch {
    return undefined;
  }
}
