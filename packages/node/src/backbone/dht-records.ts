/**
 * Puts and gets clients' signed records in the DHT. Every answer is checked by our own rule (core verifyRecord), time is
 * bounded, and nodes that are slow or silent delay nothing once a valid answer is there.
 */
import {
  accept,
  checkReplaces,
  type Clock,
  EarshotError,
  equalBytes,
  type RecordOnWire,
  refuse,
  type RefusalCode,
  type Result,
  type SignatureBackend,
  verifyRecord,
} from "@earshot/core";
import type { BackboneLimits } from "./backbone-limits.ts";
import type { GuardedDht } from "./guarded-dht.ts";
import {
  type Address,
  DHT_COMMANDS,
  decodeMessage,
  encodeMessage,
  HyperDHT,
  messages,
  type Query,
  type Reply,
  ROLLED_BACK,
} from "./hyperdht.ts";
import { askAlso, type RecordPlaces } from "./record-places.ts";
import { untilQuiet } from "./until-quiet.ts";

export interface DhtRecordsParts {
  readonly dht: GuardedDht;
  readonly places: RecordPlaces;
  readonly limits: BackboneLimits;
  readonly clock: Clock;
  readonly signatures: SignatureBackend;
  refused(code: RefusalCode): void;
}

/** Sends to a node that does not answer: 1 + this many. Twenty are asked, so one may be lost. */
const GET_RETRIES = 1;
/** Asked at a time: fewer cost less. */
const GET_CONCURRENCY = 6;
/** Of those, at least so many by their distance, beside the proven supernodes: these may be others than the writer's. */
const CLOSEST_AT_FIRST = 2;
/** While it is not over by then, those asked first may be silent: more are asked beside them. */
const WIDEN_MS = 150;
const WIDE_CONCURRENCY = 20;
/** HyperDHT's own. */
const PUT_CONCURRENCY = 10;
/** Nodes that give the newest there is, after which no others are asked; those asked already are heard. */
const AGREEING_NODES = 3;
/** compact-encoding's 0: records of any seq. */
const ANY_SEQ = Buffer.from([0]);

/** Whatever its nodes do. */
const LONGEST_QUERY_MS = 10_000;

interface StoredRecord {
  readonly seq: number;
  readonly value: Buffer;
  readonly signature: Buffer;
}

export class DhtRecords {
  readonly #parts: DhtRecordsParts;
  #running = 0;

  constructor(parts: DhtRecordsParts) {
    this.#parts = parts;
  }

  /** Records that we keep for others. */
  get held(): number {
    return this.#parts.dht._persistent?.mutables.size ?? 0;
  }

  /**
   * Gives it to the nodes closest to its key and to some proven supernodes, ourselves among them where we keep records. Accepted with their number; 0 where
   * there is nobody else. Refused: `server-busy` (too many at once, or none of them answered in time), `rolled-back`, `over-quota`.
   * The caller has verified it.
   */
  async put(record: RecordOnWire): Promise<Result<number>> {
    if (this.#running >= this.#parts.limits.maxLookups) return refuse("server-busy", "look-ups");
    const kept = this.#keepOurselves(record);
    if (!kept.ok) return kept;
    const target = HyperDHT.hash(record.publicKey);
    const { takers, ended } = this.#findTakers(target);
    const putting = takers.then((found) => this.#putAtAll(found, target, record));
    this.#running++;
    // Who was silent is still asked, for HyperDHT to forget those that are dead.
    void Promise.allSettled([putting, ended]).then(() => this.#running--);
    return putting;
  }

  /** Those next to the key and at its places, once they have answered. `ended`: the silent ones have had their time too. */
  #findTakers(target: Buffer): { takers: Promise<ReadonlySet<Reply>>; ended: Promise<void> } {
    const { clock, limits, places } = this.#parts;
    const known = places.of(target);
    const atPlaces: Reply[] = [];
    let onReply = () => {};
    const query = this.#ask(target, PUT_CONCURRENCY + known.length, (reply) => {
      if (known.some((place) => isFrom(place, reply))) atPlaces.push(reply);
      onReply();
      return true;
    });
    askAlso(query, known);
    const ended = this.#toItsEnd(query);
    // What is left of the time is for the puts themselves.
    const asked = untilQuiet(clock, limits.putDeadlineMs / 2, (heard) => {
      onReply = heard;
      return ended;
    });
    return { takers: asked.then(() => new Set([...query.closestReplies, ...atPlaces])), ended };
  }

  async #putAtAll(
    takers: ReadonlySet<Reply>,
    target: Buffer,
    { publicKey, seq, signature, value }: RecordOnWire,
  ): Promise<Result<number>> {
    const put = encodeMessage(messages.mutablePutRequest, {
      publicKey: Buffer.from(publicKey),
      seq,
      signature: Buffer.from(signature),
      value: Buffer.from(value),
    });
    const outcomes = [...takers].map((reply) => this.#putAt(reply, target, put));
    return outcomes.length === 0 ? accept(0) : this.#outcome(outcomes);
  }

  /**
   * The newest of what came in time, and of `known`: {@link BackboneLimits.lookupGraceMs} after the first. Rejects with
   * EarshotError `server-busy`.
   */
  async get(publicKey: Uint8Array, known?: RecordOnWire): Promise<RecordOnWire | null> {
    const { clock, limits, dht } = this.#parts;
    if (dht.destroyed || this.#running >= limits.maxLookups)
      throw new EarshotError("server-busy", "too many look-ups at once: try again");
    const target = HyperDHT.hash(publicKey);
    let best = known ?? null;
    const cancels: (() => void)[] = [];
    await new Promise<void>((resolve) => {
      const stopAfter = (ms: number) => cancels.push(clock.setTimer(ms, resolve));
      stopAfter(limits.lookupDeadlineMs);
      if (best) stopAfter(limits.lookupGraceMs);
      let agreeing = 0;
      const onAnswer = async (answer: StoredRecord | undefined): Promise<boolean> => {
        if (best && answer && answer.seq <= best.seq) {
          // Verified once: another's copy of the same has the same bytes.
          if (isSame(best, answer)) agreeing++;
          return agreeing >= AGREEING_NODES;
        }
        const valid = await this.#checked(publicKey, answer);
        if (!valid) return false;
        if (!best) stopAfter(limits.lookupGraceMs);
        best = newer(best, valid);
        agreeing = 1;
        return false;
      };
      // What lies here is one node's word too, but not that of anybody who was asked.
      const own = onAnswer(this.#ownCopy(target)).then(() => (agreeing = 0));
      this.#running++;
      const ended = own.then(() => this.#readAll(target, onAnswer)).finally(() => this.#running--);
      void ended.finally(resolve);
    });
    for (const cancel of cancels) cancel();
    return best;
  }

  /**
   * To its end, which nobody waits for: only a question that has waited its time out makes HyperDHT forget a node that is
   * dead, so that the next look-up is spared it. `onAnswer` gives true once enough is known to ask nobody else.
   */
  async #readAll(target: Buffer, onAnswer: (answer: StoredRecord) => Promise<boolean>): Promise<void> {
    const places = this.#parts.places.of(target);
    const atOnce = Math.max(GET_CONCURRENCY, places.length + CLOSEST_AT_FIRST);
    const query = this.#ask(target, atOnce, (reply) => decodeMessage(messages.mutableGetResponse, reply.value));
    askAlso(query, places);
    const { clock } = this.#parts;
    const cancels = [
      clock.setTimer(LONGEST_QUERY_MS, () => query.destroy()),
      clock.setTimer(WIDEN_MS, () => askMoreAtOnce(query)),
    ];
    try {
      for await (const answer of query) if (await onAnswer(answer)) askNobodyElse(query);
    } catch {
      // Cut off: what came until then has come.
    } finally {
      for (const cancel of cancels) cancel();
    }
  }

  /** As {@link #readAll}, of a query whose answers count as they come. */
  async #toItsEnd(query: Query<unknown>): Promise<void> {
    const cancel = this.#parts.clock.setTimer(LONGEST_QUERY_MS, () => query.destroy());
    await query.finished().catch(() => {});
    cancel();
  }

  /** So that a network of two finds it: a look-up never asks the asker. */
  #keepOurselves(record: RecordOnWire): Result<void> {
    const { dht } = this.#parts;
    if (dht.ephemeral || !dht._persistent) return accept(undefined);
    const target = HyperDHT.hash(record.publicKey);
    const held = this.#ownCopy(target);
    if (held) {
      const replaces = checkReplaces({ publicKey: record.publicKey, ...held }, record);
      if (!replaces.ok) return replaces;
    }
    const { seq, signature, value } = record;
    const kept = { seq, value: Buffer.from(value), signature: Buffer.from(signature) };
    dht._persistent.mutables.set(target.toString("hex"), encodeMessage(messages.mutableGetResponse, kept));
    return accept(undefined);
  }

  #ownCopy(target: Buffer): StoredRecord | undefined {
    const kept = this.#parts.dht._persistent?.mutables.get(target.toString("hex")) ?? null;
    return decodeMessage(messages.mutableGetResponse, kept);
  }

  /** Null, and counted, where it is not what we would keep. */
  async #checked(publicKey: Uint8Array, answer: StoredRecord | undefined): Promise<RecordOnWire | null> {
    if (!answer?.value) return null;
    const { seq, value, signature } = answer;
    const record = { publicKey, seq, value, signature };
    const verified = Number.isSafeInteger(seq)
      ? await verifyRecord(this.#parts.signatures, record)
      : refuse("bad-record", "seq");
    if (verified.ok) return verified.value;
    this.#parts.refused(verified.code);
    return null;
  }

  #ask<T>(target: Buffer, concurrency: number, read: (reply: Reply) => T | undefined): Query<T> {
    return this.#parts.dht.query<T>(
      { target, command: DHT_COMMANDS.mutableGet, value: ANY_SEQ },
      { concurrency, retries: GET_RETRIES, map: ((reply: Reply) => read(reply) ?? null) as never },
    );
  }

  async #putAt(reply: Reply, target: Buffer, value: Buffer): Promise<number> {
    if (!reply.token) throw new Error("no token");
    const request = { token: reply.token, target, command: DHT_COMMANDS.mutablePut, value };
    return (await this.#parts.dht.request(request, reply.from)).error;
  }

  /** Waits for those that answer within the deadline; one that took it is enough. */
  async #outcome(outcomes: Promise<number>[]): Promise<Result<number>> {
    const { clock, limits } = this.#parts;
    const errors: number[] = [];
    await untilQuiet(clock, limits.putDeadlineMs / 2, (heard) => {
      const answered = (error: number) => {
        errors.push(error);
        heard();
      };
      return Promise.allSettled(outcomes.map((outcome) => outcome.then(answered)));
    });
    const taken = errors.filter((error) => error === 0).length;
    if (taken > 0) return accept(taken);
    if (errors.some((error) => ROLLED_BACK.includes(error))) return refuse("rolled-back");
    return errors.length > 0 ? refuse("over-quota", "the network") : refuse("server-busy", "the network");
  }
}

function newer(a: RecordOnWire | null, b: RecordOnWire | null): RecordOnWire | null {
  return a && b ? (b.seq > a.seq ? b : a) : (a ?? b);
}

function isFrom({ host, port }: Address, { from }: Reply): boolean {
  return from.host === host && from.port === port;
}

function isSame(record: RecordOnWire, { seq, value, signature }: StoredRecord): boolean {
  return seq === record.seq && equalBytes(value, record.value) && equalBytes(signature, record.signature);
}

/** Those asked already are waited for: so HyperDHT forgets the dead among them. */
function askNobodyElse(query: Query<StoredRecord>): void {
  query._onlyClosestNodes = true;
  query._pending.length = 0;
}

function askMoreAtOnce(query: Query<StoredRecord>): void {
  query.concurrency = WIDE_CONCURRENCY;
  query._readMore();
}
