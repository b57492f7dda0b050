import { accept, asArray, asBytes, asVersioned, fromHex, toHex, unwrap } from "@earshot/core";
import type { Storage } from "../api.ts";
import { ClientError } from "../errors.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";

/** More than anybody knows in person. */
export const MAX_TRUSTED = 64;

/** `[1, [supernode key…]]`. */
export const trustedCodec: StoredCodec<readonly string[]> = {
  encode: (keys) => [1, keys.map((key) => unwrap(fromHex(key)))],
  decode(value) {
    const [, keys] = asVersioned(value, 2);
    return accept(asArray(keys, [0, MAX_TRUSTED]).map((key) => toHex(asBytes(key, 32))));
  },
};

/** The supernodes that the person wants as homes before others. */
export class TrustedSupernodes {
  readonly #stored: Stored<readonly string[]>;
  #keys: ReadonlySet<string>;

  private constructor(stored: Stored<readonly string[]>, keys: readonly string[]) {
    this.#stored = stored;
    this.#keys = new Set(keys);
  }

  static async load(storage: Storage): Promise<TrustedSupernodes> {
    const stored = new Stored(storage, "trusted-supernodes", trustedCodec);
    return new TrustedSupernodes(stored, (await stored.load()) ?? []);
  }

  get keys(): readonly Uint8Array[] {
    return [...this.#keys].map((key) => unwrap(fromHex(key)));
  }

  /** By key in hex. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Throws ClientError `bad-key`: not 32 bytes in hex each, or more than {@link MAX_TRUSTED}. */
  async set(keys: readonly string[]): Promise<void> {
    const good = keys.map((key) => key.toLowerCase());
    if (good.length > MAX_TRUSTED || !good.every((key) => /^[0-9a-f]{64}$/.test(key)))
      throw new ClientError("bad-key", `Give at most ${MAX_TRUSTED} supernodes' keys, 64 hex digits each.`);
    await this.#stored.save([...new Set(good)]);
    this.#keys = new Set(good);
  }
}
