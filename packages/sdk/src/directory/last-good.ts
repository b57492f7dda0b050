import {
  accept,
  asArray,
  asBytes,
  asUint,
  asVersioned,
  type CborValue,
  type Clock,
  cborOfHome,
  homeOfCbor,
  MAILBOX_ID_BYTES,
  type LookupSlot,
  type MutableRecord,
  type Place,
  RECORD_BYTES,
  RECORD_COPIES,
  RECORD_LIFETIME_MS,
  RECORD_MAX_PLACES,
  storedNameOf,
} from "@earshot/core";
import type { Storage } from "../api.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";

/** Keys remembered: all devices of a few hundred contacts, and the strangers asked last. Each is about 2 KB. */
export const MAX_LAST_GOOD = 1_000;
const PREFIX = "last-good/";

/** The newest record ever seen of one key: when it was written, where it says that its owner is, and as it was signed. */
export interface LastGood {
  readonly updatedAt: number;
  readonly places: readonly Place[];
  readonly slot: LookupSlot;
  readonly signed: MutableRecord;
}

/** `[1, updated at, [[home, mailbox id]…], [day, copy, public key, seq, signature, value]]`. */
export const lastGoodCodec: StoredCodec<LastGood> = {
  encode: ({ updatedAt, places, slot, signed }) => [
    1,
    updatedAt,
    places.map(({ home, mailboxId }) => [cborOfHome(home), mailboxId]),
    [slot.day, slot.copy, signed.publicKey, signed.seq, signed.signature, signed.value],
  ],
  decode(value) {
    const [, updatedAt, places, record] = asVersioned(value, 4);
    const [day, copy, publicKey, seq, signature, sealed] = asArray(record, 6);
    return accept({
      updatedAt: asUint(updatedAt, Number.MAX_SAFE_INTEGER),
      slot: { day: asUint(day, 0xffff_ffff), copy: asUint(copy, RECORD_COPIES - 1) },
      signed: {
        publicKey: asBytes(publicKey, 32),
        seq: asUint(seq, Number.MAX_SAFE_INTEGER),
        signature: asBytes(signature, 64),
        value: asBytes(sealed, RECORD_BYTES),
      },
      places: asArray(places, [1, RECORD_MAX_PLACES]).map((item) => {
        const [home, mailboxId] = asArray(item, 2);
        return { home: homeOfCbor(home as CborValue), mailboxId: asBytes(mailboxId, MAILBOX_ID_BYTES) };
      }),
    });
  },
};

/**
 * The newest record known of each key that was looked up, over restarts: none written before it is believed any more.
 * docs/protocol/records.md section 6. Bounded; those unused longest are forgotten first.
 */
export class LastGoodRecords {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #problem: (error: unknown) => void;
  /** By name in storage; undefined: not read yet. In the order of last use. */
  readonly #known: Map<string, LastGood | undefined>;

  private constructor(storage: Storage, clock: Clock, problem: (error: unknown) => void, names: readonly string[]) {
    this.#storage = storage;
    this.#clock = clock;
    this.#problem = problem;
    this.#known = new Map(names.map((name) => [name, undefined]));
  }

  static async load(storage: Storage, clock: Clock, problem: (error: unknown) => void): Promise<LastGoodRecords> {
    return new LastGoodRecords(storage, clock, problem, await storage.keys(PREFIX));
  }

  /** Of an account key or a locator key. */
  async of(masterKey: Uint8Array): Promise<LastGood | undefined> {
    const name = PREFIX + storedNameOf(masterKey);
    if (!this.#known.has(name)) return undefined;
    const known = this.#known.get(name) ?? (await this.#read(name));
    if (known) this.#touch(name, known);
    return known;
  }

  /** Remembers a verified record if it is newer. Durable when it resolves; a failing storage is told of, and forgotten. */
  async note(masterKey: Uint8Array, { updatedAt, places, slot, signed }: LastGood): Promise<void> {
    const name = PREFIX + storedNameOf(masterKey);
    const known = await this.of(masterKey);
    // A clock that was far ahead once must not lock its owner out: no record outlives its lifetime anyway.
    const at = Math.min(updatedAt, this.#clock.now() + RECORD_LIFETIME_MS);
    if (known && (known.updatedAt > at || (known.updatedAt === at && known.slot.day >= slot.day))) return;
    const good = { updatedAt: at, places: places.map(({ home, mailboxId }) => ({ home, mailboxId })), slot, signed };
    this.#touch(name, good);
    await this.#stored(name).save(good).catch(this.#problem);
    if (this.#known.size > MAX_LAST_GOOD) await this.#drop(this.#known.keys().next().value as string);
  }

  async #read(name: string): Promise<LastGood | undefined> {
    try {
      return await this.#stored(name).load();
    } catch (error) {
      this.#problem(error); // damaged: as good as none
      await this.#drop(name);
      return undefined;
    }
  }

  async #drop(name: string): Promise<void> {
    this.#known.delete(name);
    await this.#storage.delete(name).catch(this.#problem);
  }

  #touch(name: string, good: LastGood): void {
    this.#known.delete(name);
    this.#known.set(name, good);
  }

  #stored(name: string): Stored<LastGood> {
    return new Stored(this.#storage, name, lastGoodCodec);
  }
}
