import { accept, asBool, asBytes, asUint, asVersioned, nextSince, publicKeyOf } from "@earshot/core";
import type { IdentityPorts } from "../identity/identity.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";

/** The locator key's seed as it is kept. */
export interface StoredLocator {
  /** Ed25519 seed. */
  readonly seed: Uint8Array;
  readonly since: number;
  /** A rotation that began and may not have come to its end. */
  readonly owed: boolean;
}

/** `[1, seed, since, owed]`. */
export const locatorCodec: StoredCodec<StoredLocator> = {
  encode: ({ seed, since, owed }) => [1, seed, since, owed],
  decode(value) {
    const [, seed, since, owed] = asVersioned(value, 4);
    return accept({
      seed: asBytes(seed, 32),
      since: asUint(since, Number.MAX_SAFE_INTEGER),
      owed: asBool(owed),
    });
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
    const fresh = { seed: ports.random.bytes(32), since: ports.clock.now(), owed: false };
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

  /** Whether a rotation has to be done over: it was cut short. */
  get owed(): boolean {
    return this.#value.owed;
  }

  /** Remembers, durably, that a rotation is to come: before whatever makes it necessary is durable. {@link settle} ends it. */
  owe(): Promise<void> {
    return this.#save({ ...this.#value, owed: true });
  }

  /** A new key: who only knows the old one finds nothing new. Owed until {@link settle}. */
  rotate(): Promise<void> {
    const since = nextSince(this.#value.since, this.#ports.clock.now());
    return this.#save({ seed: this.#ports.random.bytes(32), since, owed: true });
  }

  /** The new key is used, and telling of it is on disk. */
  settle(): Promise<void> {
    return this.#save({ ...this.#value, owed: false });
  }

  async #save(value: StoredLocator): Promise<void> {
    await this.#stored.save(value);
    this.#value = value;
  }
}
