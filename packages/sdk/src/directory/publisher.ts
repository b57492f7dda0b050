import {
  accept,
  asUint,
  asVersioned,
  type BundleDevice,
  bundleHash,
  decodeBundle,
  encodeBundle,
  encodeCertificate,
  equalBytes,
  type MutableRecord,
  makeContactRecord,
  makePublicRecord,
  nextUpdate,
  type Place,
  publishDays,
  RECORD_MAX_PLACES,
  type Result,
  toHex,
} from "@earshot/core";
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
  /** Seed of the locator key that contacts hold now. */
  readonly locatorSeed: () => Uint8Array;
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
    const bundle = found.ok ? decodeBundle(found.value.bundleBytes) : undefined;
    if (!found.ok || !bundle?.ok) {
      await identity.adoptList([]);
      return [];
    }
    await identity.adoptList(bundle.value.entries);
    const active = new Set(identity.devices.map(toHex));
    return found.value.bundle.devices.flatMap(({ deviceKey, certificate }, index) => {
      const place = found.value.record.places[index];
      const sent = bundle.value.devices.find((device) =>
        equalBytes(device.certificate, encodeCertificate(certificate)),
      );
      const keep = place && sent && !equalBytes(deviceKey, identity.deviceKey) && active.has(toHex(deviceKey));
      return keep ? [{ device: sent, place }] : [];
    });
  }

  async #publishContact(updatedAt: number): Promise<void> {
    const { identity, prekeys, ports, locatorSeed } = this.#parts;
    const certificate = encodeCertificate(identity.certificate);
    const bundle = encodeBundle({
      entries: identity.entries,
      devices: [{ certificate, prekeys: prekeys.signed("contact") }],
    });
    const content = {
      deviceKey: identity.deviceKey,
      bundleHash: bundleHash(bundle),
      places: [this.#place("contact")],
    };
    const seed = locatorSeed();
    await this.#put(bundle, (day) => makeContactRecord(ports.random, seed, day, updatedAt, content));
  }

  /** Places stand in the order of the bundle's devices: the request mailbox of each. */
  async #publishPublic(updatedAt: number, others: readonly OtherDevice[]): Promise<void> {
    const { identity, prekeys, ports } = this.#parts;
    const kept = others.slice(0, RECORD_MAX_PLACES - 1);
    const own = { certificate: encodeCertificate(identity.certificate), prekeys: prekeys.signed("public") };
    const bundle = encodeBundle({ entries: identity.entries, devices: [own, ...kept.map(({ device }) => device)] });
    const content = {
      listHead: identity.listHead,
      bundleHash: bundleHash(bundle),
      places: [this.#place("request"), ...kept.map(({ place }) => place)],
    };
    const seed = identity.accountSeed;
    await this.#put(bundle, (day) => makePublicRecord(ports.random, seed, day, updatedAt, content));
  }

  #place(lane: "contact" | "request"): Place {
    const { mailboxes } = this.#parts;
    if (!mailboxes.home) throw new NodeError("offline", "No home yet: connect first.");
    return { home: mailboxes.home, mailboxId: mailboxes.idOf(lane) };
  }

  async #put(bundle: Uint8Array, record: (day: number) => MutableRecord): Promise<void> {
    const { directory, ports } = this.#parts;
    // The bundle first: a record must not name what nobody can fetch yet.
    accepted(await directory.putBundle(bundle));
    const puts = publishDays(ports.clock.now()).map((day) => directory.putRecord(record(day)));
    for (const answer of await Promise.all(puts)) accepted(answer);
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
