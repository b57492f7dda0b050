/** Supernodes that were not reached lately: left alone for a time that doubles. Memory only, bounded. */
import { type SupernodeRef, toHex } from "@earshot/core";

/** The one that failed longest ago is forgotten first. */
export const MAX_FAILED_DIALS = 1_024;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

interface Failure {
  readonly count: number;
  readonly until: number;
}

export class FailedDials {
  readonly #failures = new Map<string, Failure>();

  /** How long it is still to be left alone; 0 where it may be tried. */
  waitMs(ref: SupernodeRef, now: number): number {
    return Math.max(0, (this.#failures.get(nameOf(ref))?.until ?? 0) - now);
  }

  /** `askedMs`: how long it asked to be left alone itself. */
  failed(ref: SupernodeRef, now: number, askedMs = 0): void {
    const name = nameOf(ref);
    const count = (this.#failures.get(name)?.count ?? 0) + 1;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (count - 1), LONGEST_WAIT_MS);
    this.#failures.delete(name);
    this.#failures.set(name, { count, until: now + Math.max(askedMs, waitMs) });
    if (this.#failures.size <= MAX_FAILED_DIALS) return;
    const [oldest] = this.#failures.keys();
    this.#failures.delete(oldest as string);
  }

  succeeded(ref: SupernodeRef): void {
    this.#failures.delete(nameOf(ref));
  }
}

/** With its addresses: wrong ones that somebody made up say nothing of the supernode itself. */
function nameOf({ supernodeKey, dht, url }: SupernodeRef): string {
  return `${toHex(supernodeKey)} ${dht} ${url}`;
}
