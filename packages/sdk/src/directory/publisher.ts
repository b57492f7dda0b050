import {
  accept,
  asUint,
  asVersioned,
  type Bundle,
  type BundleDevice,
  bundleHash,
  encodeCertificate,
  equalBytes,
  type MutableRecord,
  makeContactRecord,
  makePublicRecord,
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
} from "@earshot/core";
import type { AheadRecords, SignedAhead } from "../account/signed-ahead.ts";
import type { Locator } from "../contacts/locator.ts";
import type { Mailboxes } from "../edge/mailboxes.ts";
import { NodeError } from "../errors.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import type { Prekeys } from "../identity/prekeys.ts";
import { SerialQueue } from "../serial-queue.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";
import { BUNDLE_MISSING, type Directory, type Found, isUnanswered } from "./directory.ts";

/** Publications that wait for each other; more are a caller that does not wait. */
const MAX_WAITING = 500;

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
  readonly mailboxes: Pick<Mailboxes, "home" | "idOf">;
  readonly directory: Directory;
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
  #last: number | undefined;
  /** Another of the account's devices has published without this one, which it can answer only with the key. */
  #leftOut = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#stored = new Stored(parts.ports.storage, "published", publishedCodec);
  }

  /**
   * Publishes today's and tomorrow's records. False where the public one could not be: strangers find the one from before
   * for a time, so try again soon. Throws {@link NodeError} `node-refused`, ClientError `device-revoked`; `offline` and such as the links do.
   */
  publish(): Promise<boolean> {
    return this.#queue.run(() => this.#publish().finally(() => this.#parts.onPublished?.()));
  }

  /** Why what was signed ahead is no longer published, where it is not. */
  outdated(): "devices-changed" | "mailbox-moved" | undefined {
    const { identity, mailboxes, ahead } = this.#parts;
    if (identity.keyHere) return undefined;
    const changed = ahead.outdated(identity.listHead, mailboxes.home ? this.#place("request") : undefined);
    return changed ?? (this.#leftOut ? "devices-changed" : undefined);
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
      await this.#publish().catch(this.#parts.problem);
      this.#parts.onPublished?.();
    });
  }

  async #publish(): Promise<boolean> {
    const { identity, prekeys, directory } = this.#parts;
    await identity.renew();
    await prekeys.rotate();
    const found = await directory.findPublic(identity.accountKey);
    const others = await this.#join(found);
    const updatedAt = await this.#nextUpdate(found);
    await this.#publishContact(updatedAt);
    if (!identity.keyHere) return this.#publishAhead(found);
    return others ? this.#tryPublic(updatedAt, others) : false;
  }

  /**
   * Brings this device's list and the published one together. Gives the rest of the account as last published: it stays
   * listed and reachable for strangers. Undefined where that is not known now.
   */
  async #join(found: Result<FoundPublic>): Promise<readonly OtherDevice[] | undefined> {
    const { identity } = this.#parts;
    if (!found.ok) {
      const nothing = found.code === "record-missing" && found.detail !== BUNDLE_MISSING;
      // A list that starts anew beside the published one would have every contact refuse the account.
      if (!nothing && !identity.listed)
        throw new NodeError("node-refused", `The account's devices cannot be looked up now (${found.code}).`);
      await identity.adoptList([]);
      return isUnanswered(found) ? undefined : [];
    }
    const { record, bundle, signed } = found.value;
    await identity.adoptList(signed.entries);
    const active = new Set(identity.devices.map(toHex));
    return bundle.devices.flatMap(({ deviceKey, index }) => {
      const [device, place] = [signed.devices[index], record.places[index]];
      const keep = device && place && !equalBytes(deviceKey, identity.deviceKey) && active.has(toHex(deviceKey));
      return keep ? [{ device, place }] : [];
    });
  }

  /** Later than all before, those of the account's other devices included, whose clocks may be ahead. */
  async #nextUpdate(found: Result<FoundPublic>): Promise<number> {
    const own = this.#last ?? (await this.#stored.load()) ?? 0;
    const last = found.ok ? Math.max(own, found.value.record.updatedAt) : own;
    this.#last = nextUpdate(last, this.#parts.ports.clock.now());
    await this.#stored.save(this.#last);
    return this.#last;
  }

  /** Once more where another of the account's devices came between. */
  async #tryPublic(updatedAt: number, others: readonly OtherDevice[]): Promise<boolean> {
    const { directory, identity, problem } = this.#parts;
    let put = await this.#publishPublic(updatedAt, others);
    if (!put.ok && put.code === "rolled-back") {
      const found = await directory.findPublic(identity.accountKey);
      const again = await this.#join(found);
      if (again) put = await this.#publishPublic(await this.#nextUpdate(found), again);
    }
    if (!put.ok) problem(notTaken(put));
    return put.ok;
  }

  async #publishContact(updatedAt: number): Promise<void> {
    const { identity, prekeys, ports, locator } = this.#parts;
    const { seed, publicKey } = locator;
    const { deviceKey, entries } = identity;
    const certificate = encodeCertificate(identity.certificate);
    const bundle = { entries, devices: [{ certificate, prekeys: prekeys.signed("contact") }] };
    const places = [this.#place("contact")];
    const put = await this.#put("contact", publicKey, bundle, (day, hash) =>
      makeContactRecord(ports.random, seed, day, updatedAt, { deviceKey, bundleHash: hash, places }),
    );
    if (!put.ok) throw notTaken(put);
  }

  /** Places stand in the order of the bundle's devices: the request mailbox of each. */
  async #publishPublic(updatedAt: number, others: readonly OtherDevice[]): Promise<Result<unknown>> {
    const { identity, prekeys, ports } = this.#parts;
    const { accountKey, accountSeed, listHead } = identity;
    const own = { certificate: encodeCertificate(identity.certificate), prekeys: prekeys.signed("public") };
    const { bundle, places } = this.#account(own, others);
    return this.#put("public", accountKey, bundle, (day, hash) =>
      makePublicRecord(ports.random, accountSeed, day, updatedAt, { listHead, bundleHash: hash, places }),
    );
  }

  /** This device and as many of the others as a record has places for. */
  #account(own: BundleDevice, others: readonly OtherDevice[]): { bundle: Bundle; places: Place[] } {
    const kept = others.slice(0, RECORD_MAX_PLACES - 1);
    return {
      bundle: { entries: this.#parts.identity.entries, devices: [own, ...kept.map(({ device }) => device)] },
      places: [this.#place("request"), ...kept.map(({ place }) => place)],
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
    return { bundle, records };
  }

  /** Today's and tomorrow's of those signed ahead, as far as they reach and are still true. */
  async #publishAhead(found: Result<FoundPublic>): Promise<boolean> {
    const { ahead, ports, identity, directory, problem } = this.#parts;
    const isOwn = ({ deviceKey }: { deviceKey: Uint8Array }) => equalBytes(deviceKey, identity.deviceKey);
    if (found.ok) this.#leftOut = !found.value.bundle.devices.some(isOwn);
    if (this.outdated()) return true;
    let complete = true;
    for (const day of publishDays(ports.clock.now())) {
      const signed = ahead.of(day);
      if (!signed) continue;
      const held = await directory.putBundle(signed.bundle);
      const put = held.ok ? await directory.putRecord(signed.record) : held;
      // A later one is another of the account's devices', which has the key and lists this one too.
      if (put.ok || put.code === "rolled-back") continue;
      problem(notTaken(put));
      complete = false;
    }
    return complete;
  }

  #place(lane: "contact" | "request"): Place {
    const { mailboxes } = this.#parts;
    if (!mailboxes.home) throw new NodeError("offline", "No home yet: connect first.");
    return { home: mailboxes.home, mailboxId: mailboxes.idOf(lane) };
  }

  /** Today's and tomorrow's, each with its bundle sealed for that day. */
  async #put(
    kind: RecordKind,
    masterKey: Uint8Array,
    bundle: Bundle,
    record: (day: number, bundleHash: Uint8Array) => MutableRecord,
  ): Promise<Result<unknown>> {
    const { directory, ports } = this.#parts;
    const puts = publishDays(ports.clock.now()).map(async (day) => {
      const sealed = sealBundle(kind, masterKey, day, bundle);
      // The bundle first: a record must not name what nobody can fetch yet.
      const held = await directory.putBundle(sealed);
      return held.ok ? directory.putRecord(record(day, bundleHash(sealed))) : held;
    });
    const answers = await Promise.all(puts);
    return answers.find((answer) => !answer.ok) ?? accept(undefined);
  }
}

type FoundPublic = Found<PublicRecord>;

interface OtherDevice {
  readonly device: BundleDevice;
  readonly place: Place;
}

function notTaken({ code }: Refusal): NodeError {
  return new NodeError("node-refused", `The node does not take this account's records (${code}).`);
}
