import {
  accept,
  type ContactRecord,
  dayOf,
  type DeviceListState,
  deliveryToken,
  type EnvelopeKind,
  type HopLane,
  type Home,
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
import type { Courier } from "../edge/courier.ts";
import { firstTaken } from "./first-taken.ts";
import { solveWork } from "../edge/solve-work.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";

/** No home has taken it by then: it may have moved. A dead one takes others seconds to give up on. */
const LATE_MS = 1_000;
/** Sooner, where one of its homes no longer takes what is sent there. */
const LOOK_SOON_MS = 60_000;
/** How long a found device is used without looking again. Its record changes when it moves, and that is told by a refusal. */
const FRESH_MS = 10 * 60_000;
/** Devices remembered; each is about 3 KB. */
const MAX_REMEMBERED = 1_000;
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
  /** Look-ups under way that messages which are late wait for together, by locator key. */
  readonly #looking = new Map<string, Promise<Result<Found<ContactRecord>>>>();
  /** By device: how often the ways to its homes were exchanged. */
  readonly #turns = new Map<string, number>();

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /**
   * To a contact's device, paid with tokens of `tokenSecret`: to all its homes at once, each through another of the own. Looks
   * it up anew when what is known of it is refused. Refusals are results; rejects where there is no connection.
   */
  async toContact(address: DeviceAddress, tokenSecret: Uint8Array, message: Outgoing): Promise<Sent> {
    const known = this.#recall(address);
    if (known) {
      const newer = () => this.#newer(address, known);
      const sent = await this.#deliverTo(address, known, tokenSecret, message, newer);
      if (sent.ok || !sent.outdated) return sent;
    }
    const found = await this.#find(address);
    return found.ok ? this.#deliverTo(address, found.value, tokenSecret, message) : found;
  }

  /** Looks a device up and prepares the delivery, so that a call to it starts fast. Refused where it cannot be found. */
  async prepare(address: DeviceAddress): Promise<Result<void>> {
    const known = this.#recall(address);
    const found = known ? { ok: true as const, value: known } : await this.#find(address);
    if (!found.ok) return found;
    for (const place of found.value.record.places) await this.#parts.courier.prepare(place);
    return accept(undefined);
  }

  /** Where that device was found last, whether or not it still is there; none where it was not looked for yet. */
  homesOf({ locatorKey }: Pick<DeviceAddress, "locatorKey">): readonly Home[] {
    return this.#remembered.get(toHex(locatorKey))?.found.record.places.map(({ home }) => home) ?? [];
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
      last = await this.#seal(accountKey, device, message, places, (each) => this.#work(each));
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

  /** Where it has mailboxes now that it had not when it was found before. */
  async #newer(address: DeviceAddress, { record }: Found<ContactRecord>): Promise<readonly Place[]> {
    const found = await this.#lookTogether(address);
    const before = new Set(record.places.map(({ mailboxId }) => toHex(mailboxId)));
    return found.ok ? found.value.record.places.filter(({ mailboxId }) => !before.has(toHex(mailboxId))) : [];
  }

  /** As {@link look}, once for all messages that wait for it: a call has many, and where all homes are gone all are late. */
  #lookTogether(address: DeviceAddress): Promise<Result<Found<ContactRecord>>> {
    const name = toHex(address.locatorKey);
    const remembered = this.#remembered.get(name);
    const age = remembered ? this.#parts.ports.clock.now() - remembered.at : -1;
    if (remembered && age >= 0 && age < LATE_MS) return Promise.resolve(accept(remembered.found));
    const under = this.#looking.get(name);
    if (under) return under;
    const looking = this.look(address).finally(() => this.#looking.delete(name));
    this.#looking.set(name, looking);
    return looking;
  }

  /** As {@link look}; where nobody answers now, what was found before. */
  async #find(address: DeviceAddress): Promise<Result<Found<ContactRecord>>> {
    const before = this.#remembered.get(toHex(address.locatorKey))?.found;
    try {
      const found = await this.look(address);
      return found.ok || !before ? found : accept(before);
    } catch (error) {
      if (before) return accept(before);
      throw error;
    }
  }

  #recall({ locatorKey }: DeviceAddress): Found<ContactRecord> | undefined {
    const remembered = this.#remembered.get(toHex(locatorKey));
    const age = remembered ? this.#parts.ports.clock.now() - remembered.at : 0;
    return remembered && age >= 0 && age < FRESH_MS ? remembered.found : undefined;
  }

  async #deliverTo(
    { accountKey, deviceKey, locatorKey }: DeviceAddress,
    { record, bundle }: Found<ContactRecord>,
    tokenSecret: Uint8Array,
    message: Outgoing,
    newer?: () => Promise<readonly Place[]>,
  ): Promise<Sent> {
    const device = bundle.devices.find((each) => toHex(each.deviceKey) === toHex(deviceKey));
    if (!device) return refuse("bad-bundle", "another device");
    const day = dayOf(this.#parts.ports.clock.now());
    const laneFor = async ({ mailboxId }: Place): Promise<HopLane> => ({
      kind: "contact",
      token: deliveryToken(tokenSecret, mailboxId, day),
    });
    const onOutdated = () => this.#lookSoon(locatorKey);
    return this.#seal(accountKey, device, message, record.places, laneFor, { onOutdated, ...(newer && { newer }) });
  }

  /** One of its homes refuses what another takes: it may have moved. */
  #lookSoon(locatorKey: Uint8Array): void {
    const remembered = this.#remembered.get(toHex(locatorKey));
    if (!remembered) return;
    const at = Math.min(remembered.at, this.#parts.ports.clock.now() - FRESH_MS + LOOK_SOON_MS);
    this.#remembered.set(toHex(locatorKey), { ...remembered, at });
  }

  async #seal(
    accountKey: Uint8Array,
    device: VerifiedDevice,
    { kind, body }: Outgoing,
    places: readonly Place[],
    laneFor: (place: Place) => Promise<HopLane>,
    {
      onOutdated = () => {},
      newer,
    }: { readonly onOutdated?: () => void; readonly newer?: () => Promise<readonly Place[]> } = {},
  ): Promise<Sent> {
    const { ports, identity, courier } = this.#parts;
    const now = ports.clock.now();
    const prekey = usablePrekey(device.prekeys, now);
    if (!prekey) return refuse("record-missing", "no prekey for today");
    const { accountKey: self, deviceSeed, certificate, listHead } = identity;
    const envelope = await sealEnvelope(ports, {
      sender: { accountKey: self, deviceSeed, certificate, listHead },
      receiver: { accountKey, deviceKey: device.deviceKey, prekey },
      sentAt: now,
      messageId: ports.random.bytes(MESSAGE_ID_BYTES),
      kind,
      body,
    });
    if (places.length === 0) return refuse("record-missing", "no place");
    // The same envelope everywhere: whichever copy comes first counts, the others are known by it.
    const sendTo = (to: readonly Place[], turn: number): Promise<Sent> => {
      const deliveries = to.map(async (place, i) => courier.deliver(place, await laneFor(place), envelope, i + turn));
      return firstTaken(deliveries, onOutdated);
    };
    const name = toHex(device.deviceKey);
    const turn = this.#turns.get(name) ?? 0;
    const sent = await this.#hedged(sendTo(places, turn), newer, (to) => sendTo(to, turn));
    if (!sent.ok || courier.ways < 2) return sent;
    const again = async () => {
      this.#turns.set(name, turn + 1);
      if (this.#turns.size > MAX_REMEMBERED) this.#turns.delete(this.#turns.keys().next().value as string);
      await sendTo(places, turn + 1);
    };
    return { ...sent, again };
  }

  /** Where no home takes it soon, those are tried as well that the device has moved to since, or moves to meanwhile. */
  #hedged(
    sending: Promise<Sent>,
    newer: (() => Promise<readonly Place[]>) | undefined,
    sendTo: (places: readonly Place[]) => Promise<Sent>,
  ): Promise<Sent> {
    if (!newer) return sending;
    const { clock } = this.#parts.ports;
    return new Promise((resolve, reject) => {
      let cancel = () => {};
      let settled = false;
      const lookLater = () => {
        if (!settled) cancel = clock.setTimer(LATE_MS, () => void look().catch(lookLater));
      };
      const look = async () => {
        const places = await newer();
        const sent = places.length > 0 ? await sendTo(places) : undefined;
        if (sent?.ok) resolve(sent);
        else lookLater();
      };
      const settle = () => {
        settled = true;
        cancel();
      };
      sending.then(resolve, reject).finally(settle);
      lookLater();
    });
  }

  async #work({ mailboxId }: Place): Promise<HopLane> {
    const { clock, random } = this.#parts.ports;
    const hour = hourOf(clock.now());
    const target = { purpose: WORK_PURPOSE_REQUEST, mailboxId, hour } as const;
    return { kind: "request", hour, work: await solveWork(random, target, this.#parts.requestWorkBits()) };
  }
}

/** What became of a message: a refusal may say when to try again. */
export type Sent =
  | {
      readonly ok: true;
      readonly value: undefined;
      /**
       * Sends the same once more, to each home through another of the own ones: one that took it may have dropped it. From
       * then on everything to that device goes that way. Rejects where no connection takes it. Absent where there is no other way.
       */
      readonly again?: () => Promise<void>;
    }
  | (Refusal & {
      readonly retryAfterMs?: number;
      /** What is known of the device may be out of date. */
      readonly outdated?: boolean;
    });
