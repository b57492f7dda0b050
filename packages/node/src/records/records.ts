/**
 * Mutable records and prekey bundles, kept for 48 hours after they were last put. docs/protocol/records.md sections 2
 * and 5. On disk, so that a restarted supernode still answers for clients that have not come back yet.
 */
import { createHash } from "node:crypto";
import {
  accept,
  ByteWriter,
  checkReplaces,
  decodeBytes,
  type RecordOnWire,
  type Result,
  type SignatureBackend,
  verifyRecord,
} from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import type { PrefixUse } from "../prefix-limits.ts";
import type { DurableStore } from "../store/durable-store.ts";
import type { StoreBudget } from "../store/store-budget.ts";
import { Shelf } from "./shelf.ts";

export class Records {
  readonly #records: Shelf;
  readonly #bundles: Shelf;
  readonly #signatures: SignatureBackend;

  constructor(store: DurableStore, budget: StoreBudget, signatures: SignatureBackend, limits: NodeLimits) {
    const parts = { store, budget };
    const lifetimeMs = limits.recordLifetimeMs;
    this.#signatures = signatures;
    this.#records = new Shelf(parts, "records", {
      max: limits.maxRecords,
      maxPerPrefix: limits.maxRecordsPerPrefix,
      lifetimeMs,
    });
    this.#bundles = new Shelf(parts, "bundles", {
      max: limits.maxBundles,
      maxPerPrefix: limits.maxBundlesPerPrefix,
      lifetimeMs,
    });
  }

  get counts(): { records: number; bundles: number } {
    return { records: this.#records.size, bundles: this.#bundles.size };
  }

  async load(): Promise<void> {
    await this.#records.load();
    await this.#bundles.load();
  }

  getRecord(publicKey: Uint8Array, now: number): RecordOnWire | null {
    const body = this.#records.get(hex(publicKey), now);
    return body ? decodeRecord(publicKey, body) : null;
  }

  /** Refused: `bad-key`, `bad-signature`, `too-large`, `rolled-back`, `over-quota`. */
  async putRecord(record: RecordOnWire, from: PrefixUse | undefined, now: number): Promise<Result<void>> {
    const verified = await verifyRecord(this.#signatures, record);
    if (!verified.ok) return verified;
    // Looked up only now: another may have arrived while this one was verified.
    const replaces = checkReplaces(this.getRecord(record.publicKey, now) ?? undefined, record);
    if (!replaces.ok) return replaces;
    return this.#records.put(hex(record.publicKey), encodeRecord(record), from, now);
  }

  getBundle(hash: Uint8Array, now: number): Uint8Array | null {
    return this.#bundles.get(hex(hash), now) ?? null;
  }

  /** Kept under the hash of its bytes; what it holds is its reader's to check. Refused: `over-quota`. */
  putBundle(bundle: Uint8Array, from: PrefixUse | undefined, now: number): Result<void> {
    return this.#bundles.put(createHash("sha256").update(bundle).digest("hex"), bundle, from, now);
  }

  sweep(now: number): number {
    return this.#records.sweep(now) + this.#bundles.sweep(now);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function encodeRecord(record: RecordOnWire): Uint8Array {
  return new ByteWriter().u64(record.seq).fixed(record.signature, 64).raw(record.value).finish();
}

function decodeRecord(publicKey: Uint8Array, body: Uint8Array): RecordOnWire | null {
  const fields = decodeBytes(body, (r) => accept({ seq: r.u64(), signature: r.bytes(64), value: r.rest() }));
  return fields.ok ? { publicKey, ...fields.value } : null;
}
