/** What a stranger's request costs. docs/protocol/envelope.md section 4. */
import { accept, checkWork, refuse, type Result, TokenBucket, WORK_PURPOSE_REQUEST } from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import { BoundedMap } from "../store/bounded-map.ts";
import type { Mailbox } from "./mailbox.ts";

/** Pieces of work that are remembered so that none pays twice; far more than can be done in the three hours they count. */
const MAX_USED_WORK = 100_000;

/** A piece of work that has paid for nothing yet. */
export interface UnusedWork {
  readonly name: string;
  /** Of the mailbox's request lane; one delivery costs 1. */
  readonly rate: TokenBucket;
}

export class RequestLane {
  readonly #limits: NodeLimits;
  readonly #used = new BoundedMap<true>(MAX_USED_WORK);

  constructor(limits: NodeLimits) {
    this.#limits = limits;
  }

  /** The work, if it is enough for a delivery now. Refused: `stale`, `work-insufficient`, `replayed`. */
  check(mailbox: Mailbox, lane: { readonly hour: number; readonly work: number }, now: number): Result<UnusedWork> {
    const target = { purpose: WORK_PURPOSE_REQUEST, mailboxId: mailbox.id, hour: lane.hour } as const;
    const done = checkWork(target, lane.work, this.#limits.requestWorkBits, now);
    if (!done.ok) return done;
    const name = `${mailbox.name}/${lane.hour}/${lane.work}`;
    if (this.#used.get(name)) return refuse("replayed", "work");
    mailbox.requests ??= new TokenBucket(this.#limits.requestsPerMailbox, now);
    return accept({ name, rate: mailbox.requests });
  }

  /** It has paid for a delivery. */
  use(work: UnusedWork): void {
    this.#used.set(work.name, true);
  }
}
