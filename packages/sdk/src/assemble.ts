import {
  type BackupContent,
  contactSecret,
  type DeviceLocator,
  deliveryToken,
  equalBytes,
  RefusalCounter,
  type RefusalCode,
  registeredDays,
  toHex,
  tokenHash,
} from "@earshot/core";
import type { ClientEvents, ClientOptions } from "./api.ts";
import { type CallHandle } from "./calls/call-handle.ts";
import { CallsManager } from "./calls/calls-manager.ts";
import { ContactBook } from "./contacts/contact-book.ts";
import { ContactsManager } from "./contacts/contacts-manager.ts";
import { Locator } from "./contacts/locator.ts";
import { Outbox } from "./contacts/outbox.ts";
import { Directory } from "./directory/directory.ts";
import { Publisher } from "./directory/publisher.ts";
import { Courier } from "./edge/courier.ts";
import { createLinks, type Links } from "./edge/links.ts";
import { Mailboxes } from "./edge/mailboxes.ts";
import type { Emitter } from "./emitter.ts";
import { EnvelopeRouter } from "./envelopes/router.ts";
import { Sender } from "./envelopes/sender.ts";
import { CallError, codeOf, messageOf } from "./errors.ts";
import type { Identity, IdentityPorts } from "./identity/identity.ts";
import { openIdentity } from "./identity/open-identity.ts";
import { Prekeys } from "./identity/prekeys.ts";
import { parseNodeAddress } from "./node-address.ts";
import { Presence } from "./presence.ts";

/** What a supernode asks for on the request lane, until it says so itself. */
const DEFAULT_REQUEST_WORK_BITS = 18;

/** The managers of one client, wired up. */
export interface Assembly {
  readonly ports: IdentityPorts;
  readonly identity: Identity;
  readonly book: ContactBook;
  readonly contacts: ContactsManager;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly mailboxes: Mailboxes;
  readonly publisher: Publisher;
  readonly links: Links;
  readonly presence: Presence;
  readonly calls: CallsManager;
  readonly refusals: RefusalCounter;
  readonly backup: BackupContent | undefined;
}

/** Loads what is stored and wires the managers to each other and to `events`. Nothing connects yet. */
export async function assemble(
  options: ClientOptions,
  ports: IdentityPorts,
  events: Emitter<ClientEvents>,
): Promise<Assembly> {
  const { storage, clock, signatures } = ports;
  const address = parseNodeAddress(options.node);
  const { identity, backup } = await openIdentity(ports, options);
  const self = identity.accountKey;
  const prekeys = await Prekeys.load(ports, identity);
  const book = await ContactBook.load(storage, self);
  const locator = await Locator.load(ports);
  const refusals = new RefusalCounter();
  const log = (event: string, detail?: string) => options.log?.({ event, ...(detail === undefined ? {} : { detail }) });
  const onProblem = (error: unknown) => log("problem", `${codeOf(error)}: ${messageOf(error)}`);
  const onRefused = (code: RefusalCode) => {
    refusals.count(code);
    events.emit("refused", { code });
  };

  let requestWorkBits = DEFAULT_REQUEST_WORK_BITS;
  let iceServers: readonly RTCIceServer[] = [];
  const router = new EnvelopeRouter(
    { ports, identity, prekeys, book },
    {
      onCall: (opened) => calls.handleEnvelope(opened),
      onContactMessage: (opened) => contacts.handleEnvelope(opened),
      onListAhead: (accountKey) => void lookAtAll(accountKey),
      onRefused,
    },
  );
  const mailboxes = await Mailboxes.load(ports, {
    onEnvelope: (envelope, lane) => router.handle(envelope, lane),
    tokensFor: (mailboxId) =>
      book.tokenSecrets().flatMap((secret) =>
        registeredDays(clock.now()).map((day) => ({
          day,
          tokenHash: tokenHash(deliveryToken(secret, mailboxId, day)),
        })),
      ),
    onMoved: () => log("mailbox-moved"),
    onProblem,
  });
  const presence: Presence = new Presence(
    { clock, mailboxes, links: () => links, publisher: () => publisher, edgeUrl: address.edgeUrl },
    {
      onStatus: (status) => events.emit("status", status),
      onDraining: () => calls.holdRings(),
      onDrained: () => calls.releaseRings(),
      onOnline: () => void whenOnline(),
      onProblem,
    },
  );
  const links = createLinks({ ...ports, transport: options.transport }, options.node, {
    onMailboxes: presence.linkHandlers,
    onDeliveriesUp: (session, welcome) => {
      requestWorkBits = welcome.requestWorkBits;
      session
        .request({ type: "get-ice" })
        .then((answer) => {
          if (answer.ok) iceServers = answer.value.urls.map((urls) => ({ urls }));
        })
        .catch(onProblem);
    },
    expectedKey: () => mailboxes.home?.supernodeKey,
  });
  const directory = new Directory({ clock, signatures, link: links.directory });
  const courier = new Courier({ ...ports, link: links.deliveries });
  const sender = new Sender({
    ports,
    identity,
    directory,
    courier,
    requestWorkBits: () => requestWorkBits,
    onList: async (accountKey, list) => {
      for (const device of await book.learnList(accountKey, list)) {
        const contact = book.contact(accountKey);
        if (contact) events.emit("newDevice", { contactId: contact.id, deviceId: toHex(device) });
      }
    },
    knownHead: (accountKey) => book.get(accountKey)?.listHead ?? undefined,
  });
  const publisher = new Publisher({ ports, identity, prekeys, mailboxes, directory, locatorSeed: () => locator.seed });
  const outbox = await Outbox.load({
    clock,
    storage,
    sender,
    isOnline: () => presence.online,
    onProblem: (detail) => log("outbox", detail),
  });
  const contacts = new ContactsManager(
    { ports, identity, book, outbox, locator, acceptAll: options.acceptAllRequests ?? false },
    {
      onContacts: () => events.emit("contacts", book.contacts()),
      onRequests: () => events.emit("requests", book.requests()),
      onRefused,
      onTokens: () => mailboxes.refreshTokens().catch(onProblem),
      onRotate: async () => {
        await locator.rotate();
        await mailboxes.rotateContact().catch(onProblem);
        await contacts.announceLocator();
        if (presence.online) await publisher.publish().catch(onProblem);
      },
    },
  );
  const calls = new CallsManager(
    {
      clock,
      random: ports.random,
      peerConnection: options.peerConnection,
      iceServers: () => iceServers,
      self: { account: self, device: identity.deviceKey },
      maxCalls: options.maxCalls ?? 1,
      contactOf: (account) => book.contact(account),
      sendEnvelope: async (account, device, body) => {
        const state = book.get(account)?.state;
        const secret = state && contactSecret(self, state);
        const address = state && locatorsOf(state).find(({ deviceKey }) => equalBytes(deviceKey, device));
        if (!secret || !address) throw new CallError("not-a-contact", "No longer a contact.");
        const sent = await sender.toContact({ accountKey: account, ...address }, secret, { kind: "call", body });
        if (!sent.ok) throw new CallError(sent.code, "The call's message was not taken.");
      },
    },
    {
      onIncoming: (call: CallHandle) => {
        const shown = events.count("incoming") > 0;
        events.emit("incoming", call);
        return shown;
      },
      onMissed: (contact, callId) => events.emit("missed", { contactId: contact.id, callId, at: clock.now() }),
      onBrokenAttempt: (contact) => events.emit("brokenAttempt", { contactId: contact.id, at: clock.now() }),
      onRefused,
      onListenerError: onProblem,
      onProblem: (detail) => log("call", detail),
    },
  );

  async function lookAtAll(accountKey: Uint8Array): Promise<void> {
    const state = book.get(accountKey)?.state;
    for (const { deviceKey, locatorKey } of state ? locatorsOf(state) : []) {
      await sender.look({ accountKey, deviceKey, locatorKey }).catch(onProblem);
    }
  }

  /** What waits goes out, and contacts are looked up so that calling them is fast. */
  async function whenOnline(): Promise<void> {
    await outbox.flush();
    for (const { state } of book.all()) {
      if (state.status !== "contact") continue;
      for (const { deviceKey, locatorKey } of state.locators) {
        if (!presence.online) return;
        await sender.prepare({ accountKey: state.accountKey, deviceKey, locatorKey }).catch(onProblem);
      }
    }
  }

  return {
    ports,
    identity,
    book,
    contacts,
    outbox,
    sender,
    mailboxes,
    publisher,
    links,
    presence,
    calls,
    refusals,
    backup,
  };
}

function locatorsOf(state: { readonly locators?: readonly DeviceLocator[] } | object): readonly DeviceLocator[] {
  return "locators" in state && state.locators ? state.locators : [];
}
