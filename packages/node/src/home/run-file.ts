/**
 * A note for other programs of the same OS user: where a running daemon listens and the token it asks for. JSON
 * `{ "url", "token", "pid" }`, mode 0600, `earshot-<port>.json` in `$XDG_RUNTIME_DIR` or, where that is not set or cannot
 * be written, in `~/.earshot/run`.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makePrivateFolder, writePrivateFile } from "./private-file.ts";

export interface RunFile {
  /** Without the token. */
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const MAX_NOTE_BYTES = 4_096;

const fileName = (port: number) => `earshot-${port}.json`;
const ownFolder = () => join(homedir(), ".earshot", "run");

/** Leaves the note. Throws where neither folder can be written. */
export function writeRunFile(port: number, content: RunFile): void {
  const text = `${JSON.stringify(content)}\n`;
  const runtime = process.env["XDG_RUNTIME_DIR"];
  if (runtime)
    try {
      return writePrivateFile(join(runtime, fileName(port)), text);
    } catch {
      // Set, but not there: as under sudo, su, or in a container.
    }
  const folder = ownFolder();
  makePrivateFolder(folder);
  writePrivateFile(join(folder, fileName(port)), text);
}

/** Removes the note, unless a later daemon on the same port has replaced it. Never throws. */
export function removeRunFile(port: number, pid: number): void {
  for (const path of candidates(port))
    try {
      if (readNote(path)?.pid === pid) rmSync(path, { force: true });
    } catch {
      // What stays behind names a process that is gone, and is not read.
    }
}

/**
 * What the daemon on `port` of this machine left for its user; undefined where there is none, where the daemon is gone (who
 * has the port now must not get the token), or where the file is not ours to trust.
 */
export function readRunFile(port: number): RunFile | undefined {
  for (const path of candidates(port)) {
    const note = readNote(path);
    if (note && isRunning(note.pid)) return note;
  }
  return undefined;
}

function candidates(port: number): string[] {
  const runtime = process.env["XDG_RUNTIME_DIR"];
  const paths = runtime ? [join(runtime, fileName(port))] : [];
  try {
    paths.push(join(ownFolder(), fileName(port)));
  } catch {
    // A user without a home folder.
  }
  return paths;
}

function readNote(path: string): RunFile | undefined {
  try {
    const value: unknown = JSON.parse(readOwnFile(path));
    if (typeof value !== "object" || value === null) return undefined;
    const { url, token, pid } = value as Record<string, unknown>;
    if (typeof url !== "string" || typeof token !== "string" || !Number.isSafeInteger(pid)) return undefined;
    return { url, token, pid: pid as number };
  } catch {
    return undefined;
  }
}

/** A regular file, no link, that this user owns and nobody else may read. Throws for any other. */
function readOwnFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = fstatSync(file);
    const uid = process.getuid?.() ?? stat.uid;
    const isPrivate = process.platform === "win32" || (stat.mode & 0o077) === 0;
    if (!stat.isFile() || stat.size > MAX_NOTE_BYTES || stat.uid !== uid || !isPrivate) throw new Error("not ours");
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** A process of another user, which may not be signalled, is not the daemon that wrote our note. */
function isRunning(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
