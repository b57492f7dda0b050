/** Files that only their owner may read (mode 0600 in a folder of mode 0700). */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { EarshotError } from "@earshot/core";

/** Makes `path` a folder that only its owner enters. Throws `home-unusable` where that cannot be. */
export function makePrivateFolder(path: string): void {
  try {
    makeFolders(path);
    chmodSync(path, 0o700);
  } catch (cause) {
    throw unavailable(path, cause);
  }
}

/** Not `recursive`: Node 20 never comes back from that where a folder like /proc says that it does not exist. */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function unavailable(path: string, cause: unknown): EarshotError {
  const { code = "unknown error" } = cause as NodeJS.ErrnoException;
  return new EarshotError("home-unusable", `${path} cannot be used (${code}): choose another folder with --home`, {
    cause,
  });
}

/** Replaces the file whole, so that a reader or a crash never sees half of it. */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = openSync(temporary, "wx", 0o600);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/**
 * The file's bytes, or undefined where there is none. A file that others may read throws `file-not-private`, one that
 * cannot be read `home-unusable`.
 */
export function readPrivateFile(path: string): Buffer | undefined {
  try {
    const mode = statSync(path).mode & 0o077;
    if (process.platform !== "win32" && mode !== 0)
      throw new EarshotError(
        "file-not-private",
        `${path} can be read by others: chmod 600 it, or delete it to get a new one`,
      );
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error instanceof EarshotError ? error : unavailable(path, error);
  }
}

/** The 32 secret bytes kept at `path`, made on first use. Throws `file-damaged` where the file holds anything else. */
export function loadOrCreateSecret(path: string): Buffer {
  const known = readPrivateFile(path);
  if (known !== undefined) {
    if (known.length === 32) return known;
    throw new EarshotError("file-damaged", `${path} should hold 32 bytes: restore it, or delete it to start anew`);
  }
  makePrivateFolder(dirname(path));
  const secret = randomBytes(32);
  writePrivateFile(path, secret);
  return secret;
}
