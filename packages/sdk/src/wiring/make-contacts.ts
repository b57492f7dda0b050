import { ContactsManager } from "../contacts/contacts-manager.ts";
import { nodeNameResolver } from "../contacts/node-names.ts";
import { PinnedNames } from "../contacts/pinned-names.ts";
import { Outbox } from "../contacts/outbox.ts";
import type { Assembly } from "./assembly.ts";

export function makeOutbox(parts: Assembly): Promise<Outbox> {
  const { clock, storage } = parts.ports;
  return Outbox.load({
    clock,
    storage,
    sender: parts.later.sender,
    isOnline: () => parts.presence.online,
    random: parts.ports.random,
    locatorsOf: (accountKey) => {
      const state = parts.book.get(accountKey)?.state;
      return state?.status === "contact" ? state.locators : undefined;
    },
    onLost: (accountKey) => parts.contacts.handleLost(accountKey),
    onProblem: (detail) => parts.log("outbox", detail),
  });
}

export function makeContacts(parts: Assembly): ContactsManager {
  const { book, events, options, problem } = parts;
  return new ContactsManager(
    { ...parts, acceptAll: options.acceptAllRequests ?? false },
    {
      onContacts: () => events.emit("contacts", book.contacts()),
      onRequests: () => events.emit("requests", book.requests()),
      onRefused: parts.refuse,
      onTokens: () => parts.homes.refreshTokens().catch(problem),
      onRotate: async () => {
        await parts.homes.rotateContact();
        if (parts.presence.online) await parts.publisher.publish().catch(problem);
      },
    },
  );
}

export function makeNames({ ports, options, book, events, problem }: Assembly): PinnedNames {
  const { clock } = ports;
  return new PinnedNames(
    { clock, book, resolve: options.resolveName ?? nodeNameResolver(options.node, clock) },
    {
      onContacts: () => events.emit("contacts", book.contacts()),
      onChanged: (change) => events.emit("nameChanged", change),
      onProblem: problem,
    },
  );
}
