/** What is loaded once calls are to be made or taken, or their settings looked at: the parts, and how they are wired. */
import { contactSecret, equalBytes, type Home, toHex } from "@earshot/core";
import { CallSettingsStore } from "../calls/call-settings.ts";
import type { CallPrivacy } from "../calls/call-privacy.ts";
import { type CallsHandlers, CallsManager, type CallsPorts } from "../calls/calls-manager.ts";
import { MAX_ICE_SERVERS } from "../calls/ice-servers.ts";
import { OverlayRelays, type OverlayRelaysPorts } from "../calls/overlay-relays.ts";
import { RelayPool } from "../calls/relay-pool.ts";
import { CallError } from "../errors.ts";
import type { Assembly } from "./assembly.ts";

export async function loadCalls(parts: Assembly): Promise<CallsManager> {
  const settings = await parts.callSettings();
  const source = parts.options.relays ?? new OverlayRelays(relayPorts(parts));
  const relays = new RelayPool(source, parts.ports.clock, (detail) => parts.log("call", detail));
  relays.keepReady(() => settings.value.relayConsent);
  return new CallsManager({ ...callsPorts(parts), privacy: privacyOf(parts, settings, relays) }, callsHandlers(parts));
}

export async function loadCallSettings({
  ports,
  options,
  book,
  events,
  problem,
}: Assembly): Promise<CallSettingsStore> {
  const settings = await CallSettingsStore.load(ports.storage, options.callSettings);
  const keepContacts = () => settings.keepOnly((account) => book.contact(account) !== undefined).catch(problem);
  await keepContacts();
  events.on("contacts", () => void keepContacts());
  return settings;
}

function relayPorts({ ports, options, homes, network, log }: Assembly): OverlayRelaysPorts {
  return {
    ...ports,
    transport: options.transport,
    relays: () => network.roaming?.relays() ?? [],
    homes: () => homes.current.map(({ key }) => ({ key, operator: network.roaming?.operatorOf(key) ?? "" })),
    addressOf: (home) => homes.addressOf(home),
    onProblem: (detail) => log("call", detail),
  };
}

function callsPorts(parts: Assembly): CallsPorts {
  const { ports, options, identity, book, homes } = parts;
  return {
    clock: ports.clock,
    random: ports.random,
    peerConnection: options.peerConnection,
    iceServers: () => iceServersOfAll(homes.slots),
    self: { account: identity.accountKey, device: identity.deviceKey },
    maxCalls: options.maxCalls ?? 1,
    clockCorrectionMs: () => parts.clockCheck.correctionMs,
    contactOf: (account) => book.contact(account),
    isNewDevice: (device) => book.wasNew(device),
    sendEnvelope: (account, device, body) => sendCallMessage(parts, account, device, body),
    homes: { urge: () => homes.urge(), canSend: () => homes.deliveries().some(({ session }) => session) },
  };
}

function privacyOf(parts: Assembly, settings: CallSettingsStore, relays: RelayPool): CallPrivacy {
  const { trusted, problem, homes, network, book, later } = parts;
  const hostOf = ({ supernodeKey: key }: Home) => ({ key, operator: network.roaming?.operatorOf(toHex(key)) ?? "" });
  return {
    relays,
    onRelays: (found) => relays.onFound(found),
    ownHomes: () => homes.current.map(({ mailboxes }) => hostOf(mailboxes.home)),
    homesOf(account) {
      const state = book.get(account)?.state;
      const devices = state?.status === "contact" ? state.locators : [];
      return devices.flatMap((device) => later.sender.homesOf(device)).map(hostOf);
    },
    relayConsent: () => settings.value.relayConsent,
    trustedRelays: () => [...trusted.keys, ...relays.trustedKeys()],
    hidesFrom: (account, isNewDevice) => settings.hidesFrom(account, isNewDevice),
    lowData: () => settings.value.lowData,
    met: (account) => void settings.meet(account).catch(problem),
    stop: () => relays.stop(),
  };
}

function callsHandlers(parts: Assembly): CallsHandlers {
  const { ports, events } = parts;
  return {
    onIncoming: (call) => {
      const shown = events.count("incoming") > 0;
      events.emit("incoming", call);
      return shown;
    },
    onMissed: ({ id }, callId, relayNeeded) => {
      const missed = { contactId: id, callId, at: ports.clock.now() };
      events.emit("missed", relayNeeded ? { ...missed, relayNeeded } : missed);
    },
    onBrokenAttempt: ({ id }) => events.emit("brokenAttempt", { contactId: id, at: ports.clock.now() }),
    onRefused: parts.refuse,
    onListenerError: parts.problem,
    onProblem: (detail) => parts.log("call", detail),
  };
}

/** What all homes name, one of each before the second of any; as many as one alone may name. */
function iceServersOfAll(slots: Assembly["homes"]["slots"]): readonly RTCIceServer[] {
  const lists = slots.map(({ iceServers }) => iceServers);
  const mixed = Array.from({ length: MAX_ICE_SERVERS }, (_, i) => lists.flatMap((list) => list[i] ?? [])).flat();
  const byUrl = new Map(mixed.map((server) => [String(server.urls), server]));
  return [...byUrl.values()].slice(0, MAX_ICE_SERVERS);
}

/** To one device of a contact; gives how to send it again. Rejects with {@link CallError} where no home takes it. */
async function sendCallMessage(
  { book, identity, later: { sender } }: Assembly,
  accountKey: Uint8Array,
  device: Uint8Array,
  body: Uint8Array,
): Promise<(() => Promise<void>) | undefined> {
  const state = book.get(accountKey)?.state;
  const secret = state && contactSecret(identity.accountKey, state);
  const locators = state?.status === "contact" ? state.locators : [];
  const address = locators.find(({ deviceKey }) => equalBytes(deviceKey, device));
  if (!secret || !address) throw new CallError("not-a-contact", "No longer a contact.");
  const sent = await sender.toContact({ accountKey, ...address }, secret, { kind: "call", body });
  if (!sent.ok) throw new CallError(sent.code, "The call's message was not taken.");
  return sent.again;
}
