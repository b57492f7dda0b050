import {
  accept,
  type ContactRecord,
  dayOf,
  type DeviceListState,
  deliveryToken,
  type EnvelopeKind,
  type HopLane,
  hourOf,
  type Place,
  type PublicRecord,
  type Refusal,
  refuse,
  type Result,
  sealEnvelope,
  toHex,
  usablePrekey,
  type VerifiedDevice,
  WORK_PURPOSE_REQUEST,
  MESSAGE_ID_BYTES,
} from "@earshot/core";
import type { Directory, Found } from "../directory/directory.ts";
import type { Courier, Delivery } from "../edge/courier.ts";
import { solveWork } from "../edge/solve-work.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";

/** How long a found device is used without looking again. Its record changes when it moves, and that is told by a refusal. */
const FRESH_MS = 10 * 60_000;
/** Devices remembered; each is about 3 KB. */
const MAX_REMEMBERED = 1_000;
/** Refusals after which what is remembered of a device is out of date. */
const OUTDATED: readonly string[] = [
  "unknown-mailbox",
  "token-unknown",
  "unknown-hop-key",
  "unknown-supernode",
  "open-failed",
];

export interface SenderParts {
  readonly ports: IdentityPorts;
  readonly identity: Identity;
  readonly directory: Directory;
  readonly courier: Courier;
  /** Bits that the supernode asks for on the request lane. */
  readonly requestWorkBits: () => number;
  /** A verified device list came along with a bundle. */
  readonly onList: (accountKey: Uint8Array, list: DeviceListState) => Promise<void>;
  /** The list head known for an account, which no answer may go behind. */
  readonly knownHead: (accountKey: Uint8Array) => PublicRecord["listHead"] | undefined;
}

/** One device of a contact, and how to find it. */
export interface DeviceAddress {
  readonly accountKey: Uint8Array;
  readonly deviceKey: Uint8Array;
  readonly locatorKey: Uint8Array;
}

/** What is sent. */
export interface Outgoing {
  readonly kind: EnvelopeKind;
  readonly body: Uint8Array;
}

interface Remembered {
  readonly found: Found<ContactRecord>;
  readonly at: number;
}

/** Finds devices, seals to them and delivers. */
export class Sender {
  readonly #parts: SenderParts;
  readonly #remembered = new Map<string, Remembered>();

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /**
   * To a contact's device, paid with tokens of `tokenSecret`. Tries its places in turn, and looks it up anew when what is
   * known of it is refused. Refusals are results; rejects where there is no connection.
   */
  async toContact(address: DeviceAddress, tokenSecret: Uint8Array, message: Outgoing): Promise<Sent> {
    const known = this.#recall(address);
    if (known) {
      const sent = await this.#deliverTo(address, known, tokenSecret, message);
      if (sent.ok || !OUTDATED.includes(sent.code)) return done(sent);
    }
    const found = await this.look(address);
    return found.ok ? done(await this.#deliverTo(address, found.value, tokenSecret, message)) : found;
  }

  /** Looks a device up and prepares the delivery, so that a call to it starts fast. Refused where it cannot be found. */
  async prepare(address: DeviceAddress): Promise<Result<void>> {
    const known = this.#recall(address);
    const found = known ? { ok: true as const, value: known } : await this.look(address);
    if (!found.ok) return found;
    for (const place of found.value.record.places) await this.#parts.courier.prepare(place);
    return accept(undefined);
  }

  /** To every device in a stranger's public bundle, paid with work. Ok where at least one took it. */
  async toStranger(accountKey: Uint8Array, message: Outgoing): Promise<Sent> {
    const found = await this.#parts.directory.findPublic(accountKey, this.#parts.knownHead(accountKey));
    if (!found.ok) return found;
    const { record, bundle } = found.value;
    await this.#parts.onList(accountKey, bundle.list);
    let last: Sent = refuse("record-missing", "no device");
    let delivered = false;
    for (const device of bundle.devices) {
      const places = record.places.filter((place) => place.device === device.index);
      last = done(await this.#seal(accountKey, device, message, places, (each) => this.#work(each)));
      delivered ||= last.ok;
    }
    return delivered ? { ok: true, value: undefined } : last;
  }

  /** Looks a device up anew. */
  async look({ accountKey, deviceKey, locatorKey }: DeviceAddress): Promise<Result<Found<ContactRecord>>> {
    const found = await this.#parts.directory.findContact(locatorKey, accountKey, this.#parts.knownHead(accountKey));
    if (!found.ok) return found;
    await this.#parts.onList(accountKey, found.value.bundle.list);
    if (!found.value.bundle.devices.some((device) => toHex(device.deviceKey) === toHex(deviceKey)))
      return refuse("bad-bundle", "another device");
    this.#remembered.set(toHex(locatorKey), { found: found.value, at: this.#parts.ports.clock.now() });
    if (this.#remembered.size > MAX_REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value as string);
    return found;
  }

  #recall({ locatorKey }: DeviceAddress): Found<ContactRecord> | undefined {
    const remembered = this.#remembered.get(toHex(locatorKey));
    const age = remembered ? this.#parts.ports.clock.now() - remembered.at : 0;
    return remembered && age >= 0 && age < FRESH_MS ? remembered.found : undefined;
  }

  #deliverTo(
    { accountKey, deviceKey }: DeviceAddress,
    { record, bundle }: Found<ContactRecord>,
    tokenSecret: Uint8Array,
    message: Outgoing,
  ): Promise<Delivery> {
    const device = bundle.devices.find((each) => toHex(each.deviceKey) === toHex(deviceKey));
    if (!device) return Promise.resolve(failed(refuse("bad-bundle", "another device")));
    const day = dayOf(this.#parts.ports.clock.now());
    return this.#seal(accountKey, device, message, record.places, async ({ mailboxId }) => ({
      kind: "contact",
      token: deliveryToken(tokenSecret, mailboxId, day),
    }));
  }

  async #seal(
    accountKey: Uint8Array,
    device: VerifiedDevice,
    { kind, body }: Outgoing,
    places: readonly Place[],
    laneFor: (place: Place) => Promise<HopLane>,
  ): Promise<Delivery> {
    const { ports, identity, courier } = this.#parts;
    const now = ports.clock.now();
    const prekey = usablePrekey(device.prekeys, now);
    if (!prekey) return failed(refuse("record-missing", "no prekey for today"));
    const { accountKey: self, deviceSeed, certificate, listHead } = identity;
    const envelope = await sealEnvelope(ports, {
      sender: { accountKey: self, deviceSeed, certificate, listHead },
      receiver: { accountKey, deviceKey: device.deviceKey, prekey },
      sentAt: now,
      messageId: ports.random.bytes(MESSAGE_ID_BYTES),
      kind,
      body,
    });
    let last = failed(refuse("record-missing", "no place"));
    for (const place of places) {
      last = await courier.deliver(place, await laneFor(place), envelope);
      if (last.ok) return last;
    }
    return last;
  }

  async #work({ mailboxId }: Place): Promise<HopLane> {
    const { clock, random } = this.#parts.ports;
    const hour = hourOf(clock.now());
    const target = { purpose: WORK_PURPOSE_REQUEST, mailboxId, hour } as const;
    return { kind: "request", hour, work: await solveWork(random, target, this.#parts.requestWorkBits()) };
  }
}

function failed(refusal: Refusal): Delivery {
  return { ...refusal, retryAfterMs: 0 };
}

/** What became of a message: a refusal may say when to try again. */
export type Sent = { readonly ok: true; readonly value: undefined } | (Refusal & { readonly retryAfterMs?: number });

function done(delivery: Delivery): Sent {
  return delivery.ok ? { ok: true, value: undefined } : delivery;
}
