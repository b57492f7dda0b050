import { toHex } from "@earshot/core";
import { ContactLooks } from "../directory/contact-looks.ts";
import type { RouterHandlers } from "../envelopes/router.ts";
import type { SenderParts } from "../envelopes/sender.ts";
import { accountTeller } from "../account/account-key.ts";
import { aheadOutdated } from "../account/signed-ahead.ts";
import type { PublisherParts } from "../directory/publisher.ts";
import type { Assembly } from "./assembly.ts";
import { LazyParts } from "./lazy-parts.ts";

export function makeLater(parts: Assembly): LazyParts {
  const { ports, identity, ahead } = parts;
  const places: PublisherParts["places"] = (lane) => parts.homes.places(lane);
  const load = async () => {
    const later = await import("./later-parts.ts");
    const scouts = parts.network;
    const lastGood = await later.LastGoodRecords.load(ports.storage, ports.clock, parts.problem);
    const directory = new later.Directory({ ...ports, lastGood, scouts, onRefused: parts.refuse });
    const courier = new later.Courier({ ...ports, links: () => parts.homes.deliveries() });
    const writer = new later.RecordWriter({ clock: ports.clock, scouts });
    return {
      router: new later.EnvelopeRouter(parts, routerHandlers(parts)),
      sender: new later.Sender({ ...parts, directory, courier, ...senderPorts(parts) }),
      publisher: new later.Publisher({ ...parts, directory, writer, places, onPublished: accountTeller(parts) }),
    };
  };
  return new LazyParts(load, ports.clock, () => aheadOutdated({ identity, ahead, places }));
}

function routerHandlers(parts: Assembly): RouterHandlers {
  return {
    onCall: (opened) => parts.calls.handleEnvelope(opened),
    onContactMessage: (opened) => parts.contacts.handleEnvelope(opened),
    onNewDevice: (accountKey, device, restarted) => tellNewDevice(parts, accountKey, device, restarted),
    onListAhead: (accountKey) => void parts.looks.lookAtList(accountKey),
    onRefused: parts.refuse,
  };
}

/** What a supernode asks for on the request lane, until one says so itself. */
const DEFAULT_WORK_BITS = 18;

function senderPorts(parts: Assembly): Pick<SenderParts, "requestWorkBits" | "onList" | "knownHead"> {
  const { book, homes } = parts;
  return {
    requestWorkBits: () =>
      Math.max(0, ...homes.slots.flatMap((slot) => slot.requestWorkBits ?? [])) || DEFAULT_WORK_BITS,
    onList: async (accountKey, list) => {
      for (const device of book.newDevices(accountKey, list)) tellNewDevice(parts, accountKey, device, false);
      await book.learnList(accountKey, list);
    },
    knownHead: (accountKey) => book.get(accountKey)?.listHead ?? undefined,
  };
}

function tellNewDevice(
  { book, events }: Assembly,
  accountKey: Uint8Array,
  device: Uint8Array,
  restarted: boolean,
): void {
  const contact = book.contact(accountKey);
  if (!contact) return;
  const notice = { contactId: contact.id, deviceId: toHex(device) };
  events.emit("newDevice", restarted ? { ...notice, listRestarted: true } : notice);
}

export function makeLooks(parts: Assembly): ContactLooks {
  const { ports, book, later, presence, problem } = parts;
  return new ContactLooks({
    clock: ports.clock,
    book,
    sender: later.sender,
    isOnline: () => presence.online,
    onProblem: problem,
  });
}
