import { toHex } from "@earshot/core";
import { ContactLooks } from "../directory/contact-looks.ts";
import { EnvelopeRouter } from "../envelopes/router.ts";
import { Sender } from "../envelopes/sender.ts";
import type { Assembly } from "./assembly.ts";

export function makeRouter(parts: Assembly): EnvelopeRouter {
  return new EnvelopeRouter(parts, {
    onCall: (opened) => parts.calls.handleEnvelope(opened),
    onContactMessage: (opened) => parts.contacts.handleEnvelope(opened),
    onNewDevice: (accountKey, device, restarted) => tellNewDevice(parts, accountKey, device, restarted),
    onListAhead: (accountKey) => void parts.looks.lookAtList(accountKey),
    onRefused: parts.refuse,
  });
}

/** What a supernode asks for on the request lane, until one says so itself. */
const DEFAULT_WORK_BITS = 18;

export function makeSender(parts: Assembly): Sender {
  const { book, homes } = parts;
  return new Sender({
    ...parts,
    requestWorkBits: () =>
      Math.max(0, ...homes.slots.flatMap((slot) => slot.requestWorkBits ?? [])) || DEFAULT_WORK_BITS,
    onList: async (accountKey, list) => {
      for (const device of book.newDevices(accountKey, list)) tellNewDevice(parts, accountKey, device, false);
      await book.learnList(accountKey, list);
    },
    knownHead: (accountKey) => book.get(accountKey)?.listHead ?? undefined,
  });
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
  const { ports, book, sender, presence, problem } = parts;
  return new ContactLooks({
    clock: ports.clock,
    book,
    sender,
    isOnline: () => presence.online,
    onProblem: problem,
  });
}
