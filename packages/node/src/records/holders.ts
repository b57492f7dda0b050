/** Who holds how many entries, and which of the largest holder's is the oldest: both without looking through all. */
export class Holders<Holder> {
  /** Names of each, oldest first. */
  readonly #names = new Map<Holder, Set<string>>();
  /** Holders by how many names they have. */
  readonly #bySize = new Map<number, Set<Holder>>();
  #largest = 0;

  /** `name` is new. */
  add(holder: Holder, name: string): void {
    let names = this.#names.get(holder);
    if (!names) this.#names.set(holder, (names = new Set()));
    names.add(name);
    this.#resize(holder, names.size - 1, names.size);
  }

  remove(holder: Holder, name: string): void {
    const names = this.#names.get(holder);
    if (!names?.delete(name)) return;
    if (names.size === 0) this.#names.delete(holder);
    this.#resize(holder, names.size + 1, names.size);
  }

  /** Undefined where nobody holds anything. */
  oldestOfLargest(): string | undefined {
    for (const holder of this.#bySize.get(this.#largest) ?? [])
      for (const name of this.#names.get(holder) ?? []) return name;
    return undefined;
  }

  /** By one, so that the largest size moves by one as well. */
  #resize(holder: Holder, from: number, to: number): void {
    const before = this.#bySize.get(from);
    before?.delete(holder);
    if (before?.size === 0) this.#bySize.delete(from);
    if (to > 0) {
      const after = this.#bySize.get(to);
      if (after) after.add(holder);
      else this.#bySize.set(to, new Set([holder]));
    }
    if (to > this.#largest || !this.#bySize.has(this.#largest)) this.#largest = to;
  }
}
