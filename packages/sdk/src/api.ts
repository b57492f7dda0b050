/**
 * The SDK's public face. Everything a developer touches is named here; the classes behind it are private.
 * Ids are text (`ear1…`), times Unix milliseconds, media are W3C `MediaStreamTrack`s.
 */
import type { Clock, RandomSource, RefusalCode, SignatureBackend } from "@earshot/core";
import type { Call, CallMedia } from "./call-api.ts";
import type { RelaySource } from "./calls/relay-source.ts";

export type * from "./call-api.ts";
export type { RelayOffer, RelaySource } from "./calls/relay-source.ts";

/** Durable key-value storage. Values are already sealed where they are secret only if the adapter seals them (both shipped adapters do or use mode 0600). */
export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Durable when the promise resolves. */
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys that start with `prefix`, in no order. */
  keys(prefix: string): Promise<string[]>;
  close(): Promise<void>;
}

/** One ordered stream of binary messages to a supernode. */
export interface Connection {
  send(message: Uint8Array): void;
  close(): void;
  onMessage: (message: Uint8Array) => void;
  /** Called once, whoever closed. */
  onClose: (reason: string) => void;
}

export interface Transport {
  /** Rejects with `EarshotError` code `node-unreachable`, `node-refused`, or, of a tunnel's end, `supernode-unreachable`. `signal`: gives the try up. */
  connect(node: NodeAddress, signal?: AbortSignal): Promise<Connection>;
}

/** `url`: what `earshot start` printed (http, https, ws or wss; a `#token=` fragment is taken as the token). */
export interface NodeAddress {
  readonly url: string;
  readonly token?: string;
  /** Speak with this supernode through the node, which pipes what is said unread; the token is the node's. */
  readonly tunnelTo?: TunnelTarget;
}

/** A supernode as cards and records name it: where it is found is a hint, its key is what the tunnel's end must prove. */
export interface TunnelTarget {
  /** Ed25519, 32 bytes. */
  readonly supernodeKey: Uint8Array;
  /** `host:port` of its HyperDHT node, or "". */
  readonly dht: string;
  /** `wss://…/edge`, or "" where it is reached over HyperDHT only. */
  readonly url: string;
}

/** Makes a W3C peer connection: the browser's own, or `@roamhq/wrtc`'s. */
export type PeerConnectionFactory = (configuration: RTCConfiguration) => RTCPeerConnection;

export interface ClientOptions {
  readonly storage: Storage;
  readonly transport: Transport;
  readonly peerConnection: PeerConnectionFactory;
  readonly node: NodeAddress;
  /** Used when a new identity is made; changed later with `setName`. At most 48 bytes of UTF-8. */
  readonly name?: string;
  /** Restores an account into empty storage: 24 words, and optionally the encrypted backup. Makes a new device. */
  readonly restore?: { readonly phrase: string; readonly backup?: Uint8Array };
  /** Accept every contact request without asking (Echo, bots). Default false. */
  readonly acceptAllRequests?: boolean;
  /** Calls with different people at once; whoever calls beyond is told busy. Default 1; bots take more (at most 16). */
  readonly maxCalls?: number;
  /** `name@domain` to an id or a card's text. Default: asks the own node. Rejects with an EarshotError `name-…`. */
  readonly resolveName?: (address: string) => Promise<string>;
  /** Finds the relays that calls may go over. Default: those that this client's network knows. */
  readonly relays?: RelaySource;
  /** Hold while this client runs, in place of what was stored by `setCallSettings`. */
  readonly callSettings?: Partial<CallSettings>;
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly signatures?: SignatureBackend;
  /** Hands over a listener to be told when the network came back or changed; the ready-made ports do. The result, if any, ends it. */
  readonly onNetworkChange?: (listener: () => void) => Unsubscribe | void;
  /** Diagnostics without ids, addresses, keys or content. */
  readonly log?: (line: { readonly event: string; readonly detail?: string }) => void;
}

export type Unsubscribe = () => void;

export interface ClientEvents {
  /** Connection state changed; read `client.status`. */
  status: ClientStatus;
  contacts: readonly Contact[];
  requests: readonly ContactRequest[];
  /** Somebody is calling and the ring is on. */
  incoming: Call;
  /** A call that this device did not take: missed while away, or refused as stale. */
  missed: MissedCall;
  /**
   * A contact's device that this app has not seen before (promise 5). `listRestarted`: their list of devices was started anew,
   * as a restore from the recovery phrase alone does it, and so does a thief of the account: ask them, then `addContact` again.
   * Until then nothing is sent to the devices of the new list.
   */
  newDevice: { readonly contactId: string; readonly deviceId: string; readonly listRestarted?: true };
  /** The domain behind a contact's name names somebody else now: they moved to another account, or somebody took the domain. Ask them in another way. */
  nameChanged: { readonly contactId: string; readonly address: string; readonly newId: string };
  /** An attempt that was broken off between the nonces: shown, because guessing words costs an attacker such attempts. */
  brokenAttempt: { readonly contactId: string; readonly at: number };
  /** Bytes from someone else were refused; counted in `client.refusals()`. */
  refused: { readonly code: RefusalCode };
  /** Whether the account key is here, or what it is needed for, changed; read `client.account`. */
  account: AccountStatus;
}

/**
 * Why the account key is asked for while it is away. `records-end`: fewer than 7 days of signed records are left, and
 * without them strangers' requests no longer arrive. `certificate-ends`: in fewer than 7 days this device's certificate is
 * over, and nothing of it is believed any more. `devices-changed`, `mailbox-moved`: the records that were signed
 * are no longer true, so they are not published.
 */
export type AccountKeyNeed = "records-end" | "certificate-ends" | "devices-changed" | "mailbox-moved";

/** The account key, which may be kept offline. */
export interface AccountStatus {
  readonly keyHere: boolean;
  /** Key away: until when strangers find this account by what was signed ahead. Unix milliseconds. */
  readonly signedUntil?: number;
  /** Key away: until when contacts believe this device. Unix milliseconds. */
  readonly certifiedUntil?: number;
  /** Key away: provide it soon. */
  readonly keyNeeded?: AccountKeyNeed;
}

export interface ClientStatus {
  readonly state: "offline" | "connecting" | "online" | "draining";
  /** Milliseconds until the next try, when offline. */
  readonly retryInMs?: number;
  /**
   * Why the last try failed: an `EarshotError` code. Or `clock-wrong`, even online: this device's clock and the supernode's
   * are more than 5 minutes apart, so calls fail until whichever is wrong is set. Or `moved`: a copy of this device has
   * taken its mailboxes; this one tries again after a minute or two.
   */
  readonly problem?: string;
  /** One of the supernodes this client has its mailboxes at (hex key), when online. */
  readonly supernode?: string;
  /** All of them, lost ones included. Absent before the first. */
  readonly homes?: readonly HomeStatus[];
}

/** A supernode that holds this client's mailboxes. */
export interface HomeStatus {
  /** Hex. */
  readonly key: string;
  readonly url: string;
  /** Who says to run it: unproven. */
  readonly operator: string;
  /** `own`: the node that this client is connected to by its address, on the person's own machine. */
  readonly kind: "own" | "promoted" | "dedicated";
  readonly trusted: boolean;
  readonly state: "connected" | "connecting" | "lost";
  readonly roundTripMs?: number;
}

/** A supernode that this client could have as a home. */
export interface SupernodeChoice {
  /** Hex. */
  readonly key: string;
  readonly operator: string;
  readonly kind: "promoted" | "dedicated";
  readonly url: string;
  /** What it shares its address with: an IPv4 /24, an IPv6 /48, or its host's name. */
  readonly prefix: string;
  readonly roundTripMs?: number;
  readonly trusted: boolean;
  /** It is one now. */
  readonly home: boolean;
}

export interface Contact {
  readonly id: string;
  readonly name: string;
  /** `added`: waiting for the other to add us too; `contact`: can call; `blocked`. */
  readonly state: "added" | "contact" | "blocked";
  readonly addedAt: number;
  /** The name that they were added by: `ann@example.org`. */
  readonly address?: string;
  /** The domain names somebody else by it now (id): calls to them fail until `keepContactKey`, or until they are removed. Show it, on their calls too. */
  readonly nameChangedTo?: string;
}

/** A stranger asks to be a contact. Never rings. */
export interface ContactRequest {
  readonly id: string;
  /** What they call themselves: unverified. */
  readonly name: string;
  readonly receivedAt: number;
}

/** One of this account's own devices. */
export interface Device {
  readonly id: string;
  readonly addedAt: number;
  /** The one that this client runs on. */
  readonly current: boolean;
}

export interface MissedCall {
  readonly contactId: string;
  readonly callId: string;
  readonly at: number;
  /** It did not ring, or stopped ringing, because it needed a relay: an address was to be hidden, and there was no relay or one side allows none. */
  readonly relayNeeded?: true;
}

/**
 * Which relays may carry this person's calls where no direct path is found: none, only those that they or their contacts run,
 * or any. The other side's setting has to allow it too.
 */
export type RelayConsent = "never" | "trusted" | "any";

/**
 * From whom this device's addresses are kept, by going over a relay always: from nobody, from contacts with whom this device
 * has not been in a call yet (and from devices of anybody's that it has not seen before), or from everyone.
 */
export type HideAddress = "never" | "strangers" | "everyone";

/** What a person lets their calls do, on this device. */
export interface CallSettings {
  /** Default `any`. */
  readonly relayConsent: RelayConsent;
  /** Default `never`. */
  readonly hideAddress: HideAddress;
  /** Little data is to be used: a lean voice, hardly anything in silence, a small picture if any, and the other side is asked for as little. Default false. */
  readonly lowData: boolean;
}

export interface Client {
  readonly id: string;
  readonly name: string;
  readonly deviceId: string;
  /** The card to hand out: link text, also what the QR code holds. */
  card(): string;
  readonly status: ClientStatus;
  /** Connects, opens the mailboxes, publishes the records and drains what waits. Resolves once online; keeps reconnecting until `stop`. */
  start(): Promise<void>;
  /** Hangs up, disconnects and closes the storage. */
  stop(): Promise<void>;
  setName(name: string): Promise<void>;
  contacts(): readonly Contact[];
  requests(): readonly ContactRequest[];
  /** Adds a card, an id or a name (`ann@example.org`; errors: `name-not-found`, `name-unreachable`, `name-conflict`, `name-refused`, `name-changed`, …) and sends the request; resolves when it is on its way (errors: `id-mistyped`, `card-mistyped`, `own-card`, `too-many-contacts`, …). */
  addContact(card: string, name?: string): Promise<Contact>;
  /** Stays with the key that a contact's name was pinned to, though the domain names another now. Errors: `not-a-contact`. */
  keepContactKey(id: string): Promise<void>;
  acceptRequest(id: string): Promise<Contact>;
  declineRequest(id: string): Promise<void>;
  renameContact(id: string, name: string): Promise<void>;
  /** Ends calls with them, removes and rotates the locator key, so that they can no longer find or reach this device. */
  removeContact(id: string): Promise<void>;
  /** The same, and whatever they send from then on is refused. Tells them nothing but that a call with them has ended. */
  blockContact(id: string): Promise<void>;
  /**
   * Calls a contact by id, card or name; one not yet added is added first. Resolves with the call as soon as the invite is on its way.
   * Errors: `not-a-contact`, `waiting-for-contact`, `offline`, `already-in-call`, `contact-unreachable`, `name-changed`;
   * `no-relay` where this device's address is to be hidden and no relay was found within 5 s.
   */
  call(idOrCard: string, media?: CallMedia): Promise<Call>;
  calls(): readonly Call[];
  callSettings(): Promise<CallSettings>;
  /** For calls from now on. Durable when it resolves. Error: `bad-setting`. */
  setCallSettings(changes: Partial<CallSettings>): Promise<void>;
  /** This account's active devices as this one knows them: once online, as they are published. */
  devices(): readonly Device[];
  /**
   * Takes another of this account's devices out for good: contacts refuse it as soon as they have learnt of it. Resolves once
   * that is published and contacts are being told. Errors: `not-started`, `offline`, `own-device`, `unknown-device`, `node-refused`.
   */
  revokeDevice(deviceId: string): Promise<void>;
  readonly account: AccountStatus;
  /**
   * Takes the account key offline: signs the public records of the coming 35 days and a certificate for 60, publishes, and
   * deletes the key from the storage. Only the recovery phrase brings it back: make sure that the person has it. Waits
   * 10 s to be online. Errors: `not-started`, `offline`, `node-refused`, `account-key-away`; nothing is deleted then.
   */
  forgetAccountKey(): Promise<void>;
  /**
   * Signs all of that anew with the key that these 24 words are. It is not written to the storage, and deleted where it lies
   * there, unless `keep`. Errors: `phrase-…`, `wrong-account`, and those of `forgetAccountKey`.
   */
  provideAccountKey(phrase: string, options?: { readonly keep?: boolean }): Promise<void>;
  /** Errors: `account-key-away`; `backup` the same. */
  recoveryPhrase(): Promise<string>;
  backup(): Promise<Uint8Array>;
  /** Supernodes known now. Changes are told by the `status` event. */
  supernodes(): readonly SupernodeChoice[];
  /** Supernodes (hex keys, at most 64) to be preferred when homes are chosen. Homes that work stay. Error: `bad-key`. */
  setTrustedSupernodes(keys: readonly string[]): Promise<void>;
  /**
   * Gives up one home for another, that one or one chosen. Resolves once the records name it; calls ring throughout.
   * Errors: `not-started`, `offline`, `unknown-supernode`, `no-other-home`.
   */
  moveHome(fromKey: string, toKey?: string): Promise<void>;
  refusals(): readonly (readonly [RefusalCode, number])[];
  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => void): Unsubscribe;
}
