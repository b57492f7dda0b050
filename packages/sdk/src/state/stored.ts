import { type CborValue, encodeCbor, readCbor, type Result } from "@earshot/core";
import type { Storage } from "../api.ts";
import { StorageError } from "../errors.ts";

/** How one stored value is written and read: a CBOR structure whose first place is its version. */
export interface StoredCodec<T> {
  encode(value: T): CborValue;
  /** Runs inside `readCbor`: the shape readers may be used. */
  decode(value: CborValue): Result<T>;
}

/**
 * One value in storage, kept in memory once loaded. Saves are written in the order in which they are asked for.
 * Throws {@link StorageError} `storage-damaged` where what is stored does not decode.
 */
export class Stored<T> {
  readonly #storage: Storage;
  readonly #key: string;
  readonly #codec: StoredCodec<T>;

  constructor(storage: Storage, key: string, codec: StoredCodec<T>) {
    this.#storage = storage;
    this.#key = key;
    this.#codec = codec;
  }

  async load(): Promise<T | undefined> {
    const bytes = await this.#storage.get(this.#key);
    if (!bytes) return undefined;
    const value = readCbor(bytes, (cbor) => this.#codec.decode(cbor));
    if (value.ok) return value.value;
    throw new StorageError(
      "storage-damaged",
      `The stored ${this.#key} cannot be read (${value.code}). Restore from your recovery phrase into an empty folder.`,
    );
  }

  /** Durable when it resolves. */
  save(value: T): Promise<void> {
    return this.#storage.set(this.#key, encodeCbor(this.#codec.encode(value)));
  }

  delete(): Promise<void> {
    return this.#storage.delete(this.#key);
  }
}
