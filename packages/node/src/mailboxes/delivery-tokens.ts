/** Which tokens open which mailbox, and how fast each may be used. docs/protocol/envelope.md section 3. */
import { hash } from "node:crypto";
import {
  accept,
  acceptedDays,
  dayOf,
  refuse,
  type Result,
  TOKEN_AHEAD_DAYS,
  TOKEN_BYTES,
  TokenBucket,
  type TokenEntry,
  type TokenOperation,
} from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import { BoundedMap } from "../store/bounded-map.ts";
import type { DurableStore } from "../store/durable-store.ts";
import type { StoreBudget } from "../store/store-budget.ts";
import { type Mailbox, tokenKey } from "./mailbox.ts";

/**
 * A byte under yesterday's or tomorrow's token costs as much as four under today's. They are taken for the sake of
 * clocks that differ, and must not make one contact's allowance three times as large.
 */
const OTHER_DAY_COST = 4;

/** A registered token in use, and what is left of its rate. */
export interface MeteredToken {
  /** Its key in the store, unique among all mailboxes. */
  readonly key: string;
  readonly day: number;
  readonly bytes: TokenBucket;
}

/** What a registered token is counted as, of the bytes kept for others: its key and value on disk, rounded up. */
export const TOKEN_STORED_BYTES = 80;

export class DeliveryTokens {
  readonly #store: DurableStore;
  readonly #budget: StoreBudget;
  readonly #limits: NodeLimits;
  /** Losing an entry refills its meter: bounded by the mailbox's own rate. */
  readonly #metered: BoundedMap<MeteredToken>;
  #sweptDay = -1;

  constructor(store: DurableStore, budget: StoreBudget, limits: NodeLimits) {
    this.#store = store;
    this.#budget = budget;
    this.#limits = limits;
    this.#metered = new BoundedMap(limits.maxMeteredTokens);
  }

  /** Counts what an earlier run left; deletes that of mailboxes that are gone. */
  async load(find: (name: string) => Mailbox | undefined): Promise<void> {
    for await (const key of this.#store.keys("t/")) {
      const mailbox = find(key.split("/")[1] ?? "");
      if (mailbox) this.#count(mailbox, 1);
      else this.#store.delete(key);
    }
  }

  /** The token, if a delivery may come under it now. Refused: `token-unknown` (also for another day's). */
  find(mailbox: Mailbox, token: Uint8Array, now: number): Result<MeteredToken> {
    const key = tokenKey(mailbox.name, hashOf(token));
    const metered = this.#metered.get(key) ?? this.#load(key, now);
    return metered && acceptedDays(now).includes(metered.day) ? accept(metered) : refuse("token-unknown");
  }

  /**
   * Refused: `over-quota` (of the mailbox, of the prefix that opened it, or of the node), `stale` (a day that no delivery can
   * be for). Nothing is changed then.
   */
  async change(
    mailbox: Mailbox,
    operation: TokenOperation,
    tokens: readonly TokenEntry[],
    now: number,
  ): Promise<Result<void>> {
    if (operation === "clear") {
      await this.clear(mailbox);
      return accept(undefined);
    }
    if (operation === "remove") {
      for (const token of tokens) this.#delete(mailbox, tokenKey(mailbox.name, hexOf(token.tokenHash)));
      return accept(undefined);
    }
    const today = dayOf(now);
    // One day more at each end for clocks that differ.
    if (tokens.some(({ day }) => day < today - 2 || day > today + TOKEN_AHEAD_DAYS + 1))
      return refuse("stale", "token day");
    if (!this.#hasRoom(mailbox, tokens.length)) await this.#prune(mailbox, today);
    // Those that are known take no more room.
    const isNew = ({ tokenHash }: TokenEntry) =>
      this.#store.get(tokenKey(mailbox.name, hexOf(tokenHash))) === undefined;
    if (!this.#hasRoom(mailbox, tokens.length) && !this.#hasRoom(mailbox, tokens.filter(isNew).length))
      return refuse("over-quota", "tokens");
    for (const token of tokens) {
      if (isNew(token)) this.#count(mailbox, 1);
      this.#store.put(tokenKey(mailbox.name, hexOf(token.tokenHash)), encodeDay(token.day));
    }
    return accept(undefined);
  }

  /** Removes all tokens of the mailbox. */
  async clear(mailbox: Mailbox): Promise<void> {
    await this.#deleteWhere(mailbox, () => true);
  }

  /** Removes past days' tokens everywhere, and those of mailboxes that are gone. */
  async sweep(now: number, find: (name: string) => Mailbox | undefined): Promise<void> {
    // Once a day is enough, and reading all of them is not cheap.
    if (this.#sweptDay === dayOf(now)) return;
    this.#sweptDay = dayOf(now);
    const oldest = dayOf(now) - 2;
    for await (const [key, value] of this.#store.entries("t/")) {
      const mailbox = find(key.split("/")[1] ?? "");
      if (mailbox && decodeDay(value) < oldest) this.#delete(mailbox, key);
      if (mailbox || this.#store.get(key) === undefined) continue;
      // Registered while the mailbox was being deleted.
      this.#store.delete(key);
      this.#budget.remove(TOKEN_STORED_BYTES);
    }
  }

  #load(key: string, now: number): MeteredToken | undefined {
    const value = this.#store.get(key);
    if (!value) return undefined;
    const metered = { key, day: decodeDay(value), bytes: new TokenBucket(this.#limits.bytesPerToken, now) };
    this.#metered.set(key, metered);
    return metered;
  }

  #hasRoom(mailbox: Mailbox, tokens: number): boolean {
    const { maxTokensPerMailbox, maxStoredBytesPerPrefix } = this.#limits;
    const bytes = tokens * TOKEN_STORED_BYTES;
    return (
      mailbox.tokenCount + tokens <= maxTokensPerMailbox &&
      (mailbox.openedFrom?.counts.storedBytes ?? 0) + bytes <= maxStoredBytesPerPrefix &&
      this.#budget.fits(bytes)
    );
  }

  /** Past days' tokens make room: none are past before the next day, and reading thousands for each refusal would be dear. */
  async #prune(mailbox: Mailbox, today: number): Promise<void> {
    if (mailbox.prunedDay === today) return;
    mailbox.prunedDay = today;
    await this.#deleteWhere(mailbox, (day) => day < today - 1);
  }

  async #deleteWhere(mailbox: Mailbox, matches: (day: number) => boolean): Promise<void> {
    if (mailbox.tokenCount === 0) return;
    await this.#store.committed(); // so that the iterator sees what was just added
    for await (const [key, value] of this.#store.entries(`t/${mailbox.name}/`))
      if (matches(decodeDay(value))) this.#delete(mailbox, key);
  }

  #delete(mailbox: Mailbox, key: string): void {
    if (this.#store.get(key) === undefined) return;
    this.#store.delete(key);
    this.#metered.delete(key);
    this.#count(mailbox, -1);
  }

  /** A mailbox's tokens count for the node and, like what waits in it, for the prefix that opened it last. */
  #count(mailbox: Mailbox, tokens: 1 | -1): void {
    const bytes = tokens * TOKEN_STORED_BYTES;
    mailbox.tokenCount += tokens;
    if (mailbox.openedFrom) mailbox.openedFrom.counts.storedBytes += bytes;
    this.#budget.add(bytes);
  }
}

/** What an envelope of `bytes` takes from the token's rate. */
export function tokenCost(token: MeteredToken, bytes: number, now: number): number {
  return token.day === dayOf(now) ? bytes : bytes * OTHER_DAY_COST;
}

/** Core's `tokenHash`, by the platform: this is done for every envelope. */
function hashOf(token: Uint8Array): string {
  return hash("sha256", token, "hex").slice(0, 2 * TOKEN_BYTES);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function encodeDay(day: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(day);
  return bytes;
}

function decodeDay(value: Uint8Array): number {
  return value.length === 4 ? Buffer.from(value.buffer, value.byteOffset, 4).readUInt32BE() : 0;
}
