import {
  accept,
  type Bundle,
  blindPublicKey,
  type Clock,
  type ContactRecord,
  type Dated,
  type ListHead,
  lookupDays,
  type MutableRecord,
  openBundle,
  openContactRecord,
  openPublicRecord,
  type PublicRecord,
  type RecordKind,
  type Refusal,
  type RefusalCode,
  type Result,
  refuse,
  type SignatureBackend,
  type VerifiedBundle,
  verifyBundle,
} from "@earshot/core";
import type { EdgeLink } from "../edge/edge-link.ts";

export interface DirectoryPorts {
  readonly clock: Clock;
  readonly signatures: SignatureBackend;
  /** The connection for look-ups: never the one that holds the mailboxes. */
  readonly link: Pick<EdgeLink, "request">;
  /** An answer did not verify: whoever gave it lies, or holds something damaged. */
  readonly onRefused: (code: RefusalCode) => void;
}

/** A record together with the bundle it names, both verified under the key they were looked up by. */
export interface Found<R> {
  readonly record: R & Dated;
  readonly bundle: VerifiedBundle;
  /** The bundle's parts as their signed bytes. */
  readonly signed: Bundle;
}

/** A record and the day it was found under, which its bundle is sealed for. */
interface FoundRecord<R> {
  readonly record: R & Dated;
  readonly day: number;
}

/** Detail of a `record-missing` where there is a record, but nobody has the bundle that it names. */
export const BUNDLE_MISSING = "bundle";

const UNANSWERED: readonly string[] = ["get-record", "get-bundle"];

/** Whether a look-up failed because its holder would not answer now, which says nothing of what it holds. */
export function isUnanswered({ detail = "" }: Refusal): boolean {
  return UNANSWERED.includes(detail);
}

/** Looks up and keeps records and bundles. What it finds verifies under the key it was asked for, whoever answered. */
export class Directory {
  readonly #ports: DirectoryPorts;

  constructor(ports: DirectoryPorts) {
    this.#ports = ports;
  }

  /** What a stranger may know of an account. Refused: `record-missing`, and what records and bundles are refused for. */
  findPublic(accountKey: Uint8Array, known?: ListHead): Promise<Result<Found<PublicRecord>>> {
    const { signatures } = this.#ports;
    return this.#find("public", accountKey, accountKey, known, (day, record) =>
      openPublicRecord(signatures, accountKey, day, record),
    );
  }

  /** One device of a contact, under the locator key that it gave us. */
  findContact(locatorKey: Uint8Array, accountKey: Uint8Array, known?: ListHead): Promise<Result<Found<ContactRecord>>> {
    const { signatures } = this.#ports;
    return this.#find("contact", locatorKey, accountKey, known, (day, record) =>
      openContactRecord(signatures, locatorKey, day, record),
    );
  }

  /** Gives a record to its holder. A refusal is a result. */
  async putRecord(record: MutableRecord): Promise<Result<unknown>> {
    return this.#ports.link.request({ type: "put-record", record });
  }

  async putBundle(bundle: Uint8Array): Promise<Result<unknown>> {
    return this.#ports.link.request({ type: "put-bundle", at: null, bundle });
  }

  async #find<R extends { readonly bundleHash: Uint8Array }>(
    kind: RecordKind,
    masterKey: Uint8Array,
    accountKey: Uint8Array,
    known: ListHead | undefined,
    open: (day: number, record: MutableRecord) => Promise<Result<R & Dated>>,
  ): Promise<Result<Found<R>>> {
    const newest = await this.#newestRecord(kind, masterKey, open);
    if (!newest.ok) return newest;
    const { day, record } = newest.value;
    const answer = await this.#ports.link.request({ type: "get-bundle", hash: record.bundleHash, at: null });
    if (!answer.ok) return refuse(answer.code, "get-bundle");
    if (!answer.value.bundle) return refuse("record-missing", BUNDLE_MISSING);
    const signed = openBundle(kind, masterKey, day, answer.value.bundle, record.bundleHash);
    if (!signed.ok) return this.#refused(signed);
    const { signatures, clock } = this.#ports;
    const bundle = await verifyBundle(signatures, accountKey, signed.value, clock.now(), known);
    if (!bundle.ok) return this.#refused(bundle);
    return accept({ record, bundle: bundle.value, signed: signed.value });
  }

  #refused(refusal: Refusal): Refusal {
    this.#ports.onRefused(refusal.code);
    return refusal;
  }

  /** Asks for today's record and its neighbours' at once; the one written last holds. */
  async #newestRecord<R>(
    kind: RecordKind,
    masterKey: Uint8Array,
    open: (day: number, record: MutableRecord) => Promise<Result<R & Dated>>,
  ): Promise<Result<FoundRecord<R>>> {
    const days = lookupDays(this.#ports.clock.now());
    const answers = await Promise.all(days.map((day) => this.#record(kind, masterKey, day, open)));
    let best: Result<FoundRecord<R>> = refuse("record-missing");
    for (const answer of answers) {
      if (answer.ok && (!best.ok || answer.value.record.updatedAt > best.value.record.updatedAt)) best = answer;
      else if (!answer.ok && !best.ok && best.code === "record-missing") best = answer;
    }
    return best;
  }

  async #record<R>(
    kind: RecordKind,
    masterKey: Uint8Array,
    day: number,
    open: (day: number, record: MutableRecord) => Promise<Result<R & Dated>>,
  ): Promise<Result<FoundRecord<R>>> {
    const publicKey = blindPublicKey(kind, masterKey, day);
    if (!publicKey.ok) return publicKey;
    const answer = await this.#ports.link.request({ type: "get-record", publicKey: publicKey.value });
    if (!answer.ok) return refuse(answer.code, "get-record");
    if (!answer.value.record) return refuse("record-missing");
    const opened = await open(day, answer.value.record);
    if (!opened.ok) this.#ports.onRefused(opened.code);
    return opened.ok ? accept({ record: opened.value, day }) : opened;
  }
}
