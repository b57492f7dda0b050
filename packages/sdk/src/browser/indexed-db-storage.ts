import { equalBytes, utf8 } from "@earshot/core";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Storage } from "../api.ts";
import { StorageError } from "../errors.ts";
import type { KeyHalfSource } from "./key-half.ts";
import { deriveSealKey, newBrowserHalf, openValue, sealValue } from "./value-seal.ts";
import { lockTab } from "./tab-lock.ts";

const SALT_BYTES = 32;
/** Sealed once at the start and opened each time after: tells a wrong half before anything is read. */
const CHECK_NAME = "#check";
const CHECK_VALUE = utf8("earshot storage check 1");

interface KeyRow {
  readonly browserHalf: CryptoKey;
  readonly salt: Uint8Array;
  readonly check: Uint8Array;
}

interface Schema extends DBSchema {
  keys: { key: string; value: KeyRow };
  values: { key: string; value: Uint8Array };
}

export interface IndexedDbStorageOptions {
  /** The database's name: one client each. Default `earshot`. */
  readonly name?: string;
  readonly keyHalf: KeyHalfSource;
}

/**
 * Storage in IndexedDB, each value sealed (see {@link deriveSealKey}). Throws {@link StorageError}: `storage-in-use` while
 * another tab uses it, `key-half-unavailable` where the daemon is not there, `storage-locked` where it gave another half
 * than the one that sealed, `storage-failed` where the browser refuses storage.
 */
export async function indexedDbStorage(options: IndexedDbStorageOptions): Promise<Storage> {
  const name = options.name ?? "earshot";
  const unlock = await lockTab(name);
  try {
    const database = await openDB<Schema>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore("keys");
        fresh.createObjectStore("values");
      },
    }).catch((cause: unknown) => {
      throw new StorageError(
        "storage-failed",
        "This browser does not let the page keep data. Allow site data for it.",
        {
          cause,
        },
      );
    });
    const row = await database.get("keys", "wrapping");
    const key = row ? await unlockKey(row, options.keyHalf) : await makeKey(database, options.keyHalf);
    return new IndexedDbStorage(database, key, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function unlockKey(row: KeyRow, keyHalf: KeyHalfSource): Promise<CryptoKey> {
  const key = await deriveSealKey(row.browserHalf, await keyHalf(row.salt));
  const check = await openValue(key, CHECK_NAME, row.check);
  if (check && equalBytes(check, CHECK_VALUE)) return key;
  throw new StorageError(
    "storage-locked",
    "This browser's Earshot data belongs to another node. Open it from the node it was made with, or restore from your recovery phrase.",
  );
}

async function makeKey(database: IDBPDatabase<Schema>, keyHalf: KeyHalfSource): Promise<CryptoKey> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const browserHalf = await newBrowserHalf();
  const key = await deriveSealKey(browserHalf, await keyHalf(salt));
  const check = await sealValue(key, CHECK_NAME, CHECK_VALUE);
  await database.put("keys", { browserHalf, salt, check }, "wrapping");
  return key;
}

class IndexedDbStorage implements Storage {
  readonly #database: IDBPDatabase<Schema>;
  readonly #key: CryptoKey;
  readonly #unlock: () => void;
  /** Sealing is asynchronous: without an order of its own, a later write could land first. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(database: IDBPDatabase<Schema>, key: CryptoKey, unlock: () => void) {
    this.#database = database;
    this.#key = key;
    this.#unlock = unlock;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    await this.#last;
    const sealed = await this.#database.get("values", name);
    if (!sealed) return undefined;
    const value = await openValue(this.#key, name, sealed);
    if (value) return value;
    throw new StorageError("storage-failed", "A stored value was altered. Restore from your recovery phrase.");
  }

  set(name: string, value: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(value);
    return this.#inOrder(async () => {
      const sealed = await sealValue(this.#key, name, copy);
      // Strict: the browser answers once it is on disk, as the contract of `set` says.
      const transaction = this.#database.transaction("values", "readwrite", { durability: "strict" });
      await Promise.all([transaction.store.put(sealed, name), transaction.done]);
    });
  }

  delete(name: string): Promise<void> {
    return this.#inOrder(() => this.#database.delete("values", name));
  }

  async keys(prefix: string): Promise<string[]> {
    await this.#last;
    return (await this.#database.getAllKeys("values")).filter((name) => name.startsWith(prefix));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    this.#database.close();
    this.#unlock();
  }

  #inOrder(work: () => Promise<unknown>): Promise<void> {
    if (this.#closed) return Promise.reject(new StorageError("storage-failed", "the storage is closed"));
    const run = this.#last.then(work);
    this.#last = run.catch(() => {});
    return run.then(() => {});
  }
}
