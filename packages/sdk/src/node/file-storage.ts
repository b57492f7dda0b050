import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Storage } from "../api.ts";
import { StorageError } from "../errors.ts";
import { fileNameOf, keyOfFileName } from "./file-name.ts";
import { lockHome } from "./home-lock.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Storage as one file per key under `<home>/client`: folder mode 0700, files 0600, each write to a temporary file that is
 * synced and renamed over the old one, so that a crash leaves the old value or the new, never half of one.
 * Throws {@link StorageError} `storage-in-use` while another process uses the folder, `storage-failed` where it cannot be used.
 */
export async function fileStorage(home: string): Promise<Storage> {
  const folder = join(home, "client");
  try {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    await chmod(folder, FOLDER_MODE);
  } catch (cause) {
    throw new StorageError("storage-failed", `${folder} cannot be made. Pick a folder you may write to with --home.`, {
      cause,
    });
  }
  const unlock = await lockHome(folder);
  await removeLeftovers(folder);
  return new FileStorage(folder, unlock);
}

/** Temporary files of writes that a crash cut off. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith("tmp-")) await rm(join(folder, name), { force: true });
  }
}

class FileStorage implements Storage {
  readonly #folder: string;
  readonly #unlock: () => Promise<void>;
  /** Writes run one after the other: the order of calls is the order on disk. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(folder: string, unlock: () => Promise<void>) {
    this.#folder = folder;
    this.#unlock = unlock;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#last;
    try {
      return Uint8Array.from(await readFile(this.#path(key)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  set(key: string, value: Uint8Array): Promise<void> {
    const path = this.#path(key);
    const copy = Uint8Array.from(value);
    return this.#inOrder(() => writeDurably(this.#folder, path, copy));
  }

  delete(key: string): Promise<void> {
    const path = this.#path(key);
    return this.#inOrder(async () => {
      await rm(path, { force: true });
      await syncFolder(this.#folder);
    });
  }

  async keys(prefix: string): Promise<string[]> {
    await this.#last;
    const names = await readdir(this.#folder);
    return names.flatMap((name) => {
      const key = keyOfFileName(name);
      return key?.startsWith(prefix) ? [key] : [];
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    await this.#unlock();
  }

  #path(key: string): string {
    return join(this.#folder, fileNameOf(key));
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(new StorageError("storage-failed", "the storage is closed"));
    const run = this.#last.then(work);
    this.#last = run.catch(() => {});
    return run;
  }
}

async function writeDurably(folder: string, path: string, value: Uint8Array): Promise<void> {
  const temporary = join(folder, "tmp-write");
  const file = await open(temporary, "w", FILE_MODE);
  try {
    await file.writeFile(value);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(folder);
}

/** Makes a rename or removal durable; a platform that cannot sync folders (Windows) does it by itself. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (!handle) return;
  await handle.sync().catch(() => {});
  await handle.close();
}
