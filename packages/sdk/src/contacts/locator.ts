import { accept, asBytes, asUint, asVersioned, publicKeyOf } from "@earshot/core";
import type { IdentityPorts } from "../identity/identity.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";

/** The locator key's seed as it is kept. */
export interface StoredLocator {
  /** Ed25519 seed. */
  readonly seed: Uint8Array;
  readonly since: number;
}

/** `[1, seed, since]`. */
export const locatorCodec: StoredCodec<StoredLocator> = {
  encode: ({ seed, since }) => [1, seed, since],
  decode(value) {
    const [, seed, since] = asVersioned(value, 3);
    return accept({ seed: asBytes(seed, 32), since: asUint(since, Number.MAX_SAFE_INTEGER) });
  },
};

/** The key under which contacts find this device, and since when. */
export class Locator {
  readonly #ports: IdentityPorts;
  readonly #stored: Stored<StoredLocator>;
  #value: StoredLocator;

  private constructor(ports: IdentityPorts, stored: Stored<StoredLocator>, value: StoredLocator) {
    this.#ports = ports;
    this.#stored = stored;
    this.#value = value;
  }

  static async load(ports: IdentityPorts): Promise<Locator> {
    const stored = new Stored(ports.storage, "locator", locatorCodec);
    const known = await stored.load();
    if (known) return new Locator(ports, stored, known);
    const fresh = { seed: ports.random.bytes(32), since: ports.clock.now() };
    await stored.save(fresh);
    return new Locator(ports, stored, fresh);
  }

  get seed(): Uint8Array {
    return this.#value.seed;
  }
  get publicKey(): Uint8Array {
    return publicKeyOf(this.#value.seed);
  }
  get since(): number {
    return this.#value.since;
  }

  /** A new key: who only knows the old one finds nothing new. */
  async rotate(): Promise<void> {
    const since = Math.max(this.#ports.clock.now(), this.#value.since + 1);
    const fresh = { seed: this.#ports.random.bytes(32), since };
    await this.#stored.save(fresh);
    this.#value = fresh;
  }
}
