import type { CallPath } from "../api.ts";
import type { KnownOfPath } from "./call-stats.ts";

/** What is told of how a call travels waits for a second look where the first may be wrong. */
export class PathPatience {
  /** A direct path went unused at the last look. */
  #wentUnused = false;
  /** What may have been a relay of the other side then. */
  #perhapsRelay: string | undefined;
  #told: CallPath | undefined;

  /** What to tell after a look that gave `seen`; undefined where nothing is certain yet. */
  take(seen: CallPath, known: Pick<KnownOfPath, "theirRelays">): CallPath | undefined {
    const perhaps = perhapsRelay(seen, known);
    const isNew = perhaps !== undefined && perhaps !== this.#perhapsRelay;
    this.#perhapsRelay = perhaps;
    // The candidate that says so comes a moment later.
    if (isNew) return this.#told;
    const wentUnused = seen.directShouldHaveWorked;
    // One that ICE has just found is mostly taken the next moment.
    this.#told = { ...seen, directShouldHaveWorked: wentUnused && this.#wentUnused };
    this.#wentUnused = wentUnused;
    return this.#told;
  }
}

/**
 * Names the address that the other side's packets come from where it may be a relay of theirs: it was found while connecting, they
 * have relays, and no candidate has said yet what it is.
 */
function perhapsRelay(path: CallPath, { theirRelays }: Pick<KnownOfPath, "theirRelays">): string | undefined {
  const isOpen = path.kind === "direct" && path.remoteType === "prflx" && theirRelays.length > 0;
  return isOpen ? `${path.localAddress} ${path.remoteAddress}` : undefined;
}
