/** The contact list beside the selected contact; a call covers both. */
import { useEffect } from "preact/hooks";
import type { HomeModel } from "../view-models/home.ts";
import { ContactList } from "./contact-list.tsx";
import { Icon, Mark } from "./icons.tsx";
import { HostedNotice } from "./hosted-notice.tsx";
import { IncomingDialog } from "./incoming-dialog.tsx";
import { fetchLaterViews, Later } from "./later.tsx";
import { Button, Dialog, Problem } from "./parts.tsx";
import { BareCallView, PreparingView } from "./preparing-view.tsx";

/** Home, with whichever dialog or call is on. */
export function HomeView({ model }: { readonly model: HomeModel }) {
  const call = model.calls.current.value;
  const preparing = model.calls.preparing.value;
  const incoming = model.calls.incoming.value;
  const online = model.connection.state.value === "online";
  useEffect(() => {
    if (online) fetchLaterViews();
  }, [online]);
  return (
    <>
      {call ? (
        <Later meanwhile={(problem) => <BareCallView call={call} problem={problem} />}>
          {({ CallView }) => <CallView key={call.callId} call={call} home={model} />}
        </Later>
      ) : preparing ? (
        <PreparingView name={preparing.name} video={preparing.video} />
      ) : (
        <Desk model={model} />
      )}
      {incoming && <IncomingDialog key={incoming.callId} model={incoming} />}
    </>
  );
}

function Desk({ model }: { readonly model: HomeModel }) {
  const selected = model.contacts.selected.value;
  const dialog = model.dialog.value;
  const close = () => model.open("none");
  return (
    <main class="desk" data-selected={selected ? "yes" : "no"}>
      <section class="side" aria-label="Contacts and requests">
        <SideHead model={model} />
        <HostedNotice hosted={model.hosted} />
        <ConnectionBanner text={model.connection.banner.value} state={model.connection.state.value} />
        <AccountKeyBanner text={model.accountKey.banner.value} />
        <SilenceNotice silenced={model.silenced.value} />
        <PhraseReminder model={model} />
        <p class="visually-hidden" role="status">
          {arrivals(model.requests.list.value.length, model.notices.list.value.length)}
        </p>
        <Later idle meanwhile={() => null}>
          {({ Arrivals }) => <Arrivals home={model} />}
        </Later>
        <ContactList model={model} />
        <div class="side-actions">
          <Button kind="primary" icon="plus" testId="open-add-contact" onClick={() => model.open("add-contact")}>
            Add contact
          </Button>
          <Button icon="card" testId="open-my-card" onClick={() => model.open("my-card")}>
            Your card
          </Button>
        </div>
      </section>
      <section class="pane" aria-label="Selected contact">
        {selected ? (
          <Later meanwhile={(problem) => <ContactMeanwhile home={model} problem={problem} />}>
            {({ ContactView }) => <ContactView key={selected.id} contact={selected} home={model} />}
          </Later>
        ) : (
          <NobodySelected withEcho={model.contacts.list.value.some((contact) => contact.name === "Echo")} />
        )}
      </section>
      {dialog !== "none" && (
        <Later meanwhile={(problem) => problem && <LoadProblem problem={problem} onClose={close} />}>
          {({ DeskDialog }) => <DeskDialog dialog={dialog} home={model} onClose={close} />}
        </Later>
      )}
    </main>
  );
}

/** On a phone the list is hidden behind it: there is always a way back. */
function ContactMeanwhile({ home, problem }: { readonly home: HomeModel; readonly problem: string | undefined }) {
  return (
    <div class="person">
      <Button kind="quiet" icon="back" onClick={() => home.contacts.select(undefined)}>
        Contacts
      </Button>
      <Problem text={problem} />
    </div>
  );
}

function LoadProblem({ problem, onClose }: { readonly problem: string; readonly onClose: () => void }) {
  return (
    <Dialog title="Not loaded yet" testId="not-loaded" onClose={onClose}>
      <Problem text={problem} />
    </Dialog>
  );
}

function SideHead({ model }: { readonly model: HomeModel }) {
  return (
    <header class="side-head">
      <Mark />
      <div class="side-who">
        <h1>Earshot</h1>
        <p class="soft" data-testid="my-name">
          {model.settings.name.value}
        </p>
      </div>
      <Button
        kind="quiet"
        icon="settings"
        label="Settings"
        testId="open-settings"
        onClick={() => model.open("settings")}
      />
    </header>
  );
}

function ConnectionBanner({ text, state }: { readonly text: string | undefined; readonly state: string }) {
  return (
    <div class="banner-slot" role="status" data-testid="connection-state" data-state={state}>
      {text && <p class={`banner banner-${state}`}>{text}</p>}
    </div>
  );
}

/** The account key is away and needed. */
function AccountKeyBanner({ text }: { readonly text: string | undefined }) {
  return (
    <div class="banner-slot" role="status" data-testid="account-key-needed">
      {text && <p class="banner banner-offline">{text}</p>}
    </div>
  );
}

/** For screen readers: what came in while the person was elsewhere on the page. */
function arrivals(requests: number, notices: number): string {
  const parts = [];
  if (requests > 0) parts.push(requests === 1 ? "One contact request." : `${requests} contact requests.`);
  if (notices > 0) parts.push(notices === 1 ? "One notice." : `${notices} notices.`);
  return parts.join(" ");
}

/** Any click will do; the button is there so that it is plain where to. */
function SilenceNotice({ silenced }: { readonly silenced: boolean }) {
  return (
    <div class="banner-slot" role="status">
      {silenced && (
        <div class="banner banner-silence" data-testid="silenced">
          <p>Your browser keeps this page silent until you click in it: a call would not be heard.</p>
          <Button testId="allow-ring">Let it ring</Button>
        </div>
      )}
    </div>
  );
}

function PhraseReminder({ model }: { readonly model: HomeModel }) {
  if (!model.settings.remindOfPhrase.value) return null;
  return (
    <section class="card" aria-label="Recovery phrase" data-testid="phrase-reminder">
      <p>
        <strong>Write down your recovery phrase.</strong> If this browser's data is lost, those 24 words are the only
        way back to your account.
      </p>
      <div class="row">
        <Button
          kind="primary"
          testId="reminder-show"
          onClick={() => {
            model.open("settings");
            void model.settings.showPhrase();
          }}
        >
          Show it
        </Button>
        <Button kind="quiet" testId="reminder-later" onClick={() => model.settings.dismissReminder()}>
          Not now
        </Button>
      </div>
    </section>
  );
}

function NobodySelected({ withEcho }: { readonly withEcho: boolean }) {
  return (
    <div class="nobody">
      <Icon name="person" class="icon-l" />
      <h2>{withEcho ? "Pick somebody to call" : "Add somebody to call"}</h2>
      {withEcho ? (
        <p class="soft">
          To try Earshot on your own, pick <strong>Echo</strong>: it answers, repeats what it hears, and tells you what
          it measured.
        </p>
      ) : (
        <p class="soft">Send them your card, and add theirs. Once both of you have done so, you can call each other.</p>
      )}
    </div>
  );
}
