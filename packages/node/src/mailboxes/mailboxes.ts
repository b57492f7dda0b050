/**
 * The mailboxes of this supernode: who has them open, what waits in them, who may deliver. Decides and keeps; connections
 * speak. docs/protocol/edge.md, docs/protocol/envelope.md sections 2 to 4.
 */
import {
  accept,
  checkWork,
  dayOf,
  type HopDelivery,
  LANE_CONTACT,
  LANE_REQUEST,
  type Refusal,
  refuse,
  type Result,
  TokenBucket,
  type TokenEntry,
  type TokenOperation,
  WORK_PURPOSE_MAILBOX,
} from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import type { PrefixUse } from "../prefix-limits.ts";
import type { DurableStore } from "../store/durable-store.ts";
import type { StoreBudget } from "../store/store-budget.ts";
import { DeliveryTokens, TOKEN_STORED_BYTES, tokenCost } from "./delivery-tokens.ts";
import {
  createMailbox,
  decodeMailbox,
  decodeStored,
  encodeMailbox,
  encodeStored,
  envelopeKey,
  type Mailbox,
  type MailboxOwner,
  mailboxKey,
  nameOf,
  type WaitingEnvelope,
} from "./mailbox.ts";
import { RequestLane } from "./request-lane.ts";

export interface OpenRequest {
  readonly mailboxId: Uint8Array;
  readonly lanes: number;
  readonly hour: number;
  readonly work: number;
  /** What the connection was told that a new mailbox costs. */
  readonly workBits: number;
}

/** Bits that a new mailbox costs more on a node that is nearly full: 256 times the work. */
const MAX_EXTRA_WORK_BITS = 8;

/** A refusal that may say when to come back. */
export type DeliveryResult = Result<void> | (Refusal & { readonly retryAfterMs?: number });

export class Mailboxes {
  readonly #store: DurableStore;
  readonly #budget: StoreBudget;
  readonly #limits: NodeLimits;
  readonly #tokens: DeliveryTokens;
  readonly #requests: RequestLane;
  readonly #byName = new Map<string, Mailbox>();
  /** Envelopes handed to a connected owner, and kept for an absent one. */
  readonly counters = { forwarded: 0, stored: 0, acknowledged: 0, expired: 0 };

  constructor(store: DurableStore, budget: StoreBudget, limits: NodeLimits) {
    this.#store = store;
    this.#budget = budget;
    this.#limits = limits;
    this.#tokens = new DeliveryTokens(store, budget, limits);
    this.#requests = new RequestLane(limits);
  }

  get count(): number {
    return this.#byName.size;
  }

  /** What a new mailbox costs now: dearer from half full on, so that the last places are not the cheapest to take. */
  get workBits(): number {
    const overHalf = Math.max(0, (2 * this.#byName.size) / this.#limits.maxMailboxes - 1);
    return this.#limits.mailboxWorkBits + Math.min(MAX_EXTRA_WORK_BITS, Math.ceil(MAX_EXTRA_WORK_BITS * overHalf));
  }

  /** Reads what an earlier run left. */
  async load(): Promise<void> {
    for await (const [key, value] of this.#store.entries("m/")) {
      const mailbox = decodeMailbox(key.slice(2), value);
      if (mailbox) this.#byName.set(mailbox.name, mailbox);
      else this.#store.delete(key);
    }
    await this.#tokens.load((name) => this.#byName.get(name));
    for await (const [key, value] of this.#store.entries("e/")) {
      const [, name = "", seqHex = ""] = key.split("/");
      const stored = decodeStored(value);
      const mailbox = this.#byName.get(name);
      if (!stored || !mailbox) this.#store.delete(key);
      else {
        const { bytes, storedAt, request } = stored;
        this.#note(mailbox, Number.parseInt(seqHex, 16), { bytes, storedAt, request });
      }
    }
  }

  find(mailboxId: Uint8Array): Mailbox | undefined {
    return this.#byName.get(nameOf(mailboxId));
  }

  /**
   * Gives the mailbox to `owner` and tells the connection that had it. The caller has checked the signature. Refused:
   * `work-insufficient`, `stale` and `over-quota` where it is new.
   */
  open(request: OpenRequest, owner: MailboxOwner, from: PrefixUse | undefined, now: number): Result<Mailbox> {
    const found = this.find(request.mailboxId);
    const mailbox = found ? accept(found) : this.#create(request, from, now);
    if (!mailbox.ok) return mailbox;
    const box = mailbox.value;
    if (box.owner && box.owner !== owner) box.owner.moved(box.id);
    box.owner = owner;
    this.#attribute(box, from);
    const relaned = box.lanes !== request.lanes;
    box.lanes = request.lanes;
    this.#noteOpen(box, now, !found || relaned);
    return mailbox;
  }

  /** What waits, oldest first, and what arrives until that is through; read as it is asked for. */
  *waiting(mailbox: Mailbox): Generator<{ seq: number; envelope: Uint8Array }> {
    // A mailbox that runs empty meanwhile and fills again has another map, of later numbers only.
    for (let map = mailbox.waiting; map; map = mailbox.waiting === map ? undefined : mailbox.waiting)
      for (const seq of map.keys()) {
        const value = this.#store.get(envelopeKey(mailbox.name, seq));
        const stored = value && decodeStored(value);
        if (stored) yield { seq, envelope: stored.envelope };
        else this.#remove(mailbox, seq);
      }
  }

  /** The connection is gone or gave the mailbox back; what waits stays. */
  release(mailbox: Mailbox, owner: MailboxOwner, now: number): void {
    if (mailbox.owner !== owner) return;
    mailbox.owner = undefined;
    this.#noteOpen(mailbox, now);
  }

  /** Deletes the mailbox, its tokens and all that waits in it. */
  async forget(mailbox: Mailbox): Promise<void> {
    this.#byName.delete(mailbox.name);
    mailbox.owner = undefined;
    for (const seq of [...(mailbox.waiting?.keys() ?? [])]) this.#remove(mailbox, seq);
    this.#store.delete(mailboxKey(mailbox.name));
    await this.#tokens.clear(mailbox);
    this.#attribute(mailbox, undefined);
    await this.#store.committed();
  }

  /** The owner has it. Unknown numbers are ignored: an acknowledgement may come twice. */
  acknowledge(mailbox: Mailbox, seq: number): void {
    if (this.#remove(mailbox, seq)) this.counters.acknowledged++;
  }

  /** Refused: `over-quota`, `stale`. */
  async setTokens(
    mailbox: Mailbox,
    operation: TokenOperation,
    tokens: readonly TokenEntry[],
    now: number,
  ): Promise<Result<void>> {
    const result = await this.#tokens.change(mailbox, operation, tokens, now);
    if (result.ok) await this.#store.committed();
    return result;
  }

  /**
   * Takes an envelope in: pushed to the owner if one is connected, and stored until it is acknowledged. The caller
   * answers only after `store.committed()`, and alike in both cases.
   * Refused: `unknown-mailbox`, `not-allowed`, then `token-unknown` or `work-insufficient`, `stale`, `replayed`, and only
   * to who has got so far, so that nobody else learns how full or busy the mailbox is, `rate-limited`, `over-quota`.
   */
  deliver(delivery: HopDelivery, now: number): DeliveryResult {
    const mailbox = this.find(delivery.mailboxId);
    if (!mailbox) return refuse("unknown-mailbox");
    const request = delivery.lane.kind === "request";
    if ((mailbox.lanes & (request ? LANE_REQUEST : LANE_CONTACT)) === 0) return refuse("not-allowed", "lane");
    return delivery.lane.kind === "contact"
      ? this.#deliverByToken(mailbox, delivery.lane.token, delivery.envelope, now)
      : this.#deliverByWork(mailbox, delivery.lane, delivery.envelope, now);
  }

  #deliverByToken(mailbox: Mailbox, token: Uint8Array, envelope: Uint8Array, now: number): DeliveryResult {
    const found = this.#tokens.find(mailbox, token, now);
    if (!found.ok) return found;
    const { key, bytes } = found.value;
    const cost = tokenCost(found.value, envelope.length, now);
    const room = this.#checkRoom(mailbox, envelope.length, now, { rate: bytes, cost });
    if (!room.ok) return room;
    if (!this.#hasRoomForToken(mailbox, key, envelope.length)) return refuse("over-quota", "token");
    bytes.tryTake(now, cost);
    this.#takeIn(mailbox, envelope, { bytes: envelope.length, storedAt: now, request: false, token: key });
    return accept(undefined);
  }

  #deliverByWork(
    mailbox: Mailbox,
    lane: { readonly hour: number; readonly work: number },
    envelope: Uint8Array,
    now: number,
  ): DeliveryResult {
    const work = this.#requests.check(mailbox, lane, now);
    if (!work.ok) return work;
    const room = this.#checkRoom(mailbox, envelope.length, now, { rate: work.value.rate, cost: 1 });
    if (!room.ok) return room;
    if (mailbox.waitingRequests >= this.#limits.maxStoredRequestsPerMailbox) return refuse("over-quota", "requests");
    work.value.rate.tryTake(now);
    this.#requests.use(work.value);
    this.#takeIn(mailbox, envelope, { bytes: envelope.length, storedAt: now, request: true });
    return accept(undefined);
  }

  /** Deletes what is past its time. Called now and then. */
  async sweep(now: number): Promise<number> {
    let swept = 0;
    for (const mailbox of [...this.#byName.values()]) {
      for (const [seq, { storedAt }] of mailbox.waiting ?? []) {
        if (now - storedAt < this.#limits.retentionMs) break; // oldest first
        this.#remove(mailbox, seq);
        swept++;
      }
      if (mailbox.owner) this.#noteOpen(mailbox, now);
      else if (dayOf(now) - mailbox.lastOpenedDay > this.#limits.mailboxIdleDays) await this.forget(mailbox);
    }
    this.counters.expired += swept;
    await this.#tokens.sweep(now, (name) => this.#byName.get(name));
    return swept;
  }

  /** The mailbox is, or was until now, open: its idle days count from here, also after a crash. */
  #noteOpen(mailbox: Mailbox, now: number, changed = false): void {
    const today = dayOf(now);
    if (!changed && mailbox.lastOpenedDay === today) return;
    mailbox.lastOpenedDay = today;
    this.#store.put(mailboxKey(mailbox.name), encodeMailbox(mailbox));
  }

  #create(request: OpenRequest, from: PrefixUse | undefined, now: number): Result<Mailbox> {
    const { maxMailboxes, maxMailboxesPerPrefix } = this.#limits;
    const target = { purpose: WORK_PURPOSE_MAILBOX, mailboxId: request.mailboxId, hour: request.hour } as const;
    const work = checkWork(target, request.work, request.workBits, now);
    if (!work.ok) return work;
    if (this.#byName.size >= maxMailboxes) return refuse("over-quota", "mailboxes");
    if (from && from.counts.mailboxes >= maxMailboxesPerPrefix) return refuse("over-quota", "mailboxes of a prefix");
    const mailbox = createMailbox(request.mailboxId.slice(), request.lanes, dayOf(now));
    this.#byName.set(mailbox.name, mailbox);
    return accept(mailbox);
  }

  /** A mailbox and what it holds count for the prefix that opened it last. */
  #attribute(mailbox: Mailbox, from: PrefixUse | undefined): void {
    if (mailbox.openedFrom === from) return;
    const bytes = mailbox.waitingBytes + mailbox.tokenCount * TOKEN_STORED_BYTES;
    if (mailbox.openedFrom) {
      mailbox.openedFrom.counts.mailboxes--;
      mailbox.openedFrom.counts.storedBytes -= bytes;
    }
    if (from) {
      from.counts.mailboxes++;
      from.counts.storedBytes += bytes;
    }
    mailbox.openedFrom = from;
  }

  /** Whether the rates allow it and there is room; takes nothing yet. Refused: `rate-limited`, `over-quota`. */
  #checkRoom(mailbox: Mailbox, bytes: number, now: number, paid: { rate: TokenBucket; cost: number }): DeliveryResult {
    const l = this.#limits;
    mailbox.bytes ??= new TokenBucket(l.bytesPerMailbox, now);
    const waitMs = Math.max(paid.rate.waitMs(now, paid.cost), mailbox.bytes.waitMs(now, bytes));
    if (waitMs > 0) return { ...refuse("rate-limited", "mailbox"), retryAfterMs: waitMs };
    const full =
      (mailbox.waiting?.size ?? 0) >= l.maxStoredPerMailbox ||
      mailbox.waitingBytes + bytes > l.maxStoredBytesPerMailbox ||
      (mailbox.openedFrom !== undefined && mailbox.openedFrom.counts.storedBytes + bytes > l.maxStoredBytesPerPrefix) ||
      !this.#budget.fits(bytes);
    return full ? refuse("over-quota", "envelopes") : accept(undefined);
  }

  /** One contact must not fill the room of all. */
  #hasRoomForToken(mailbox: Mailbox, token: string, bytes: number): boolean {
    const { maxStoredPerToken, maxStoredBytesPerToken } = this.#limits;
    // Mostly hardly anything waits, and there is nothing to count.
    const waiting = mailbox.waiting;
    if (!waiting || (waiting.size < maxStoredPerToken && mailbox.waitingBytes + bytes <= maxStoredBytesPerToken))
      return true;
    let count = 0;
    let held = 0;
    for (const each of waiting.values()) {
      if (each.token !== token) continue;
      count++;
      held += each.bytes;
    }
    return count < maxStoredPerToken && held + bytes <= maxStoredBytesPerToken;
  }

  #takeIn(mailbox: Mailbox, envelope: Uint8Array, waiting: WaitingEnvelope): void {
    mailbox.bytes?.tryTake(waiting.storedAt, waiting.bytes);
    // Time-based, so that a number is not used twice even after a restart: an old acknowledgement must not delete a new envelope.
    const seq = Math.max(mailbox.lastSeq + 1, waiting.storedAt * 1024);
    this.#store.put(envelopeKey(mailbox.name, seq), encodeStored(envelope, waiting), true);
    this.#note(mailbox, seq, waiting);
    if (mailbox.owner) {
      this.counters.forwarded++;
      mailbox.owner.push(mailbox.id, seq, envelope);
    } else this.counters.stored++;
  }

  #note(mailbox: Mailbox, seq: number, waiting: WaitingEnvelope): void {
    const { bytes, request } = waiting;
    mailbox.waiting ??= new Map();
    mailbox.waiting.set(seq, waiting);
    mailbox.waitingBytes += bytes;
    if (request) mailbox.waitingRequests++;
    mailbox.lastSeq = Math.max(mailbox.lastSeq, seq);
    if (mailbox.openedFrom) mailbox.openedFrom.counts.storedBytes += bytes;
    this.#budget.add(bytes);
  }

  #remove(mailbox: Mailbox, seq: number): boolean {
    const waiting = mailbox.waiting?.get(seq);
    if (!waiting || !mailbox.waiting) return false;
    mailbox.waiting.delete(seq);
    if (mailbox.waiting.size === 0) mailbox.waiting = undefined;
    mailbox.waitingBytes -= waiting.bytes;
    if (waiting.request) mailbox.waitingRequests--;
    if (mailbox.openedFrom) mailbox.openedFrom.counts.storedBytes -= waiting.bytes;
    this.#budget.remove(waiting.bytes);
    this.#store.delete(envelopeKey(mailbox.name, seq));
    return true;
  }
}
