import type { BackupContent, RefusalCode, RefusalCounter } from "@earshot/core";
import type { ClientEvents, ClientOptions } from "../api.ts";
import type { CallSettingsStore } from "../calls/call-settings.ts";
import type { LazyCalls } from "../calls/lazy-calls.ts";
import type { ClockCheck } from "../clock-check.ts";
import type { SignedAhead } from "../account/signed-ahead.ts";
import type { ContactBook } from "../contacts/contact-book.ts";
import type { ContactsManager } from "../contacts/contacts-manager.ts";
import type { Locator } from "../contacts/locator.ts";
import type { PinnedNames } from "../contacts/pinned-names.ts";
import type { Outbox } from "../contacts/outbox.ts";
import type { ContactLooks } from "../directory/contact-looks.ts";
import type { Homes } from "../edge/homes.ts";
import type { Network } from "../edge/network.ts";
import type { TrustedSupernodes } from "../edge/trusted-supernodes.ts";
import type { Emitter } from "../emitter.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import type { Prekeys } from "../identity/prekeys.ts";
import type { Presence } from "../presence.ts";
import type { LazyParts } from "./lazy-parts.ts";

/** What every manager may use from its making on. */
export interface Base {
  readonly options: ClientOptions;
  readonly ports: IdentityPorts;
  readonly events: Emitter<ClientEvents>;
  readonly identity: Identity;
  readonly backup: BackupContent | undefined;
  readonly prekeys: Prekeys;
  readonly ahead: SignedAhead;
  readonly book: ContactBook;
  readonly locator: Locator;
  readonly refusals: RefusalCounter;
  /** Diagnostics. */
  log(event: string, detail?: string): void;
  /** Something failed that nobody waits for. */
  problem(error: unknown): void;
  /** Counts and tells of what somebody else sent and was refused. */
  refuse(code: RefusalCode): void;
}

/** The managers of one client, wired up. They use each other through this, once all are made. */
export interface Assembly extends Base {
  /** Loaded while connecting. */
  readonly later: LazyParts;
  readonly trusted: TrustedSupernodes;
  readonly homes: Homes;
  readonly network: Network;
  readonly clockCheck: ClockCheck;
  readonly presence: Presence;
  readonly looks: ContactLooks;
  /** {@link later}’s. */
  readonly publisher: LazyParts["publisher"];
  readonly outbox: Outbox;
  readonly contacts: ContactsManager;
  readonly names: PinnedNames;
  /** Loaded when it is first asked for. */
  readonly callSettings: () => Promise<CallSettingsStore>;
  readonly calls: LazyCalls;
}
