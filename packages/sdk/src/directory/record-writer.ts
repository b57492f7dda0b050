/** Storing records and bundles through scouts that may drop what they are given: spread, repeated elsewhere, and read back. */
import {
  accept,
  bundleHash,
  type Clock,
  type EdgeRequest,
  type Home,
  type MutableRecord,
  type Place,
  type Refusal,
  type RefusalCode,
  refuse,
  type Result,
  type SupernodeRef,
} from "@earshot/core";
import { errorOf } from "../errors.ts";
import { Contradictions, type ScoutLink, scoutPair, type Scouts } from "./scouts.ts";

/** Before what was stored is read back: a DHT takes a moment. */
export const READ_BACK_MS = 2_000;
/** Homes that have not taken the bundle so long after the first one are waited for no longer: one that is dead takes ten seconds. */
export const LATE_HOME_MS = 500;
/** A scout that is not connected by then may be dead: the other is asked first. */
export const SOON_MS = 1_000;
/** Copies of a pair, which go through one scout. */
const PAIR = 2;

export interface RecordWriterPorts {
  readonly clock: Clock;
  readonly scouts: Scouts;
}

/** One day of one record: its copies, in their order, the bundle that they name, and the homes that are to keep it. */
export interface DayOfRecord {
  readonly copies: readonly MutableRecord[];
  readonly bundle: Uint8Array;
  readonly places: readonly Place[];
}

/** Stored well enough to be found. `complete`: with every copy, and the bundle at every home. */
export interface Stored {
  readonly complete: boolean;
}

export class RecordWriter {
  readonly #ports: RecordWriterPorts;
  readonly #contradictions = new Contradictions();

  constructor(ports: RecordWriterPorts) {
    this.#ports = ports;
  }

  /**
   * Gives the bundle to each of these homes, then, once one has it and the others have had {@link LATE_HOME_MS}, the copies to
   * their holders: the first two through one scout, the others through another, and what one does not take through the other.
   * Refused where no home has the bundle or no copy is taken, and as `rolled-back` where some holder has a later one. Throws what
   * the links do where none of them works.
   */
  async put({ copies, bundle, places }: DayOfRecord): Promise<Result<Stored>> {
    // The bundle first: a record must not name what nobody can fetch yet.
    const held = await this.#firstHeld(places.map((place, i) => this.#putBundle(bundle, place, i)));
    if (!held.ok) return held;
    const answers = await Promise.all(copies.map((record, copy) => this.#putCopy(record, copy)));
    const refused = answers.filter((answer) => !answer.ok);
    const newer = refused.find(({ code }) => code === "rolled-back");
    if (newer) return newer;
    const none = refused.length === answers.length ? refused[0] : undefined;
    return none ?? accept({ complete: refused.length === 0 && held.value() });
  }

  /**
   * Reads of each pair one copy, and the bundle at each home, back through the scout that did not store it. What is not there is stored through that one,
   * and whoever of the two has so contradicted others more is reported: one of them lies. Resolves to how many were missing.
   */
  async readBack(days: readonly DayOfRecord[]): Promise<number> {
    const pair = scoutPair(this.#ports.scouts);
    if (pair[0] === pair[1]) return 0;
    await new Promise<void>((resolve) => void this.#ports.clock.setTimer(READ_BACK_MS, resolve));
    const turned = [pair[1], pair[0]] as const;
    const missing = await Promise.all(
      days.flatMap(({ copies, bundle, places }) => [
        ...[0, PAIR].map((copy) => this.#checkPair(copies.slice(copy, copy + PAIR), copy === 0 ? pair : turned)),
        ...places.map(({ home }, i) => this.#checkBundle(bundle, refOf(home), i % 2 === 0 ? pair : turned)),
      ]),
    );
    return missing.filter(Boolean).length;
  }

  async #checkBundle(
    bundle: Uint8Array,
    at: SupernodeRef,
    [storer, reader]: readonly [ScoutLink, ScoutLink],
  ): Promise<boolean> {
    const answer = await reader.request({ type: "get-bundle", hash: bundleHash(bundle), at }).catch(() => undefined);
    if (!answer?.ok || answer.value.bundle) return false; // there, or not to be known
    await this.#request(reader, { type: "put-bundle", at, bundle });
    this.#ports.scouts.report(this.#contradictions.note(storer, reader), "lied");
    return true;
  }

  /** True where it was missing, and is stored anew. */
  async #checkPair(
    copies: readonly MutableRecord[],
    [storer, reader]: readonly [ScoutLink, ScoutLink],
  ): Promise<boolean> {
    const [first] = copies;
    if (!first || (await this.#isThere(first, reader))) return false;
    for (const record of copies) await this.#request(reader, { type: "put-record", record });
    this.#ports.scouts.report(this.#contradictions.note(storer, reader), "lied");
    return true;
  }

  /** True also where it cannot be known. */
  async #isThere(record: MutableRecord, reader: ScoutLink): Promise<boolean> {
    try {
      const answer = await reader.request({ type: "get-record", publicKey: record.publicKey });
      return !answer.ok || (answer.value.record?.seq ?? -1) >= record.seq;
    } catch {
      return true;
    }
  }

  /** To the homes in turn through the one scout and the other. */
  async #putBundle(bundle: Uint8Array, { home }: Place, i: number): Promise<Result<unknown>> {
    return this.#either(i % 2 === 0 ? 0 : 1, { type: "put-bundle", at: refOf(home), bundle });
  }

  /**
   * Resolves soon after the first home has it; the value tells whether all have by now. Where none has, to the first refusal once all
   * have failed; rejects where none was asked.
   */
  #firstHeld(puts: readonly Promise<Result<unknown>>[]): Promise<Result<() => boolean>> {
    return new Promise((resolve, reject) => {
      let held = 0;
      let settled = 0;
      let refused: Refusal | undefined;
      let failure: Error | undefined;
      let cancelLate = () => {};
      const done = () => resolve(accept(() => held === puts.length));
      const settle = () => {
        if (++settled < puts.length) return;
        cancelLate();
        if (held > 0) done();
        else if (refused) resolve(refused);
        else reject(failure ?? new RangeError("there is no home"));
      };
      for (const put of puts)
        put
          .then(
            (answer) => {
              if (!answer.ok) refused ??= answer;
              else if (++held === 1) cancelLate = this.#ports.clock.setTimer(LATE_HOME_MS, done);
            },
            (error: unknown) => {
              failure ??= errorOf(error);
            },
          )
          .finally(settle);
    });
  }

  async #putCopy(record: MutableRecord, copy: number): Promise<Result<unknown>> {
    return this.#either(copy < PAIR ? 0 : 1, { type: "put-record", record });
  }

  /**
   * Through that one of the pair, and where it does not take it, through the other; through it once more where neither was there. Throws
   * where neither works.
   */
  async #either(
    which: 0 | 1,
    request: Extract<EdgeRequest, { type: "put-record" | "put-bundle" }>,
  ): Promise<Result<unknown>> {
    const [one, other] = this.#pairFrom(which);
    if (one === other) return orThrow(await this.#request(one, request));
    const first = await this.#request(one, request, SOON_MS);
    if (first.ok) return first;
    const second = await this.#request(this.#anotherThan(one, which), request);
    // A later record elsewhere counts, whoever has it.
    if (second.ok || isLater(second)) return second;
    if (!("error" in first)) return first;
    if (!("error" in second)) return second;
    return orThrow(await this.#request(this.#pairFrom(which)[0], request));
  }

  /** As it is now: whoever has just been found dead is exchanged. */
  #pairFrom(which: 0 | 1): readonly [ScoutLink, ScoutLink] {
    const [one, other] = scoutPair(this.#ports.scouts);
    return which === 0 ? [one, other] : [other, one];
  }

  #anotherThan(asked: ScoutLink, which: 0 | 1): ScoutLink {
    const [same, other] = this.#pairFrom(which);
    return other === asked ? same : other;
  }

  async #request(link: ScoutLink, request: EdgeRequest, waitMs?: number): Promise<Attempt> {
    try {
      const answer = await link.request(request, waitMs);
      return answer.ok ? accept(undefined) : refuse(answer.code);
    } catch (error) {
      return { ok: false, code: "server-busy", error };
    }
  }
}

function refOf({ supernodeKey, url, dht }: Home): SupernodeRef {
  return { supernodeKey, url, dht };
}

type Attempt =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail?: string; readonly error?: unknown };

function orThrow(attempt: Attempt): Result<unknown> {
  if (!attempt.ok && "error" in attempt) throw attempt.error;
  return attempt;
}

function isLater(attempt: Attempt): boolean {
  return !attempt.ok && attempt.code === "rolled-back";
}
