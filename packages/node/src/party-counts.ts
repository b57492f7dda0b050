/** How many of something each party has; those who have none take no memory. */
export class PartyCounts {
  readonly #counts = new Map<string, number>();

  /** 0 for whoever is not limited. */
  of(party: string | undefined): number {
    return party === undefined ? 0 : (this.#counts.get(party) ?? 0);
  }

  add(party: string | undefined, change: 1 | -1): void {
    if (party === undefined) return;
    const count = this.of(party) + change;
    if (count > 0) this.#counts.set(party, count);
    else this.#counts.delete(party);
  }
}
