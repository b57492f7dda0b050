/** Entries under a name with a lifetime, on disk, bounded in number and bytes, and per address prefix. */
import { accept, ByteWriter, decodeBytes, equalBytes, refuse, type Result } from "@earshot/core";
import type { Counted, PrefixUse } from "../prefix-limits.ts";
import type { DurableStore } from "../store/durable-store.ts";
import type { StoreBudget } from "../store/store-budget.ts";
import { Holders } from "./holders.ts";

/** Refreshing writes to disk only when this much of an entry's life is gone. */
const REFRESH_AFTER_MS = 3_600_000;

interface Kept {
  readonly bytes: number;
  putAt: number;
  from: PrefixUse | undefined;
}

/**
 * One kind of entry: bounded in number overall and per prefix. When it is full, the prefix that holds most gives up its
 * oldest, so that whoever fills it up pushes out their own. What has no prefix (private networks; all that was there before
 * a restart and has not been put again) counts as one.
 */
export class Shelf {
  readonly #entries = new Map<string, Kept>();
  readonly #holders = new Holders<PrefixUse | undefined>();
  readonly #budget: StoreBudget;
  readonly #store: DurableStore;
  readonly #kind: Extract<Counted, "records" | "bundles">;
  readonly #max: number;
  readonly #maxPerPrefix: number;
  readonly lifetimeMs: number;

  constructor(
    parts: { store: DurableStore; budget: StoreBudget },
    kind: Extract<Counted, "records" | "bundles">,
    limits: { max: number; maxPerPrefix: number; lifetimeMs: number },
  ) {
    this.#store = parts.store;
    this.#budget = parts.budget;
    this.#kind = kind;
    this.#max = limits.max;
    this.#maxPerPrefix = limits.maxPerPrefix;
    this.lifetimeMs = limits.lifetimeMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  async load(): Promise<void> {
    const found: [string, Kept][] = [];
    for await (const [key, value] of this.#store.entries(this.#prefix)) {
      const stored = decodeEntry(value);
      if (!stored) this.#store.delete(key);
      else found.push([key.slice(2), { bytes: value.length, putAt: stored.putAt, from: undefined }]);
    }
    for (const [name, kept] of found.sort((a, b) => a[1].putAt - b[1].putAt)) {
      this.#entries.set(name, kept);
      this.#holders.add(undefined, name);
      this.#budget.add(kept.bytes);
    }
  }

  get(name: string, now: number): Uint8Array | undefined {
    const kept = this.#entries.get(name);
    if (!kept || now - kept.putAt >= this.lifetimeMs) return undefined;
    const value = this.#store.get(this.#prefix + name);
    return value && decodeEntry(value)?.body;
  }

  /** Puts or renews. Refused: `over-quota`. */
  put(name: string, body: Uint8Array, from: PrefixUse | undefined, now: number): Result<void> {
    const known = this.#entries.get(name);
    if (known && now - known.putAt < REFRESH_AFTER_MS && this.#isSame(name, body)) {
      this.#attribute(name, known, from);
      return accept(undefined);
    }
    const value = new ByteWriter().u64(now).raw(body).finish();
    if (!known && from && from.counts[this.#kind] >= this.#maxPerPrefix) return refuse("over-quota", this.#kind);
    if (!known && this.#entries.size >= this.#max) this.#makeRoom();
    if (!this.#budget.fits(value.length)) return refuse("over-quota", "store");
    this.remove(name);
    this.#entries.set(name, { bytes: value.length, putAt: now, from });
    this.#holders.add(from, name);
    if (from) from.counts[this.#kind]++;
    this.#budget.add(value.length);
    this.#store.put(this.#prefix + name, value);
    return accept(undefined);
  }

  remove(name: string): void {
    const kept = this.#entries.get(name);
    if (!kept) return;
    this.#entries.delete(name);
    this.#holders.remove(kept.from, name);
    if (kept.from) kept.from.counts[this.#kind]--;
    this.#budget.remove(kept.bytes);
    this.#store.delete(this.#prefix + name);
  }

  /** Insertion order is the order of puts, so the expired come first. */
  sweep(now: number): number {
    let swept = 0;
    for (const [name, { putAt }] of this.#entries) {
      if (now - putAt < this.lifetimeMs) break;
      this.remove(name);
      swept++;
    }
    return swept;
  }

  get #prefix(): string {
    return this.#kind === "records" ? "r/" : "b/";
  }

  #isSame(name: string, body: Uint8Array): boolean {
    const value = this.#store.get(this.#prefix + name);
    const stored = value && decodeEntry(value);
    return stored !== undefined && equalBytes(stored.body, body);
  }

  #makeRoom(): void {
    const name = this.#holders.oldestOfLargest();
    if (name !== undefined) this.remove(name);
  }

  /** An entry from before a restart is its owner's prefix's again once it is put again. */
  #attribute(name: string, kept: Kept, from: PrefixUse | undefined): void {
    if (kept.from || !from || from.counts[this.#kind] >= this.#maxPerPrefix) return;
    this.#holders.remove(undefined, name);
    this.#holders.add(from, name);
    kept.from = from;
    from.counts[this.#kind]++;
  }
}

/** `put at u64 ‖ body`. */
function decodeEntry(value: Uint8Array): { putAt: number; body: Uint8Array } | undefined {
  const fields = decodeBytes(value, (r) => accept({ putAt: r.u64(), body: r.rest() }));
  return fields.ok ? fields.value : undefined;
}
