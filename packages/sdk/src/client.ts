import {
  CALL_LEGS_MAX,
  CARD_MAX_HOMES,
  decodeCard,
  type DeviceLocator,
  encodeCard,
  type RefusalCode,
  toHex,
  unwrap,
} from "@earshot/core";
import { accountStatus, forgetAccountKey, provideAccountKey } from "./account/account-key.ts";
import type {
  AccountStatus,
  Call,
  CallMedia,
  CallSettings,
  Client,
  ClientEvents,
  ClientStatus,
  Contact,
  ContactRequest,
  Device,
  SupernodeChoice,
  Unsubscribe,
} from "./api.ts";
import type { Assembly } from "./wiring/assembly.ts";
import { supernodeChoices } from "./wiring/home-status.ts";
import { backupOf } from "./contacts/backup-contacts.ts";
import type { Emitter } from "./emitter.ts";
import { CallError, ClientError, NodeError } from "./errors.ts";
import { ownDevices } from "./identity/own-devices.ts";

/** How long a call waits to be online, what waited there included. */
const ONLINE_WAIT_MS = 10_000;
/** How long a call to somebody just added waits for their side to answer by itself (Echo, bots, people who added us). */
const ACCEPT_WAIT_MS = 5_000;
/** Somebody added longer ago than this has had the time. */
const JUST_ADDED_MS = 60_000;
/** How long adding somebody waits for the request to be taken: work included. */
const REQUEST_WAIT_MS = 15_000;

/** The public face over the managers; see the interface for what each member does. */
export class EarshotClient implements Client {
  readonly #parts: Assembly;
  readonly #events: Emitter<ClientEvents>;
  #state: "new" | "started" | "stopped" = "new";
  #endOther: () => void = () => {};

  constructor(parts: Assembly, events: Emitter<ClientEvents>) {
    this.#parts = parts;
    this.#events = events;
  }

  get id(): string {
    return this.#parts.identity.id;
  }
  get name(): string {
    return this.#parts.identity.name;
  }
  get deviceId(): string {
    return this.#parts.identity.deviceId;
  }
  get status(): ClientStatus {
    return this.#parts.presence.status;
  }

  card(): string {
    const { identity } = this.#parts;
    const homes = this.#parts.homes.places("request").map(({ home }) => home);
    return encodeCard({ accountKey: identity.accountKey, name: identity.name, homes: homes.slice(0, CARD_MAX_HOMES) });
  }

  async start(): Promise<void> {
    if (this.#state === "stopped") throw new ClientError("stopped", "This client was stopped. Create another one.");
    this.#state = "started";
    this.#parts.names.start();
    const { presence, homes, network, later } = this.#parts;
    void later.loaded().catch(() => {}); // tried again once it is needed
    presence.start();
    homes.start();
    network.start();
    return new Promise((resolve) => {
      const done = this.#events.on("status", (status) => {
        if (status.state === "online" || this.#state === "stopped") {
          done();
          resolve();
        }
      });
      if (this.#parts.presence.online) {
        done();
        resolve();
      }
    });
  }

  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#endOther();
    this.#parts.names.stop();
    const { calls, outbox, presence, homes, network, ports, clockCheck } = this.#parts;
    await calls.stop();
    outbox.stop();
    presence.stop();
    network.stop();
    homes.stop();
    clockCheck.stop();
    await homes.idle();
    await ports.storage.close();
  }

  setName(name: string): Promise<void> {
    return this.#parts.identity.setName(name);
  }

  contacts(): readonly Contact[] {
    return this.#parts.book.contacts();
  }

  requests(): readonly ContactRequest[] {
    return this.#parts.book.requests();
  }

  async addContact(cardOrName: string, name?: string): Promise<Contact> {
    const { contacts, names, outbox, presence, ports, book } = this.#parts;
    const { card, address, suggested } = await names.lookUp(cardOrName);
    const { accountKey } = unwrap(decodeCard(card));
    let contact = await contacts.add(card, name ?? (book.get(accountKey)?.label ? undefined : suggested));
    if (address !== undefined) contact = await names.pin(accountKey, address);
    if (!presence.online) return contact;
    await withinMs(ports.clock.setTimer, REQUEST_WAIT_MS, outbox.flush(accountKey));
    return book.contact(accountKey) ?? contact;
  }

  keepContactKey(id: string): Promise<void> {
    return this.#parts.names.keep(keyOf(id));
  }

  acceptRequest(id: string): Promise<Contact> {
    return this.#parts.contacts.accept(keyOf(id));
  }

  declineRequest(id: string): Promise<void> {
    return this.#parts.contacts.decline(keyOf(id));
  }

  renameContact(id: string, name: string): Promise<void> {
    return this.#parts.contacts.rename(keyOf(id), name);
  }

  removeContact(id: string): Promise<void> {
    return this.#part(id, (accountKey) => this.#parts.contacts.remove(accountKey));
  }

  blockContact(id: string): Promise<void> {
    return this.#part(id, (accountKey) => this.#parts.contacts.block(accountKey));
  }

  async call(idOrCard: string, media: CallMedia = {}): Promise<Call> {
    this.#mustBeStarted();
    const { book, calls, ports, names } = this.#parts;
    const accountKey = names.known(idOrCard) ?? keyOf((await names.lookUp(idOrCard)).card);
    calls.mayPlace();
    await this.#whenOnline();
    const known = book.contact(accountKey);
    if (!known) await this.addContact(idOrCard);
    if (known?.state === "blocked") throw new CallError("not-a-contact", "This contact is blocked.");
    await names.beforeCall(accountKey);
    const waiting = book.contact(accountKey);
    if (waiting?.state === "added" && ports.clock.now() - waiting.addedAt < JUST_ADDED_MS) {
      await withinMs(ports.clock.setTimer, ACCEPT_WAIT_MS, this.#becomesContact(accountKey));
    }
    const state = book.get(accountKey)?.state;
    if (state?.status !== "contact")
      throw new CallError("waiting-for-contact", "They have not added you yet. The call can be made once they have.");
    const devices = await this.#reachable(accountKey, state.locators);
    const call = await calls.place(accountKey, devices, media);
    await call.session.onItsWay;
    if (call.endReason === "unreachable")
      throw new CallError("contact-unreachable", "No supernode took the call for them. Try again in a minute.");
    return call;
  }

  calls(): readonly Call[] {
    return this.#parts.calls.list();
  }

  async callSettings(): Promise<CallSettings> {
    return (await this.#parts.callSettings()).value;
  }

  async setCallSettings(changes: Partial<CallSettings>): Promise<void> {
    await (await this.#parts.callSettings()).change(changes);
  }

  devices(): readonly Device[] {
    return ownDevices(this.#parts.identity);
  }

  async revokeDevice(deviceId: string): Promise<void> {
    this.#mustBeStarted();
    const { publisher, identity, contacts } = this.#parts;
    if (deviceId === this.deviceId)
      throw new ClientError("own-device", "A device cannot remove itself. Do it from another of your devices.");
    await this.#whenOnline();
    // On top of the list as it is published now: one that forks is refused by every contact.
    if (!(await publisher.publish()))
      throw new NodeError("node-refused", "Your devices cannot be looked up at the node now. Try again in a minute.");
    const device = identity.devices.find((each) => toHex(each) === deviceId);
    if (!device) throw new ClientError("unknown-device", "None of your devices has this id.");
    await identity.revoke(device);
    await publisher.publish();
    await contacts.announceLocator(); // what it is sent with shows that there is a longer list
  }

  get account(): AccountStatus {
    return accountStatus(this.#parts);
  }

  async forgetAccountKey(): Promise<void> {
    this.#mustBeStarted();
    await this.#whenOnline();
    await forgetAccountKey(this.#parts);
  }

  async provideAccountKey(phrase: string, { keep = false }: { readonly keep?: boolean } = {}): Promise<void> {
    this.#mustBeStarted();
    await this.#whenOnline();
    await provideAccountKey(this.#parts, phrase, keep);
  }

  async recoveryPhrase(): Promise<string> {
    const { phraseOf } = await import("./identity/recovery.ts");
    return phraseOf(this.#parts.identity.accountSeed);
  }

  async backup(): Promise<Uint8Array> {
    const { identity, book, ports } = this.#parts;
    const contacts = book.all().flatMap((entry) => backupOf(entry) ?? []);
    const content = { name: identity.name, deviceList: identity.entries, contacts };
    const { sealBackup } = await import("./identity/recovery.ts");
    return sealBackup(ports.random, identity.accountSeed, content);
  }

  supernodes(): readonly SupernodeChoice[] {
    return supernodeChoices(this.#parts);
  }

  async setTrustedSupernodes(keys: readonly string[]): Promise<void> {
    await this.#parts.trusted.set(keys);
    this.#parts.presence.tell();
  }

  async moveHome(fromKey: string, toKey?: string): Promise<void> {
    this.#mustBeStarted();
    await this.#whenOnline();
    const { roaming } = this.#parts.network;
    if (!roaming) throw new NodeError("offline", "The supernodes are not known yet. Try again in a minute.");
    await roaming.move(fromKey, toKey);
  }

  refusals(): readonly (readonly [RefusalCode, number])[] {
    return this.#parts.refusals.entries();
  }

  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => void): Unsubscribe {
    return this.#events.on(event, listener);
  }

  /** Something to end when this client is stopped. */
  endWithIt(end: () => void): void {
    this.#endOther = end;
  }

  /** The network came back or changed: tries at once, and lets calls look for a new path. */
  handleNetworkChange(): void {
    this.#parts.homes.hurry();
    this.#parts.network.hurry();
    this.#parts.calls.handleNetworkChange();
  }

  #mustBeStarted(): void {
    if (this.#state !== "started") throw new ClientError("not-started", "Call start() first.");
  }

  #whenOnline(): Promise<void> {
    return this.#parts.presence.whenOnline(ONLINE_WAIT_MS);
  }

  /** Nobody goes on ringing, or listening, who is to be no contact. Its words leave first, while there is somewhere to send them. */
  async #part(id: string, leave: (accountKey: Uint8Array) => Promise<void>): Promise<void> {
    const accountKey = keyOf(id);
    await this.#parts.calls.endWith(accountKey);
    try {
      await leave(accountKey);
    } finally {
      await this.#parts.calls.endWith(accountKey); // they may have called again meanwhile
    }
  }

  /** The devices that can be found now, those heard from last first. */
  async #reachable(accountKey: Uint8Array, locators: readonly DeviceLocator[]): Promise<Uint8Array[]> {
    const { later, book } = this.#parts;
    const { sender } = await later.loaded();
    const active = locators.filter(({ deviceKey }) => !book.isRevoked(accountKey, deviceKey));
    const newest = active.toSorted((a, b) => b.since - a.since).slice(0, CALL_LEGS_MAX);
    const found = await Promise.all(
      newest.map(({ deviceKey, locatorKey }) =>
        sender.prepare({ accountKey, deviceKey, locatorKey }).then(
          (ready) => (ready.ok ? [deviceKey] : []),
          () => [],
        ),
      ),
    );
    const devices = found.flat();
    if (devices.length > 0) return devices;
    await this.#parts.contacts.handleLost(accountKey);
    throw new CallError(
      "contact-unreachable",
      "None of their devices can be found. They have not been online for two days, or have removed you.",
    );
  }

  #becomesContact(accountKey: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.#parts.book.get(accountKey)?.state.status !== "contact") return;
        done();
        resolve();
      };
      const done = this.#events.on("contacts", check);
      check();
    });
  }
}

/** The account of a card or id. Throws RefusedError (`id-mistyped`, `card-mistyped`, …). */
function keyOf(idOrCard: string): Uint8Array {
  return unwrap(decodeCard(idOrCard)).accountKey;
}

/** Waits for `work`, but no longer than `ms`; it goes on by itself then. */
async function withinMs(
  setTimer: (delayMs: number, fire: () => void) => () => void,
  ms: number,
  work: Promise<void>,
): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = setTimer(ms, resolve);
  });
  await Promise.race([work, late]);
  cancel();
}
