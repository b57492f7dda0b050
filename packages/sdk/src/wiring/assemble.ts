import { RefusalCounter } from "@earshot/core";
import { SignedAhead } from "../account/signed-ahead.ts";
import type { ClientEvents, ClientOptions } from "../api.ts";
import { ContactBook } from "../contacts/contact-book.ts";
import { Locator } from "../contacts/locator.ts";
import type { Emitter } from "../emitter.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { IdentityPorts } from "../identity/identity.ts";
import { openIdentity } from "../identity/open-identity.ts";
import { Prekeys } from "../identity/prekeys.ts";
import type { Assembly, Base } from "./assembly.ts";
import { makeCalls, makeCallSettings } from "./make-calls.ts";
import { makeContacts, makeNames, makeOutbox } from "./make-contacts.ts";
import { makeClockCheck, makeHomes, makeNetwork, makePresence, makeTrusted } from "./make-edge.ts";
import { makeLater, makeLooks } from "./make-envelopes.ts";

type Unfinished = { -readonly [K in keyof Assembly]: Assembly[K] };

/** Loads what is stored and wires the managers to each other and to `events`. Nothing connects yet. */
export async function assemble(
  options: ClientOptions,
  ports: IdentityPorts,
  events: Emitter<ClientEvents>,
): Promise<Assembly> {
  const base = await loadBase(options, ports, events);
  // The managers refer to each other in circles. Each takes what it needs from here when it is used, not when it is made.
  const parts = { ...base } as Unfinished;
  parts.later = makeLater(parts);
  parts.publisher = parts.later.publisher;
  parts.trusted = await makeTrusted(parts);
  parts.homes = await makeHomes(parts);
  parts.clockCheck = makeClockCheck(parts);
  parts.presence = makePresence(parts);
  parts.network = makeNetwork(parts);
  parts.looks = makeLooks(parts);
  parts.outbox = await makeOutbox(parts);
  parts.contacts = makeContacts(parts);
  parts.names = makeNames(parts);
  parts.callSettings = makeCallSettings(parts);
  parts.calls = makeCalls(parts);
  return parts;
}

async function loadBase(options: ClientOptions, ports: IdentityPorts, events: Emitter<ClientEvents>): Promise<Base> {
  const { identity, backup } = await openIdentity(ports, options);
  const refusals = new RefusalCounter();
  const log = (event: string, detail?: string) => options.log?.({ event, ...(detail === undefined ? {} : { detail }) });
  const problem = (error: unknown) => log("problem", `${codeOf(error)}: ${messageOf(error)}`);
  return {
    options,
    ports,
    events,
    identity,
    backup,
    prekeys: await Prekeys.load(ports, identity),
    ahead: await SignedAhead.load(ports, identity),
    book: await ContactBook.load(ports.storage, identity.accountKey),
    locator: await Locator.load(ports),
    refusals,
    log,
    problem,
    refuse: (code) => {
      refusals.count(code);
      events.emit("refused", { code });
    },
  };
}
