import { toHex } from "@earshot/core";
import { EnvelopeRouter } from "../envelopes/router.ts";
import { Sender } from "../envelopes/sender.ts";
import type { Assembly } from "./assembly.ts";

export function makeRouter(parts: Assembly): EnvelopeRouter {
  return new EnvelopeRouter(parts, {
    onCall: (opened) => parts.calls.handleEnvelope(opened),
    onContactMessage: (opened) => parts.contacts.handleEnvelope(opened),
    onListAhead: (accountKey) => void lookAtAll(parts, accountKey),
    onRefused: parts.refuse,
  });
}

export function makeSender(parts: Assembly): Sender {
  const { book, events, supernode } = parts;
  return new Sender({
    ...parts,
    requestWorkBits: () => supernode.requestWorkBits,
    onList: async (accountKey, list) => {
      for (const device of await book.learnList(accountKey, list)) {
        const contact = book.contact(accountKey);
        if (contact) events.emit("newDevice", { contactId: contact.id, deviceId: toHex(device) });
      }
    },
    knownHead: (accountKey) => book.get(accountKey)?.listHead ?? undefined,
  });
}

/** Looks a contact's devices up anew: their bundles carry the device list. */
async function lookAtAll({ book, sender, problem }: Assembly, accountKey: Uint8Array): Promise<void> {
  const state = book.get(accountKey)?.state;
  if (state?.status !== "contact") return;
  for (const { deviceKey, locatorKey } of state.locators) {
    await sender.look({ accountKey, deviceKey, locatorKey }).catch(problem);
  }
}
