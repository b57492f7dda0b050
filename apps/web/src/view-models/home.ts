/** Everything behind the contact list and the call screen, put together for one client. */
import type { Client } from "@earshot/sdk";
import { effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { type AccountKeyModel, createAccountKeyModel } from "./account-key.ts";
import { type AddContactModel, createAddContactModel } from "./add-contact.ts";
import { type CallsModel, createCallsModel } from "./calls.ts";
import { type ChangedNamesModel, createChangedNamesModel } from "./changed-names.ts";
import { type ConnectionModel, createConnectionModel } from "./connection.ts";
import { type ContactsModel, createContactsModel } from "./contacts.ts";
import { createMyCardModel, type MyCardModel } from "./my-card.ts";
import { createNoticesModel, type NoticesModel } from "./notices.ts";
import type { NodePageDeps } from "./node-page.ts";
import type { Hosted, Platform } from "./ports.ts";
import { createRequestsModel, type RequestsModel } from "./requests.ts";
import { createSettingsModel, type SettingsModel } from "./settings.ts";

export type OpenDialog = "none" | "add-contact" | "my-card" | "settings" | "node";

/** What the models are made of whose views are fetched later. */
export interface LaterDeps extends NodePageDeps {
  readonly client: Client;
}

export interface HomeModel {
  readonly connection: ConnectionModel;
  readonly contacts: ContactsModel;
  readonly requests: RequestsModel;
  readonly addContact: AddContactModel;
  readonly myCard: MyCardModel;
  readonly notices: NoticesModel;
  readonly settings: SettingsModel;
  readonly accountKey: AccountKeyModel;
  readonly calls: CallsModel;
  readonly changedNames: ChangedNamesModel;
  /** Set where whoever serves this page could change it. */
  readonly hosted: Hosted | undefined;
  readonly later: LaterDeps;
  /** The browser keeps the page silent until the person clicks in it: a call would not be heard. */
  readonly silenced: ReadonlySignal<boolean>;
  readonly dialog: ReadonlySignal<OpenDialog>;
  open(dialog: OpenDialog): void;
  /** Opens the add-contact dialog with `card` filled in. */
  offerCard(card: string): void;
  dispose(): void;
}

/** Reads what earlier pages left, then follows `client`. */
export async function createHomeModel(client: Client, platform: Platform): Promise<HomeModel> {
  const { session, clock } = platform;
  const dialog = signal<OpenDialog>("none");
  const notices = createNoticesModel(client, session.notes, clock);
  const settings = createSettingsModel(client, session.notes, platform.download);
  const accountKey = createAccountKeyModel(client);
  const myCard = createMyCardModel(client, platform.clipboard);
  const addContact = createAddContactModel(client, (text) => session.checkCard(text));
  const connection = createConnectionModel(client, clock);
  const contacts = createContactsModel(client);
  const requests = createRequestsModel(client);
  const changedNames = createChangedNamesModel(client);
  const calls = createCallsModel(client, {
    media: platform.media,
    ring: platform.ring,
    attention: platform.attention,
    clock,
    download: platform.download,
    onMissed: (call) => notices.addMissed(call.peer.id, call.callId),
  });
  await Promise.all([notices.restore(), settings.restore()]);

  const open = (next: OpenDialog) => {
    if (next === "my-card") myCard.refresh();
    if (next !== "settings") {
      settings.leave();
      accountKey.leave();
    }
    dialog.value = next;
  };
  const silenced = signal(false);
  const stopWatching = platform.ring.watchSilenced((next) => {
    silenced.value = next;
  });
  // A call takes the whole screen; a dialog must not come back from under it, least of all one that shows the phrase.
  const closeDialogs = effect(() => {
    if (calls.current.value || calls.incoming.value) untracked(() => open("none"));
  });
  // The card's hints depend on where the client is at home.
  const refreshCard = effect(() => {
    if (connection.state.value) untracked(() => myCard.refresh());
  });
  return {
    connection,
    contacts,
    requests,
    addContact,
    myCard,
    notices,
    settings,
    accountKey,
    calls,
    changedNames,
    hosted: session.hosted(),
    later: { client, node: platform.node, clock, watchVisible: platform.watchVisible },
    silenced,
    dialog,
    open,
    offerCard: (card) => {
      addContact.setText(card);
      open("add-contact");
    },
    dispose: () => {
      stopWatching();
      closeDialogs();
      refreshCard();
      for (const part of [connection, contacts, requests, notices, calls, accountKey]) part.dispose();
    },
  };
}
