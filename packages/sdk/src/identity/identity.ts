import {
  appendEntry,
  CERT_MAX_LIFETIME_MS,
  CLOCK_SKEW_MS,
  type Clock,
  cleanText,
  type DeviceCertificate,
  type DeviceListState,
  decodeCertificate,
  encodeCertificate,
  encodeId,
  equalBytes,
  issueCertificate,
  type ListHead,
  publicKeyOf,
  type RandomSource,
  type SignatureBackend,
  toHex,
  unwrap,
  verifyDeviceList,
} from "@earshot/core";
import type { Storage } from "../api.ts";
import { ClientError } from "../errors.ts";
import { SerialQueue } from "../serial-queue.ts";
import { Stored } from "../state/stored.ts";
import { identityCodec, NAME_MAX_BYTES, type StoredAccount, type StoredIdentity } from "./identity-codec.ts";

/** A certificate is renewed once less than this is left: a month in which the account key may be away. */
const RENEW_BEFORE_MS = CERT_MAX_LIFETIME_MS / 2;

/** Changes that wait for the storage. */
const MAX_SAVES = 100;

export interface IdentityPorts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
}

/** A name as it may travel. Throws {@link ClientError} `bad-name` where nothing is left of it. */
export function checkedName(name: string): string {
  const cleaned = cleanText(name, NAME_MAX_BYTES);
  if (cleaned === "") throw new ClientError("bad-name", `A name needs 1 to ${NAME_MAX_BYTES} bytes of visible text.`);
  return cleaned;
}

/** This account and this device: keys, certificate and device list, kept in storage. */
export class Identity {
  readonly accountKey: Uint8Array;
  readonly deviceKey: Uint8Array;
  readonly id: string;
  readonly deviceId: string;
  readonly #ports: IdentityPorts;
  readonly #stored: Stored<StoredIdentity>;
  readonly #saves = new SerialQueue(MAX_SAVES);
  #value: StoredIdentity;
  #certificate: DeviceCertificate;
  #list: DeviceListState;

  private constructor(
    ports: IdentityPorts,
    stored: Stored<StoredIdentity>,
    value: StoredIdentity,
    list: DeviceListState,
  ) {
    this.#ports = ports;
    this.#stored = stored;
    this.#value = value;
    this.#certificate = unwrap(decodeCertificate(value.certificate));
    this.#list = list;
    this.accountKey = accountKeyOf(value);
    this.deviceKey = publicKeyOf(value.deviceSeed);
    this.id = encodeId(this.accountKey);
    this.deviceId = toHex(this.deviceKey);
  }

  /** The stored identity; undefined in empty storage. */
  static async load(ports: IdentityPorts): Promise<Identity | undefined> {
    const stored = new Stored(ports.storage, "identity", identityCodec);
    const value = await stored.load();
    return value && Identity.#of(ports, stored, value);
  }

  /**
   * A new identity, or a new device of the account that `accountSeed` stands for, not yet in the `list` that the account had:
   * {@link adoptList} joins this device to the one that is published.
   */
  static async create(
    ports: IdentityPorts,
    name: string,
    accountSeed?: Uint8Array,
    list: readonly Uint8Array[] = [],
  ): Promise<Identity> {
    const { signatures, clock, random } = ports;
    const seed = accountSeed ?? random.bytes(32);
    const deviceSeed = random.bytes(32);
    const deviceKey = publicKeyOf(deviceSeed);
    const now = clock.now();
    const certificate = encodeCertificate(await freshCertificate(signatures, seed, deviceKey, now));
    const entries = accountSeed ? list : [await appendEntry(signatures, seed, [], "add", deviceKey, now)];
    const value = { accountSeed: seed, deviceSeed, name: name === "" ? "" : checkedName(name), certificate, entries };
    const stored = new Stored(ports.storage, "identity", identityCodec);
    await stored.save(value);
    return Identity.#of(ports, stored, value);
  }

  static async #of(ports: IdentityPorts, stored: Stored<StoredIdentity>, value: StoredIdentity): Promise<Identity> {
    const accountKey = accountKeyOf(value);
    const list = unwrap(await verifyDeviceList(ports.signatures, accountKey, value.entries));
    return new Identity(ports, stored, value, list);
  }

  get name(): string {
    return this.#value.name;
  }
  /** False while the account key is kept offline: see {@link leaveKey}. */
  get keyHere(): boolean {
    return this.#value.accountSeed !== undefined;
  }
  /** Throws {@link ClientError} `account-key-away` while it is kept offline. */
  get accountSeed(): Uint8Array {
    const { accountSeed } = this.#value;
    if (accountSeed) return accountSeed;
    throw new ClientError(
      "account-key-away",
      "The account key is kept offline: provide it first, by the 24 words of the recovery phrase.",
    );
  }
  get deviceSeed(): Uint8Array {
    return this.#value.deviceSeed;
  }
  get certificate(): DeviceCertificate {
    return this.#certificate;
  }
  get entries(): readonly Uint8Array[] {
    return this.#value.entries;
  }
  get listHead(): ListHead {
    return this.#list.head;
  }
  /** The account's active devices, this one included once it is listed. */
  get devices(): readonly Uint8Array[] {
    return this.#list.active;
  }
  /** False for a restored device until {@link adoptList}. */
  get listed(): boolean {
    return this.#list.active.some((device) => equalBytes(device, this.deviceKey));
  }

  async setName(name: string): Promise<void> {
    const checked = checkedName(name);
    await this.#save((value) => ({ ...value, name: checked }));
  }

  /** Renews the certificate when half its life is over, unless the account key is away. True if it did. */
  async renew(): Promise<boolean> {
    if (!this.keyHere) return false;
    const now = this.#ports.clock.now();
    if (this.#certificate.notAfter - now > RENEW_BEFORE_MS && this.#certificate.notBefore <= now) return false;
    const fresh = await this.issueCertificate(this.accountSeed);
    await this.#save((value) => ({ ...value, certificate: encodeCertificate(fresh) }));
    this.#certificate = fresh;
    return true;
  }

  /** A certificate for this device with its whole life ahead, not yet in use. */
  issueCertificate(accountSeed: Uint8Array): Promise<DeviceCertificate> {
    const { signatures, clock } = this.#ports;
    return freshCertificate(signatures, accountSeed, this.deviceKey, clock.now());
  }

  /** Takes the certificate into use and deletes the account's seed here, in one write. */
  async leaveKey(certificate: DeviceCertificate): Promise<void> {
    const { accountKey } = this;
    await this.#save(({ deviceSeed, name, entries }) => {
      return { accountKey, deviceSeed, name, certificate: encodeCertificate(certificate), entries };
    });
    this.#certificate = certificate;
  }

  /** The account's seed is here again. It must be this account's. */
  async takeKey(accountSeed: Uint8Array): Promise<void> {
    await this.#save(({ deviceSeed, name, certificate, entries }) => {
      return { accountSeed, deviceSeed, name, certificate, entries };
    });
  }

  /**
   * Takes the account's published list where it extends ours (another device joined, or this one was just restored), and
   * adds this device if it is missing. `published` empty: nothing is published, ours starts. True if the list changed.
   */
  async adoptList(published: readonly Uint8Array[]): Promise<boolean> {
    const { signatures, clock } = this.#ports;
    // A device that is not in any list yet goes by the longest: what its backup knew may have been started anew since.
    const known = this.listed ? this.#list.head : undefined;
    const theirs = await verifyDeviceList(signatures, this.accountKey, published, known);
    let entries = theirs.ok && published.length >= this.entries.length ? published : this.entries;
    let list = unwrap(await verifyDeviceList(signatures, this.accountKey, entries));
    const revoked = list.revoked.some((device) => equalBytes(device, this.deviceKey));
    if (revoked)
      throw new ClientError(
        "device-revoked",
        "This device was removed from the account. Restore from the recovery phrase.",
      );
    if (!list.active.some((device) => equalBytes(device, this.deviceKey))) {
      const entry = await appendEntry(signatures, this.accountSeed, entries, "add", this.deviceKey, clock.now());
      entries = [...entries, entry];
      list = unwrap(await verifyDeviceList(signatures, this.accountKey, entries));
    }
    if (list.head.n === this.#list.head.n) return false;
    await this.#save((value) => ({ ...value, entries }));
    this.#list = list;
    return true;
  }

  /** Takes another device out of the account's list for good. EarshotError `bad-device` where it is not active, `too-many` where the list is full. */
  async revoke(deviceKey: Uint8Array): Promise<void> {
    const { signatures, clock } = this.#ports;
    const entry = await appendEntry(signatures, this.accountSeed, this.entries, "revoke", deviceKey, clock.now());
    const entries = [...this.entries, entry];
    const list = unwrap(await verifyDeviceList(signatures, this.accountKey, entries));
    await this.#save((value) => ({ ...value, entries }));
    this.#list = list;
  }

  /** One change after the other: none may bring back a key that another deletes. */
  #save(change: (value: StoredIdentity) => StoredIdentity): Promise<void> {
    return this.#saves.run(async () => {
      const value = change(this.#value);
      await this.#stored.save(value);
      this.#value = value;
    });
  }
}

function accountKeyOf({ accountSeed, accountKey }: StoredAccount): Uint8Array {
  return accountSeed ? publicKeyOf(accountSeed) : accountKey;
}

function freshCertificate(signatures: SignatureBackend, accountSeed: Uint8Array, deviceKey: Uint8Array, now: number) {
  // Backdated by the skew that receivers allow, so that a receiver whose clock is behind takes it too.
  const notBefore = now - CLOCK_SKEW_MS;
  return issueCertificate(signatures, accountSeed, deviceKey, notBefore, notBefore + CERT_MAX_LIFETIME_MS);
}
