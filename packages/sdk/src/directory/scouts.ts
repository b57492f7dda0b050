/** The supernodes that records are looked up and published through. None is believed: each is checked against another. */
import type { AnswerTo, EdgeAnswer, EdgeRequest } from "@earshot/core";

/** One connection to a scout. Rejects where it does not come up or breaks; a refusal is an answer. */
export interface ScoutLink {
  request<R extends EdgeRequest>(request: R, waitMs?: number): Promise<EdgeAnswer<AnswerTo<R["type"]>>>;
}

/** `lied`: what it said is contradicted by proof, or by others again and again. `slow`: others answer long before it. */
export type ScoutFault = "lied" | "slow";

export interface Scouts {
  /** At least one, those to use first; the directory uses two. Never a home of this device where there are enough others. */
  links(): readonly ScoutLink[];
  /** One more, apart from those asked, where there is: two that both say that there is nothing may both lie. */
  another?(asked: readonly ScoutLink[]): ScoutLink | undefined;
  /** Asks for another in its place. */
  report(link: ScoutLink, fault: ScoutFault): void;
}

/** Where there is one supernode only, everything goes through it, and nothing can be checked. */
export function singleScout(link: ScoutLink): Scouts {
  return { links: () => [link], report: () => {} };
}

/** Two to work with: the same one twice where there is no other. */
export function scoutPair(scouts: Scouts): readonly [ScoutLink, ScoutLink] {
  const [one, other] = scouts.links();
  if (!one) throw new RangeError("there is always a scout");
  return [one, other ?? one];
}

/**
 * Contradictions: one of the two lies, and nobody can tell which. Who has contradicted others more often is taken for the liar;
 * at first, who was to store and seems not to have.
 */
export class Contradictions {
  readonly #counts = new WeakMap<ScoutLink, number>();

  /** Gives the one to exchange. */
  note(storer: ScoutLink, reader: ScoutLink): ScoutLink {
    const [a, b] = [storer, reader].map((link) => {
      const count = (this.#counts.get(link) ?? 0) + 1;
      this.#counts.set(link, count);
      return count;
    }) as [number, number];
    return b > a ? reader : storer;
  }
}
