import { StorageError } from "../errors.ts";

/** Escaped names stay below what every file system takes (255), with room for a temporary name's suffix. */
const MAX_NAME_BYTES = 200;

/**
 * A key as a file name: lower-case letters, digits, `-` and `_` as they are, every other byte of its UTF-8 as `%xx`. So no
 * key can name another folder, and keys that differ in case alone stay apart where file names ignore case.
 */
export function fileNameOf(key: string): string {
  let name = "";
  for (const byte of Buffer.from(key, "utf8")) {
    const char = String.fromCharCode(byte);
    name += /[a-z0-9_-]/.test(char) ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }
  // The prefix keeps names that an operating system reserves (con, nul) and an empty key out of trouble.
  if (name.length > MAX_NAME_BYTES) throw new StorageError("storage-failed", `the storage key "${key}" is too long`);
  return `v-${name}`;
}

/** The key that {@link fileNameOf} made this name from; undefined for other files. */
export function keyOfFileName(name: string): string | undefined {
  if (!/^v-(?:[a-z0-9_-]|%[0-9a-f]{2})*$/.test(name)) return undefined;
  try {
    return decodeURIComponent(name.slice(2));
  } catch {
    return undefined;
  }
}
