/** One look-up of one record: asked of several copies and scouts at once, hedged, and decided by who verifies, not by who answers. */
import {
  accept,
  blindPublicKey,
  type Clock,
  type Dated,
  equalBytes,
  type LookupSlot,
  type MutableRecord,
  type RecordKind,
  type RefusalCode,
  refuse,
  type Result,
} from "@earshot/core";
import { errorOf } from "../errors.ts";
import type { ScoutLink, Scouts } from "./scouts.ts";

/** After the first valid answer, so long for another that may be newer: a scout could serve an old one. */
export const HEDGE_MS = 300;
/** Without any valid answer after so long, everything else is asked too: a scout may keep silent. */
export const SLOW_MS = 1_500;
/** Refusals that an honest scout does not pass on: it checks them itself before it answers. */
const LIES: readonly RefusalCode[] = ["bad-signature", "bad-key", "too-large"];

export interface SearchPorts {
  readonly clock: Clock;
  readonly scouts: Scouts;
  /** An answer did not verify: whoever gave it lies, or holds something damaged. */
  readonly onRefused: (code: RefusalCode) => void;
}

/** What is looked for. */
export interface SearchTarget<R> {
  readonly kind: RecordKind;
  readonly masterKey: Uint8Array;
  /** The newest known: an answer from before it is refused as `rolled-back`. */
  readonly knownAt: number;
  open(slot: LookupSlot, record: MutableRecord): Promise<Result<R & Dated>>;
}

/** A record, and what it was found as: its bundle is sealed for that day. */
export interface FoundRecord<R> {
  readonly record: R & Dated;
  readonly slot: LookupSlot;
  readonly signed: MutableRecord;
}

/** Detail of a `record-missing` where not everybody asked has answered. */
export const PARTLY_ANSWERED = "partly";

export class RecordSearch<R> {
  readonly #ports: SearchPorts;
  readonly #target: SearchTarget<R>;
  readonly #hedgeMs: number;
  readonly #waiting = new Map<ScoutLink, number>();
  readonly #answered = new Set<ScoutLink>();
  #pending = 0;
  #missing = 0;
  #best: FoundRecord<R> | undefined;
  #refusal: { readonly code: RefusalCode; readonly detail?: string } | undefined;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(ports: SearchPorts, target: SearchTarget<R>, hedgeMs = HEDGE_MS) {
    this.#ports = ports;
    this.#target = target;
    this.#hedgeMs = hedgeMs;
  }

  get found(): boolean {
    return this.#best !== undefined;
  }

  ask(slot: LookupSlot, link: ScoutLink): void {
    this.#pending += 1;
    this.#waiting.set(link, (this.#waiting.get(link) ?? 0) + 1);
    void this.#ask(slot, link)
      .catch((error: unknown) => {
        this.#error ??= errorOf(error);
      })
      .finally(() => {
        this.#pending -= 1;
        this.#waiting.set(link, (this.#waiting.get(link) ?? 1) - 1);
        this.#wake();
      });
  }

  /** Resolves once all have answered, the hedge after the first valid answer is over, or `limitMs` have passed without one. */
  async settle(limitMs?: number): Promise<void> {
    const { clock } = this.#ports;
    let late = false;
    let cancelLimit = () => {};
    let cancelHedge: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#pending === 0 || late) return resolve();
        if (this.#best) cancelHedge ??= clock.setTimer(this.#hedgeMs, resolve);
      };
      if (limitMs !== undefined)
        cancelLimit = clock.setTimer(limitMs, () => {
          late = this.#best === undefined;
          if (late) this.#reportSlow();
          this.#wake();
        });
      this.#wake();
    });
    cancelLimit();
    cancelHedge?.();
    this.#wake = () => {};
  }

  /**
   * The newest of the answers. Otherwise `record-missing` (detail {@link PARTLY_ANSWERED} where others would not say), or
   * the refusal of those that would not. Throws what the links did where none of them worked.
   */
  result(): Result<FoundRecord<R>> {
    if (this.#best) return accept(this.#best);
    if (this.#answered.size === 0 && this.#error !== undefined) throw this.#error;
    const others = this.#refusal ?? (this.#error === undefined && this.#pending === 0 ? undefined : PARTLY_ANSWERED);
    if (this.#missing > 0 || others === undefined || others === PARTLY_ANSWERED)
      return refuse("record-missing", others && PARTLY_ANSWERED);
    return refuse(others.code, others.detail);
  }

  async #ask(slot: LookupSlot, link: ScoutLink): Promise<void> {
    const { kind, masterKey, knownAt, open } = this.#target;
    const publicKey = blindPublicKey(kind, masterKey, slot.day, slot.copy);
    if (!publicKey.ok) return this.#refused(publicKey.code);
    const answer = await link.request({ type: "get-record", publicKey: publicKey.value });
    this.#answered.add(link);
    if (!answer.ok) return this.#refused(answer.code, "get-record");
    if (!answer.value.record) {
      this.#missing += 1;
      return;
    }
    const isAnother = !equalBytes(answer.value.record.publicKey, publicKey.value);
    const opened = isAnother ? refuse("bad-record", "another's") : await open(slot, answer.value.record);
    const wrong = opened.ok ? (opened.value.updatedAt < knownAt ? "rolled-back" : undefined) : opened.code;
    if (wrong !== undefined) {
      this.#ports.onRefused(wrong);
      if (isAnother || LIES.includes(wrong)) this.#ports.scouts.report(link, "lied");
      return this.#refused(wrong);
    }
    if (opened.ok && (!this.#best || opened.value.updatedAt > this.#best.record.updatedAt))
      this.#best = { record: opened.value, slot, signed: answer.value.record };
  }

  #refused(code: RefusalCode, detail?: string): void {
    this.#refusal ??= detail === undefined ? { code } : { code, detail };
  }

  /** Those that have said nothing while another has answered. */
  #reportSlow(): void {
    for (const [link, waiting] of this.#waiting)
      if (waiting > 0 && !this.#answered.has(link) && this.#answered.size > 0) this.#ports.scouts.report(link, "slow");
  }
}
