/**
 * The embedded on-disk store (LevelDB): strings to bytes. Writes are gathered for a moment and committed together; a
 * caller that must not promise too early awaits `committed()`. What is committed survives a kill -9 of the daemon (the
 * bytes are the kernel's by then); a power failure may cost the last seconds.
 */
import { ClassicLevel } from "classic-level";

/** How long writes are gathered, and two turns of the event loop. An envelope that is acknowledged meanwhile never touches the disk. */
const COMMIT_WINDOW_MS = 3;
const CACHE_BYTES = 16 * 1024 * 1024;
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;

interface Pending {
  /** null: delete. */
  readonly value: Uint8Array | null;
  /** The key was never written before, so that deleting it cancels the write. */
  readonly fresh: boolean;
}

export class DurableStore {
  readonly #db: ClassicLevel<string, Uint8Array>;
  #gathering = new Map<string, Pending>();
  #writing: Map<string, Pending> = new Map();
  /** The commit that will take what is gathered now. */
  #next: Promise<void> | undefined;
  /** The commit under way. */
  #current: Promise<void> = Promise.resolve();
  #failures = 0;

  private constructor(db: ClassicLevel<string, Uint8Array>) {
    this.#db = db;
  }

  /** Rejects where another process has the store open, or the disk does not allow it. */
  static async open(location: string): Promise<DurableStore> {
    const db = new ClassicLevel<string, Uint8Array>(location, { keyEncoding: "utf8", valueEncoding: "view" });
    await db.open({ cacheSize: CACHE_BYTES, writeBufferSize: WRITE_BUFFER_BYTES, compression: false });
    return new DurableStore(db);
  }

  /** Commits that failed (a full disk). */
  get failures(): number {
    return this.#failures;
  }

  put(key: string, value: Uint8Array, fresh = false): void {
    this.#gathering.set(key, { value, fresh });
    this.#schedule();
  }

  delete(key: string): void {
    if (this.#gathering.get(key)?.fresh && !this.#writing.has(key)) {
      this.#gathering.delete(key);
      return;
    }
    this.#gathering.set(key, { value: null, fresh: false });
    this.#schedule();
  }

  /** The newest value, committed or not. */
  get(key: string): Uint8Array | undefined {
    const pending = this.#gathering.get(key) ?? this.#writing.get(key);
    return pending === undefined ? this.#db.getSync(key) : (pending.value ?? undefined);
  }

  /** Resolves once everything put so far is safe from a crash of this process; rejects if it could not be written. */
  committed(): Promise<void> {
    return this.#next ?? this.#current;
  }

  /** Committed entries whose key starts with `prefix`, in order. Reads what was there when it began. */
  async *entries(prefix: string): AsyncGenerator<[string, Uint8Array]> {
    yield* this.#db.iterator({ gte: prefix, lt: `${prefix}\u{10ffff}` });
  }

  /** Their keys alone. */
  async *keys(prefix: string): AsyncGenerator<string> {
    yield* this.#db.keys({ gte: prefix, lt: `${prefix}\u{10ffff}` });
  }

  async close(): Promise<void> {
    await this.committed().catch(() => {});
    await this.#db.close();
  }

  #schedule(): void {
    if (this.#next !== undefined) return;
    const window = new Promise<void>((resolve) => setTimeout(afterTwoTurns, COMMIT_WINDOW_MS, resolve));
    // One batch at a time: the next gathers while this one is written.
    const next = Promise.all([window, this.#current.catch(() => {})]).then(() => this.#write());
    // Whoever must know awaits committed(); nobody else is to fall over an unhandled rejection.
    next.catch(() => {});
    this.#next = next;
  }

  async #write(): Promise<void> {
    this.#current = this.#next ?? this.#current;
    this.#next = undefined;
    this.#writing = this.#gathering;
    this.#gathering = new Map();
    const batch = [...this.#writing].map(([key, { value }]) =>
      value === null ? { type: "del" as const, key } : { type: "put" as const, key, value },
    );
    try {
      if (batch.length > 0) await this.#db.batch(batch);
    } catch (error) {
      this.#failures++;
      throw error;
    } finally {
      this.#writing = new Map();
    }
  }
}

/**
 * Takes nothing where there is little to do. A busy node's turns are longer than the window: what came in during the last
 * one is still to be read when the window is over, and much of it acknowledges what was gathered.
 */
function afterTwoTurns(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
