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
  publishDays,
  RECORD_MAX_PLACES,
  type RecordKind,
  type Result,
  sealBundle,
  toHex,
} from "@earshot/core";
import type { Locator } from "../contacts/locator.ts";
import type { Mailboxes } from "../edge/mailboxes.ts";
import { NodeError } from "../errors.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import type { Prekeys } from "../identity/prekeys.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";
import type { Directory } from "./directory.ts";

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
  readonly mailboxes: Mailboxes;
  readonly directory: Directory;
  readonly locator: Locator;
}

/** Keeps this account's public record and this device's contact record, with their bundles, where others look. */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #stored: Stored<number>;
  #last: number | undefined;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#stored = new Stored(parts.ports.storage, "published", publishedCodec);
  }

  /** Publishes today's and tomorrow's records. Throws {@link NodeError} `node-refused`; `offline` and such as the links do. */
  async publish(): Promise<void> {
    const { identity, prekeys, ports } = this.#parts;
    await identity.renew();
    await prekeys.rotate();
    const others = await this.#otherDevices();
    this.#last = nextUpdate(this.#last ?? (await this.#stored.load()), ports.clock.now());
    await this.#stored.save(this.#last);
    await Promise.all([this.#publishContact(this.#last), this.#publishPublic(this.#last, others)]);
  }

  /** The rest of the account, as last published: its devices stay listed and reachable for strangers. */
  async #otherDevices(): Promise<readonly OtherDevice[]> {
    const { identity, directory } = this.#parts;
    const found = await directory.findPublic(identity.accountKey);
    await identity.adoptList(found.ok ? found.value.signed.entries : []);
    if (!found.ok) return [];
    const { record, bundle, signed } = found.value;
    const active = new Set(identity.devices.map(toHex));
    return bundle.devices.flatMap(({ deviceKey, index }) => {
      const [device, place] = [signed.devices[index], record.places[index]];
      const keep = device && place && !equalBytes(deviceKey, identity.deviceKey) && active.has(toHex(deviceKey));
      return keep ? [{ device, place }] : [];
    });
  }

  async #publishContact(updatedAt: number): Promise<void> {
    const { identity, prekeys, ports, locator } = this.#parts;
    const { seed, publicKey } = locator;
    const { deviceKey, entries } = identity;
    const certificate = encodeCertificate(identity.certificate);
    const bundle = { entries, devices: [{ certificate, prekeys: prekeys.signed("contact") }] };
    const places = [this.#place("contact")];
    await this.#put("contact", publicKey, bundle, (day, hash) =>
      makeContactRecord(ports.random, seed, day, updatedAt, { deviceKey, bundleHash: hash, places }),
    );
  }

  /** Places stand in the order of the bundle's devices: the request mailbox of each. */
  async #publishPublic(updatedAt: number, others: readonly OtherDevice[]): Promise<void> {
    const { identity, prekeys, ports } = this.#parts;
    const { accountKey, accountSeed, listHead, entries } = identity;
    const kept = others.slice(0, RECORD_MAX_PLACES - 1);
    const own = { certificate: encodeCertificate(identity.certificate), prekeys: prekeys.signed("public") };
    const bundle = { entries, devices: [own, ...kept.map(({ device }) => device)] };
    const places = [this.#place("request"), ...kept.map(({ place }) => place)];
    await this.#put("public", accountKey, bundle, (day, hash) =>
      makePublicRecord(ports.random, accountSeed, day, updatedAt, { listHead, bundleHash: hash, places }),
    );
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
  ): Promise<void> {
    const { directory, ports } = this.#parts;
    const puts = publishDays(ports.clock.now()).map(async (day) => {
      const sealed = sealBundle(kind, masterKey, day, bundle);
      // The bundle first: a record must not name what nobody can fetch yet.
      accepted(await directory.putBundle(sealed));
      accepted(await directory.putRecord(record(day, bundleHash(sealed))));
    });
    await Promise.all(puts);
  }
}

interface OtherDevice {
  readonly device: BundleDevice;
  readonly place: Place;
}

function accepted(answer: Result<unknown>): void {
  if (answer.ok) return;
  throw new NodeError("node-refused", `The node does not take this account's records (${answer.code}).`);
}
