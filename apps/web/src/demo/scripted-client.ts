/** A client that does what a script says, in the shape of the SDK's `Client`. For view-model tests and the demo screens. */
import { EarshotError, type RefusalCode } from "@earshot/core";
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
  HomeStatus,
  SupernodeChoice,
} from "@earshot/sdk";
import { ScriptedCall } from "./scripted-call.ts";

type Listener = (value: never) => void;

export class ScriptedClient implements Client {
  readonly id = "ear1qyscriptedaccountscriptedaccountscriptedaccountscripted00own";
  readonly deviceId = "device-own";
  name: string;
  account: AccountStatus = { keyHere: true };
  status: ClientStatus = { state: "online", supernode: "5f".repeat(32) };
  /** The code with which the next operation fails. */
  failNext: string | undefined;
  /** What the app asked for, in order. */
  readonly done: string[] = [];
  lastCall: ScriptedCall | undefined;
  calledWith: CallMedia | undefined;
  known: readonly SupernodeChoice[] = [];
  settings: CallSettings = { relayConsent: "any", hideAddress: "never", lowData: false };
  /** Where names at a domain lead now: address to id. */
  readonly names = new Map<string, string>();
  #contacts: readonly Contact[] = [];
  #requests: readonly ContactRequest[] = [];
  readonly #listeners = new Map<keyof ClientEvents, Set<Listener>>();

  constructor(name = "Ada") {
    this.name = name;
  }

  card(): string {
    return `earshot:${this.id}?c=gwFjQWRhgYN0aHR0cDovLzEyNy4wLjAuMTo0MjEwWCAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH1ggICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8AAAAA`;
  }

  /** Raises an event as the SDK would; state that goes with it is set first. */
  emit<K extends keyof ClientEvents>(event: K, value: ClientEvents[K]): void {
    if (event === "status") this.status = value as ClientStatus;
    if (event === "account") this.account = value as AccountStatus;
    if (event === "contacts") this.#contacts = value as readonly Contact[];
    if (event === "requests") this.#requests = value as readonly ContactRequest[];
    for (const listener of this.#listeners.get(event) ?? []) (listener as (value: ClientEvents[K]) => void)(value);
  }

  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set<Listener>();
    this.#listeners.set(event, set.add(listener));
    return () => set.delete(listener);
  }

  async start(): Promise<void> {
    this.#record("start");
  }
  async stop(): Promise<void> {
    this.#record("stop");
  }
  async setName(name: string): Promise<void> {
    this.#record(`name ${name}`);
    this.name = name;
  }
  contacts(): readonly Contact[] {
    return this.#contacts;
  }
  requests(): readonly ContactRequest[] {
    return this.#requests;
  }
  async addContact(card: string, name = "Somebody new"): Promise<Contact> {
    this.#record(`add ${card}`);
    const known = this.#contacts.find(({ address }) => address === card);
    const leadsTo = this.names.get(card) ?? card;
    if (known && known.id !== leadsTo) {
      if (known.nameChangedTo !== leadsTo) this.#change(known.id, { nameChangedTo: leadsTo });
      throw new EarshotError("name-changed", "another key");
    }
    if (known) return known;
    const contact: Contact = { id: leadsTo, name, state: "added", addedAt: 0 };
    this.emit("contacts", [...this.#contacts, contact]);
    return contact;
  }
  async acceptRequest(id: string): Promise<Contact> {
    this.#record(`accept ${id}`);
    const request = this.#requests.find((waiting) => waiting.id === id);
    const contact: Contact = { id, name: request?.name ?? "", state: "contact", addedAt: 0 };
    this.emit("requests", this.#without(id));
    this.emit("contacts", [...this.#contacts, contact]);
    return contact;
  }
  async declineRequest(id: string): Promise<void> {
    this.#record(`decline ${id}`);
    this.emit("requests", this.#without(id));
  }
  async renameContact(id: string, name: string): Promise<void> {
    this.#record(`rename ${id} ${name}`);
    this.#change(id, { name });
  }
  async removeContact(id: string): Promise<void> {
    this.#record(`remove ${id}`);
    this.emit(
      "contacts",
      this.#contacts.filter((contact) => contact.id !== id),
    );
  }
  async blockContact(id: string): Promise<void> {
    this.#record(`block ${id}`);
    this.#change(id, { state: "blocked" });
  }
  async call(id: string, media?: CallMedia): Promise<Call> {
    this.#record(`call ${id}`);
    const peer = this.#contacts.find((contact) => contact.id === id);
    if (peer === undefined) throw new EarshotError("not-a-contact", "add the contact first");
    this.calledWith = media;
    const { lowData } = this.settings;
    this.lastCall = new ScriptedCall(peer, { wantsVideo: media?.video !== undefined, lowData });
    this.lastCall.localVideo = media?.video ?? null;
    this.lastCall.pictureWanted = !lowData || media?.video !== undefined;
    return this.lastCall;
  }
  async callSettings(): Promise<CallSettings> {
    return this.settings;
  }
  async setCallSettings(changes: Partial<CallSettings>): Promise<void> {
    this.#record(`set ${JSON.stringify(changes)}`);
    this.settings = { ...this.settings, ...changes };
  }
  calls(): readonly Call[] {
    return this.lastCall ? [this.lastCall] : [];
  }
  devices(): readonly Device[] {
    return [{ id: this.deviceId, addedAt: 0, current: true }];
  }
  async revokeDevice(id: string): Promise<void> {
    this.#record(`revoke ${id}`);
  }
  async forgetAccountKey(): Promise<void> {
    this.#record("forget the key");
    this.emit("account", { keyHere: false });
  }
  async provideAccountKey(_phrase: string, { keep = false } = {}): Promise<void> {
    this.#record(`provide the key${keep ? " to keep" : ""}`);
    this.emit("account", { keyHere: keep });
  }
  async recoveryPhrase(): Promise<string> {
    this.#record("phrase");
    return `${"abandon ".repeat(23)}art`;
  }
  async backup(): Promise<Uint8Array> {
    this.#record("backup");
    return new Uint8Array(4096);
  }
  supernodes(): readonly SupernodeChoice[] {
    return this.known;
  }
  async setTrustedSupernodes(keys: readonly string[]): Promise<void> {
    this.#record(`trust ${keys.join(" ")}`);
    this.known = this.known.map((one) => ({ ...one, trusted: keys.includes(one.key) }));
  }
  async moveHome(fromKey: string, toKey?: string): Promise<void> {
    this.#record(`move ${fromKey}${toKey ? ` to ${toKey}` : ""}`);
  }
  async keepContactKey(id: string): Promise<void> {
    this.#record(`keep the key of ${id}`);
    this.emit(
      "contacts",
      this.#contacts.map(({ nameChangedTo, ...contact }) =>
        contact.id === id || nameChangedTo === undefined ? contact : { ...contact, nameChangedTo },
      ),
    );
  }
  nameChanged(contactId: string, newId: string): void {
    const address = this.#contacts.find(({ id }) => id === contactId)?.address ?? "";
    this.names.set(address, newId);
    this.#change(contactId, { nameChangedTo: newId });
    this.emit("nameChanged", { contactId, address, newId });
  }
  /** Sets where it is at home, and tells. */
  atHome(homes: readonly HomeStatus[]): void {
    this.emit("status", { ...this.status, homes });
  }
  refusals(): readonly (readonly [RefusalCode, number])[] {
    return [];
  }

  #record(what: string): void {
    this.done.push(what);
    const code = this.failNext;
    this.failNext = undefined;
    if (code !== undefined) throw new EarshotError(code, `scripted failure: ${code}`);
  }
  #without(id: string): readonly ContactRequest[] {
    return this.#requests.filter((request) => request.id !== id);
  }
  #change(id: string, change: Partial<Contact>): void {
    this.emit(
      "contacts",
      this.#contacts.map((contact) => (contact.id === id ? { ...contact, ...change } : contact)),
    );
  }
}
