/** What a stranger's request costs. docs/protocol/envelope.md section 4. */
import { accept, checkWork, refuse, type Result, TokenBucket, WORK_PURPOSE_REQUEST } from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import { BoundedMap } from "../store/bounded-map.ts";
import type { Mailbox } from "./mailbox.ts";
import type { DeliveryRefusal } from "./mailboxes.ts";

/** Pieces of work that are remembered so that none pays twice; far more than can be done in the three hours they count. */
const MAX_USED_WORK = 100_000;

export class RequestLane {
  readonly #limits: NodeLimits;
  readonly #used = new BoundedMap<true>(MAX_USED_WORK);

  constructor(limits: NodeLimits) {
    this.#limits = limits;
  }

  /** Refused: `stale`, `work-insufficient`, `replayed`, `rate-limited`. */
  pay(
    mailbox: Mailbox,
    lane: { readonly hour: number; readonly work: number },
    now: number,
  ): Result<void> | DeliveryRefusal {
    const target = { purpose: WORK_PURPOSE_REQUEST, mailboxId: mailbox.id, hour: lane.hour } as const;
    const done = checkWork(target, lane.work, this.#limits.requestWorkBits, now);
    if (!done.ok) return done;
    const name = `${mailbox.name}/${lane.hour}/${lane.work}`;
    if (this.#used.get(name)) return refuse("replayed", "work");
    mailbox.requests ??= new TokenBucket(this.#limits.requestsPerMailbox, now);
    const waitMs = mailbox.requests.waitMs(now);
    if (waitMs > 0) return { ...refuse("rate-limited", "request lane"), retryAfterMs: waitMs };
    mailbox.requests.tryTake(now);
    this.#used.set(name, true);
    return accept(undefined);
  }
}
