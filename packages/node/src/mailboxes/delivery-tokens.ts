/** Which tokens open which mailbox, and how fast each may be used. docs/protocol/envelope.md section 3. */
import { createHash } from "node:crypto";
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

export class DeliveryTokens {
  readonly #store: DurableStore;
  readonly #limits: NodeLimits;
  /** Losing an entry refills its meter: bounded by the mailbox's own rate. */
  readonly #metered: BoundedMap<MeteredToken>;
  #sweptDay = -1;

  constructor(store: DurableStore, limits: NodeLimits) {
    this.#store = store;
    this.#limits = limits;
    this.#metered = new BoundedMap(limits.maxMeteredTokens);
  }

  /** The token, if a delivery may come under it now. Refused: `token-unknown` (also for another day's). */
  find(mailbox: Mailbox, token: Uint8Array, now: number): Result<MeteredToken> {
    const key = tokenKey(mailbox.name, hashOf(token));
    const metered = this.#metered.get(key) ?? this.#load(key, now);
    return metered && acceptedDays(now).includes(metered.day) ? accept(metered) : refuse("token-unknown");
  }

  /** Refused: `over-quota` (too many tokens), `stale` (a day that no delivery can be for). Nothing is changed then. */
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
      for (const token of tokens) this.#delete(mailbox, tokenKey(mailbox.name, token.tokenHash));
      return accept(undefined);
    }
    const today = dayOf(now);
    // One day more at each end for clocks that differ.
    if (tokens.some(({ day }) => day < today - 2 || day > today + TOKEN_AHEAD_DAYS + 1))
      return refuse("stale", "token day");
    if (mailbox.tokenCount + tokens.length > this.#limits.maxTokensPerMailbox) await this.#prune(mailbox, now);
    if (mailbox.tokenCount + tokens.length > this.#limits.maxTokensPerMailbox) return refuse("over-quota", "tokens");
    for (const token of tokens) {
      const key = tokenKey(mailbox.name, token.tokenHash);
      if (this.#store.get(key) === undefined) mailbox.tokenCount++;
      this.#store.put(key, encodeDay(token.day));
    }
    return accept(undefined);
  }

  /** Removes all tokens of the mailbox. */
  async clear(mailbox: Mailbox): Promise<void> {
    await this.#deleteWhere(mailbox, () => true);
    mailbox.tokenCount = 0;
  }

  /** Removes past days' tokens everywhere, and those of mailboxes that are gone. */
  async sweep(now: number, find: (name: string) => Mailbox | undefined): Promise<void> {
    // Once a day is enough, and reading all of them is not cheap.
    if (this.#sweptDay === dayOf(now)) return;
    this.#sweptDay = dayOf(now);
    const oldest = dayOf(now) - 2;
    for await (const [key, value] of this.#store.entries("t/")) {
      const mailbox = find(key.split("/")[1] ?? "");
      if (!mailbox) this.#store.delete(key);
      else if (decodeDay(value) < oldest) this.#delete(mailbox, key);
    }
  }

  #load(key: string, now: number): MeteredToken | undefined {
    const value = this.#store.get(key);
    if (!value) return undefined;
    const metered = { key, day: decodeDay(value), bytes: new TokenBucket(this.#limits.bytesPerToken, now) };
    this.#metered.set(key, metered);
    return metered;
  }

  #prune(mailbox: Mailbox, now: number): Promise<void> {
    const oldest = dayOf(now) - 1;
    return this.#deleteWhere(mailbox, (day) => day < oldest);
  }

  async #deleteWhere(mailbox: Mailbox, matches: (day: number) => boolean): Promise<void> {
    await this.#store.committed(); // so that the iterator sees what was just added
    for await (const [key, value] of this.#store.entries(`t/${mailbox.name}/`))
      if (matches(decodeDay(value))) this.#delete(mailbox, key);
  }

  #delete(mailbox: Mailbox, key: string): void {
    if (this.#store.get(key) === undefined) return;
    this.#store.delete(key);
    this.#metered.delete(key);
    mailbox.tokenCount = Math.max(0, mailbox.tokenCount - 1);
  }
}

/** What an envelope of `bytes` takes from the token's rate. */
export function tokenCost(token: MeteredToken, bytes: number, now: number): number {
  return token.day === dayOf(now) ? bytes : bytes * OTHER_DAY_COST;
}

/** Core's `tokenHash`, by the platform: this is done for every envelope. */
function hashOf(token: Uint8Array): Uint8Array {
  return createHash("sha256").update(token).digest().subarray(0, TOKEN_BYTES);
}

function encodeDay(day: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(day);
  return bytes;
}

function decodeDay(value: Uint8Array): number {
  return value.length === 4 ? Buffer.from(value.buffer, value.byteOffset, 4).readUInt32BE() : 0;
}
