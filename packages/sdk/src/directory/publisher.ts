import {
  accept,
  asUint,
  asVersioned,
  type Bundle,
  type BundleDevice,
  bundleHash,
  encodeCertificate,
  type DevicePlace,
  equalBytes,
  type MutableRecord,
  makeContactRecords,
  makePublicRecords,
  nextUpdate,
  type Place,
  type PublicRecord,
  publishDays,
  RECORD_MAX_PLACES,
  type RecordKind,
  type Refusal,
  type Result,
  sealBundle,
  signPublicRecordsAhead,
  toHex,
  unitFromBytes,
} from "@earshot/core";
import { aheadOutdated, type AheadRecords, type SignedAhead } from "../account/signed-ahead.ts";
import type { Locator } from "../contacts/locator.ts";
import { NodeError } from "../errors.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import type { Prekeys } from "../identity/prekeys.ts";
import { Repeated, SerialQueue } from "../serial-queue.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";
import type { Directory, Found } from "./directory.ts";
import { shareOut } from "./places-of-account.ts";
import type { DayOfRecord, RecordWriter, Stored as StoredRecord } from "./record-writer.ts";
import { contactToPublish, type OtherDevice, toPublish } from "./to-publish.ts";

/** Beside the publication that waits for all who ask, what is told to leave the account key. */
const MAX_WAITING = 8;

/**
 * What has not changed is stored anew after this time, give or take a quarter. Its holders keep it 48 hours, but they come and go,
 * and a full one drops what is oldest: after 4 hours the nodes next to its key are partly others.
 */
export const REPUBLISH_MS = 4 * 3_600_000;

/** `[1, time of the last publication]`: later ones must not go back, though the clock may. */
export const publishedCodec: StoredCodec<number> = {
  encode: (at) => [1, at],
  decode(value) {
    const [, at] = asVersioned(value, 2);
    return accept(asUint(at, Number.MAX_SAFE_INTEGER));
  },
};

export interface PublisherParts {
  readonly ports: IdentityPorts;
  readonly identity: Identity;
  readonly prekeys: Prekeys;
  /** Where this device has its mailbox of that kind, first choice first. Empty until it has one. */
  readonly places: (lane: "contact" | "request") => readonly Place[];
  readonly directory: Pick<Directory, "findPublic">;
  readonly writer: RecordWriter;
  readonly locator: Pick<Locator, "seed" | "publicKey">;
  /** What is published while the account key is away. */
  readonly ahead: SignedAhead;
  /** After each publication, done or not. */
  onPublished?(): void;
  /** Told of what keeps the public record back: contacts find this device without it. */
  problem(error: unknown): void;
}

/** Keeps this account's public record and this device's contact record, with their bundles, where others look. */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #stored: Stored<number>;
  readonly #queue = new SerialQueue(MAX_WAITING);
  /** Contact records, which wait for each other and for nothing else. */
  readonly #contacts = new SerialQueue(MAX_WAITING);
  readonly #publications = new Repeated(this.#queue, () => this.#turn().finally(() => this.#parts.onPublished?.()));
  readonly #earlyContacts = new Repeated(this.#contacts, () => this.#publishEarly());
  /** What a publication need not store again. */
  #early: EarlyContact | undefined;
  #last: number | undefined;
  #done: Publication | undefined;
  /** The account's other devices as last seen: an answer that hides them does not take them out. */
  #others: readonly OtherDevice[] | undefined;
  #checking: Promise<unknown> | undefined;
  /** Another of the account's devices has published without this one, which it can answer only with the key. */
  #leftOut = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#stored = new Stored(parts.ports.storage, "published", publishedCodec);
  }

  /**
   * Publishes today's and tomorrow's records; where nothing has changed since, only looks whether they are there, until
   * {@link REPUBLISH_MS} are over. False where something could not be stored: others find the one from before
   * for a time, so try again soon. Throws {@link NodeError} `node-refused`, ClientError `device-revoked`; `offline` and such as the links do.
   */
  publish(): Promise<boolean> {
    // One that is under way may wait for supernodes that have just died: contacts need not.
    if (this.#queue.waiting > 0) void this.#earlyContacts.run();
    return this.#publications.run();
  }

  /** Why what was signed ahead is no longer published, where it is not. */
  outdated(): "devices-changed" | "mailbox-moved" | undefined {
    if (this.#parts.identity.keyHere) return undefined;
    return aheadOutdated(this.#parts) ?? (this.#leftOut ? "devices-changed" : undefined);
  }

  /**
   * Signs the public records of the coming 35 days with the key of this account, and only once they are durable deletes the
   * key here. Throws as {@link publish}, and where the account's other devices cannot be looked up: then nothing has changed.
   */
  leaveKey(accountSeed: Uint8Array): Promise<void> {
    return this.#queue.run(async () => {
      const { identity, directory, ahead } = this.#parts;
      const found = await directory.findPublic(identity.accountKey);
      const others = await this.#join(found);
      if (!others) throw new NodeError("node-refused", "The account's devices cannot be looked up now. Try again.");
      const certificate = await identity.issueCertificate(accountSeed);
      const own = { certificate: encodeCertificate(certificate), prekeys: await this.#parts.prekeys.signedAhead() };
      await ahead.keep(this.#signAhead(accountSeed, own, others, await this.#nextUpdate(found)));
      await identity.leaveKey(certificate);
      this.#leftOut = false;
      // The key is away already: what fails here is repeated as every publication is.
      await this.#turn().catch(this.#parts.problem);
      this.#parts.onPublished?.();
    });
  }

  /** Resolves once what was stored last has been read back. */
  async idle(): Promise<void> {
    await this.#queue.idle();
    await this.#contacts.idle();
    await this.#checking;
  }

  async #turn(): Promise<boolean> {
    await this.#parts.identity.renew();
    await this.#parts.prekeys.rotate();
    await this.#earlyContacts.run();
    const early = this.#early;
    try {
      return await this.#publish(early);
    } finally {
      // Meanwhile there may be another, for the next one.
      if (this.#early === early) this.#early = undefined;
    }
  }

  async #publish(early: EarlyContact | undefined): Promise<boolean> {
    const { identity, directory } = this.#parts;
    const found = await directory.findPublic(identity.accountKey);
    const others = await this.#join(found);
    const wanted = toPublish(this.#parts, others);
    if (!early && this.#isDone(wanted, found)) return true;
    this.#done = undefined;
    const isCurrent = early?.content === contactToPublish(this.#parts);
    const stored = [isCurrent ? early.stored : await this.#contacts.run(() => this.#publishContact())];
    let published = false;
    if (!identity.keyHere) published = await this.#publishAhead(found, stored);
    else if (others) published = await this.#tryPublic(found, others, stored);
    const complete = published && stored.every((each) => each.complete);
    if (complete) this.#done = { content: wanted, until: this.#parts.ports.clock.now() + this.#republishMs() };
    this.#readBack(stored);
    return complete;
  }

  /**
   * Contacts first: where this device has moved, its contact record needs nothing from the public one, which may have to be looked up at
   * homes that are dead. Does nothing where nothing is known to have changed; what cannot be stored has its turn again.
   */
  async #publishEarly(): Promise<void> {
    if (this.#last === undefined || this.#done?.content === toPublish(this.#parts, this.#others)) return;
    const content = contactToPublish(this.#parts);
    if (this.#early?.content === content) return;
    try {
      this.#early = { content, stored: await this.#publishContact() };
    } catch (error) {
      this.#parts.problem(error);
    }
  }

  /** Whether what is to be published is, as far as can be seen. */
  #isDone(wanted: string, found: Result<FoundPublic>): boolean {
    const { identity, ports } = this.#parts;
    if (this.#done?.content !== wanted || this.#done.until <= ports.clock.now()) return false;
    if (!identity.keyHere && this.outdated()) return true; // nothing more to do without the key
    return (
      found.ok && found.value.record.updatedAt >= (this.#last ?? 0) && found.value.bundle.devices.some(this.#isOwn)
    );
  }

  #republishMs(): number {
    const unit = unitFromBytes(this.#parts.ports.random.bytes(4));
    return REPUBLISH_MS * (0.75 + unit / 2);
  }

  /** One at a time, and nobody waits for it. */
  #readBack(stored: readonly StoredDays[]): void {
    if (this.#checking) return;
    const today = stored.flatMap(({ days }) => days.slice(0, 1));
    this.#checking = this.#parts.writer
      .readBack(today)
      .catch(this.#parts.problem)
      .finally(() => {
        this.#checking = undefined;
      });
  }

  /**
   * Brings this device's list and the published one together. Gives the rest of the account as last published: it stays
   * listed and reachable for strangers. Undefined where that is not known now.
   */
  async #join(found: Result<FoundPublic>): Promise<readonly OtherDevice[] | undefined> {
    const { identity } = this.#parts;
    if (!found.ok) {
      // A list that starts anew beside the published one would have every contact refuse the account.
      if (!identity.listed && (found.code !== "record-missing" || found.detail !== undefined))
        throw new NodeError("node-refused", `The account's devices cannot be looked up now (${found.code}).`);
      await identity.adoptList([]);
      return found.code === "record-missing" ? (this.#others ?? []) : undefined;
    }
    const { record, bundle, signed } = found.value;
    await identity.adoptList(signed.entries);
    const active = new Set(identity.devices.map(toHex));
    this.#others = bundle.devices.flatMap(({ deviceKey, index }) => {
      const device = signed.devices[index];
      const places = record.places.filter((place) => place.device === index);
      const keep = device && places.length > 0 && !this.#isOwn({ deviceKey }) && active.has(toHex(deviceKey));
      return keep ? [{ device, places }] : [];
    });
    return this.#others;
  }

  /** Later than all before, those of the account's other devices included, whose clocks may be ahead. */
  async #nextUpdate(found: Result<FoundPublic> | undefined): Promise<number> {
    const own = this.#last ?? (await this.#stored.load()) ?? 0;
    const last = found?.ok ? Math.max(own, found.value.record.updatedAt) : own;
    this.#last = nextUpdate(last, this.#parts.ports.clock.now());
    await this.#stored.save(this.#last);
    return this.#last;
  }

  /** Once more where another of the account's devices came between. */
  async #tryPublic(seen: Result<FoundPublic>, others: readonly OtherDevice[], stored: StoredDays[]): Promise<boolean> {
    const { directory, identity, problem } = this.#parts;
    let put = await this.#publishPublic(await this.#nextUpdate(seen), others);
    if (!put.ok && put.code === "rolled-back") {
      const found = await directory.findPublic(identity.accountKey);
      const again = await this.#join(found);
      if (again) put = await this.#publishPublic(await this.#nextUpdate(found), again);
    }
    if (put.ok) stored.push(put.value);
    else problem(notTaken(put));
    return put.ok;
  }

  /** Its time is taken in its turn: of two, the one that is stored later must not be the earlier. */
  async #publishContact(): Promise<StoredDays> {
    const updatedAt = await this.#nextUpdate(undefined);
    const { identity, prekeys, ports, locator } = this.#parts;
    const { seed, publicKey } = locator;
    const { deviceKey, entries } = identity;
    const certificate = encodeCertificate(identity.certificate);
    const bundle = { entries, devices: [{ certificate, prekeys: prekeys.signed("contact") }] };
    const places = this.#places("contact");
    const put = await this.#put("contact", publicKey, bundle, places, (day, hash) =>
      makeContactRecords(ports.random, seed, day, updatedAt, { deviceKey, bundleHash: hash, places }),
    );
    if (!put.ok) throw notTaken(put);
    return put.value;
  }

  async #publishPublic(updatedAt: number, others: readonly OtherDevice[]): Promise<Result<StoredDays>> {
    const { identity, prekeys, ports } = this.#parts;
    const { accountKey, accountSeed, listHead } = identity;
    const own = { certificate: encodeCertificate(identity.certificate), prekeys: prekeys.signed("public") };
    const { bundle, places } = this.#account(own, others);
    return this.#put("public", accountKey, bundle, this.#places("request"), (day, hash) =>
      makePublicRecords(ports.random, accountSeed, day, updatedAt, { listHead, bundleHash: hash, places }),
    );
  }

  /** This device and as many of the others as a record has places for. */
  #account(own: BundleDevice, others: readonly OtherDevice[]): { bundle: Bundle; places: DevicePlace[] } {
    const kept = others.slice(0, RECORD_MAX_PLACES - 1);
    return {
      bundle: { entries: this.#parts.identity.entries, devices: [own, ...kept.map(({ device }) => device)] },
      places: shareOut([this.#places("request"), ...kept.map(({ places }) => places)]),
    };
  }

  #signAhead(
    accountSeed: Uint8Array,
    own: BundleDevice,
    others: readonly OtherDevice[],
    updatedAt: number,
  ): AheadRecords {
    const { identity, ports } = this.#parts;
    const { accountKey, listHead } = identity;
    const { bundle, places } = this.#account(own, others);
    const today = publishDays(ports.clock.now())[0];
    const records = signPublicRecordsAhead(ports.random, accountSeed, today, updatedAt, (day) => {
      const sealed = sealBundle("public", accountKey, day, bundle);
      return { listHead, bundleHash: bundleHash(sealed), places };
    });
    return { bundle, records: [...records] };
  }

  /** Today's and tomorrow's of those signed ahead, as far as they reach and are still true. */
  async #publishAhead(found: Result<FoundPublic>, stored: StoredDays[]): Promise<boolean> {
    const { ahead, ports, writer, problem } = this.#parts;
    if (found.ok) this.#leftOut = !found.value.bundle.devices.some(this.#isOwn);
    if (this.outdated()) return true;
    let complete = true;
    for (const day of publishDays(ports.clock.now())) {
      const held = ahead.of(day);
      if (!held) continue;
      const signed = { ...held, places: this.#places("request") };
      const put = await writer.put(signed);
      if (put.ok) stored.push({ ...put.value, days: [signed] });
      // A later one is another of the account's devices', which has the key and lists this one too.
      if (put.ok || put.code === "rolled-back") continue;
      problem(notTaken(put));
      complete = false;
    }
    return complete;
  }

  readonly #isOwn = ({ deviceKey }: { readonly deviceKey: Uint8Array }): boolean =>
    equalBytes(deviceKey, this.#parts.identity.deviceKey);

  #places(lane: "contact" | "request"): readonly Place[] {
    const places = this.#parts.places(lane);
    if (places.length === 0) throw new NodeError("offline", "No home yet: connect first.");
    return places.slice(0, RECORD_MAX_PLACES);
  }

  /** Today's and tomorrow's, each with its bundle sealed for that day. */
  async #put(
    kind: RecordKind,
    masterKey: Uint8Array,
    bundle: Bundle,
    homes: readonly Place[],
    records: (day: number, bundleHash: Uint8Array) => MutableRecord[],
  ): Promise<Result<StoredDays>> {
    const { writer, ports } = this.#parts;
    const days: DayOfRecord[] = publishDays(ports.clock.now()).map((day) => {
      const sealed = sealBundle(kind, masterKey, day, bundle);
      return { bundle: sealed, copies: records(day, bundleHash(sealed)), places: homes };
    });
    const answers = await Promise.all(days.map((day) => writer.put(day)));
    const refused = answers.find((answer) => !answer.ok);
    return refused ?? accept({ days, complete: answers.every((answer) => answer.ok && answer.value.complete) });
  }
}

type FoundPublic = Found<PublicRecord>;

/** What was published last, and until when that is enough. */
interface Publication {
  readonly content: string;
  readonly until: number;
}

interface StoredDays extends StoredRecord {
  readonly days: readonly DayOfRecord[];
}

/** A contact record that was stored ahead of its publication. */
interface EarlyContact {
  readonly content: string;
  readonly stored: StoredDays;
}

function notTaken({ code }: Refusal): NodeError {
  return new NodeError("node-refused", `The node does not take this account's records (${code}).`);
}
