/** The public records that the account key has signed before it was taken offline. docs/protocol/records.md sections 1 and 5. */
import {
  accept,
  asArray,
  asBytes,
  asUint,
  asVersioned,
  type Bundle,
  type CborValue,
  BUNDLE_CONTENT_MAX_BYTES,
  type DayRecords,
  decodeBundle,
  encodeBundle,
  equalBytes,
  type ListHead,
  type MutableRecord,
  type Place,
  PUBLIC_RECORD_AHEAD_DAYS,
  type PublicRecord,
  RECORD_BYTES,
  RECORD_COPIES,
} from "@earshot/core";
import type * as SignedRecords from "./signed-records.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";

const DAY_MS = 86_400_000;

/** Finished records for days in a row, and the bundle that each names, sealed for its day. */
export interface AheadRecords {
  readonly bundle: Bundle;
  readonly records: readonly DayRecords[];
}

/** `[1, bundle, [[day, [[public key, seq, signature, value]…]]…]]`, about 160 KB. Nothing of it is secret. */
export const aheadCodec: StoredCodec<AheadRecords> = {
  encode: ({ bundle, records }) => [
    1,
    encodeBundle(bundle),
    records.map(({ day, copies }) => [
      day,
      copies.map((record) => [record.publicKey, record.seq, record.signature, record.value]),
    ]),
  ],
  decode(value) {
    const [, bytes, list] = asVersioned(value, 3);
    const bundle = decodeBundle(asBytes(bytes, [1, BUNDLE_CONTENT_MAX_BYTES]));
    if (!bundle.ok) return bundle;
    const records = asArray(list, [1, PUBLIC_RECORD_AHEAD_DAYS]).map((item) => {
      const [day, copies] = asArray(item, 2);
      return { day: asUint(day, 0xffff_ffff), copies: asArray(copies, RECORD_COPIES).map(recordOf) };
    });
    return accept({ bundle: bundle.value, records });
  },
};

function recordOf(value: CborValue): MutableRecord {
  const [publicKey, seq, signature, sealed] = asArray(value, 4);
  return {
    publicKey: asBytes(publicKey, 32),
    seq: asUint(seq, Number.MAX_SAFE_INTEGER),
    signature: asBytes(signature, 64),
    value: asBytes(sealed, RECORD_BYTES),
  };
}

interface Held {
  readonly ahead: AheadRecords;
  readonly content: PublicRecord;
  readonly sealBundle: typeof SignedRecords.sealBundle;
}

/** What this device publishes for its account while the account key is away. */
export class SignedAhead {
  readonly #ports: IdentityPorts;
  readonly #accountKey: Uint8Array;
  readonly #stored: Stored<AheadRecords>;
  #held: Held | undefined;

  private constructor(ports: IdentityPorts, accountKey: Uint8Array) {
    this.#ports = ports;
    this.#accountKey = accountKey;
    this.#stored = new Stored(ports.storage, "signed-ahead", aheadCodec);
  }

  /** Also tidies up after a stop between two steps: with the key here, what was signed ahead is of no use. */
  static async load(ports: IdentityPorts, identity: Pick<Identity, "accountKey" | "keyHere">): Promise<SignedAhead> {
    const signed = new SignedAhead(ports, identity.accountKey);
    if (identity.keyHere) await signed.clear();
    else await signed.#hold(await signed.#stored.load());
    return signed;
  }

  /** When the last one's day ends, Unix milliseconds. Undefined where there are none. */
  get until(): number | undefined {
    const last = this.#held?.ahead.records.at(-1);
    return last && (last.day + 1) * DAY_MS;
  }

  /** What they say no longer holds: of the account's devices, or of where strangers' requests go. Undefined places: not known yet. */
  outdated(listHead: ListHead, places: readonly Place[] | undefined): "devices-changed" | "mailbox-moved" | undefined {
    if (!this.#held) return undefined;
    const { listHead: signed, places: named } = this.#held.content;
    if (signed.n !== listHead.n || !equalBytes(signed.hash, listHead.hash)) return "devices-changed";
    if (!places) return undefined;
    // One that still holds is enough: senders try them all.
    const own = named.filter(({ device }) => device === 0);
    return own.some((each) => places.some((place) => isSame(place, each))) ? undefined : "mailbox-moved";
  }

  /** A day's records, and the sealed bundle that they name. */
  of(day: number): { readonly copies: readonly MutableRecord[]; readonly bundle: Uint8Array } | undefined {
    if (!this.#held) return undefined;
    const { ahead, sealBundle } = this.#held;
    const copies = ahead.records.find((each) => each.day === day)?.copies;
    return copies && { copies, bundle: sealBundle("public", this.#accountKey, day, ahead.bundle) };
  }

  /** Durable when it resolves. */
  async keep(ahead: AheadRecords): Promise<void> {
    await this.#stored.save(ahead);
    await this.#hold(ahead);
  }

  async clear(): Promise<void> {
    await this.#stored.delete();
    this.#held = undefined;
  }

  async #hold(ahead: AheadRecords | undefined): Promise<void> {
    const first = ahead?.records[0];
    const record = first?.copies[0];
    if (!first || !record) return;
    const { openPublicRecord, sealBundle } = await import("./signed-records.ts");
    const content = await openPublicRecord(this.#ports.signatures, this.#accountKey, first.day, 0, record);
    // Another account's, or damaged: as good as none, and the person is asked for the key.
    this.#held = content.ok ? { ahead, content: content.value, sealBundle } : undefined;
  }
}

/** The addresses are hints: the keys say where it is. */
function isSame(one: Place, other: Place): boolean {
  return (
    equalBytes(one.mailboxId, other.mailboxId) &&
    equalBytes(one.home.supernodeKey, other.home.supernodeKey) &&
    equalBytes(one.home.hopKey, other.home.hopKey)
  );
}

/** Why what was signed ahead no longer tells of this device as it is, where it does not. */
export function aheadOutdated({ identity, ahead, places }: AheadParts): ReturnType<SignedAhead["outdated"]> {
  if (identity.keyHere) return undefined;
  const requests = places("request");
  return ahead.outdated(identity.listHead, requests.length > 0 ? requests : undefined);
}

interface AheadParts {
  readonly identity: Pick<Identity, "keyHere" | "listHead">;
  readonly ahead: Pick<SignedAhead, "outdated">;
  /** Where this device has its mailboxes of that kind. */
  readonly places: (lane: "request") => readonly Place[];
}
