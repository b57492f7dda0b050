/** How many names each address prefix has taken, for as long as they are kept. In memory; bounded. */

interface Taken {
  readonly prefix: string;
  readonly until: number;
}

export class PrefixQuota {
  readonly #taken = new Map<string, Taken>();
  readonly #counts = new Map<string, number>();
  readonly #limits: { readonly perPrefix: number; readonly names: number; readonly lifetimeMs: number };

  constructor(limits: { perPrefix: number; names: number; lifetimeMs: number }) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#taken.size;
  }

  /** A name that is taken already may always be renewed, by whomever. `most`: another limit than everybody's. */
  hasRoom(name: string, prefix: string, now: number, most = this.#limits.perPrefix): boolean {
    this.#expire(now);
    return this.#taken.has(name) || (this.#counts.get(prefix) ?? 0) < most;
  }

  /** Takes or renews; the oldest gives way where all places are taken. */
  take(name: string, prefix: string, now: number): void {
    const owner = this.#taken.get(name)?.prefix ?? prefix;
    this.#remove(name);
    // Renewed last, so that the map's order is the order in which names run out.
    this.#taken.set(name, { prefix: owner, until: now + this.#limits.lifetimeMs });
    this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + 1);
    if (this.#taken.size <= this.#limits.names) return;
    for (const oldest of this.#taken.keys()) {
      this.#remove(oldest);
      break;
    }
  }

  #expire(now: number): void {
    for (const [name, { until }] of this.#taken) {
      if (until > now) break;
      this.#remove(name);
    }
  }

  #remove(name: string): void {
    const taken = this.#taken.get(name);
    if (!taken) return;
    this.#taken.delete(name);
    const left = (this.#counts.get(taken.prefix) ?? 1) - 1;
    if (left > 0) this.#counts.set(taken.prefix, left);
    else this.#counts.delete(taken.prefix);
  }
}
