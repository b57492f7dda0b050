import { useState } from "preact/hooks";
import type { HomeModel } from "../view-models/home.ts";
import type { SettingsModel } from "../view-models/settings.ts";
import { AccountKey } from "./account-key.tsx";
import { CallPrivacySection } from "./call-privacy-section.tsx";
import { HomesSection } from "./homes-section.tsx";
import { Button, Dialog } from "./parts.tsx";

/** Name, recovery phrase, backup, and what there is to know about the connection. */
export function SettingsDialog({ home, onClose }: { readonly home: HomeModel; readonly onClose: () => void }) {
  const { settings } = home;
  const message = settings.message.value;
  return (
    <Dialog title="Settings" testId="settings-dialog" onClose={onClose}>
      <NameForm settings={settings} />
      <div role="status">
        {message && (
          <p class={message.bad ? "problem" : "done"} data-testid="settings-message">
            {message.text}
          </p>
        )}
      </div>
      <Phrase settings={settings} />
      <AccountKey model={home.accountKey} />
      <section aria-labelledby="backup-title">
        <h3 id="backup-title">Backup</h3>
        <p class="soft">
          Your name and contacts, encrypted with your recovery phrase. A device that you restore it on is a new device,
          and your contacts are told so.
        </p>
        <Button testId="download-backup" onClick={() => settings.downloadBackup()}>
          Download backup
        </Button>
      </section>
      <CallPrivacySection home={home} />
      <HomesSection home={home} />
      {home.hosted === undefined && (
        <section aria-labelledby="node-title">
          <h3 id="node-title">Your node</h3>
          <p class="soft">What it does for you and for others, the supernodes it knows, and lending it.</p>
          <Button icon="node" testId="open-node" onClick={() => home.open("node")}>
            Open its page
          </Button>
        </section>
      )}
      <section aria-labelledby="about-title">
        <h3 id="about-title">Your account</h3>
        <dl class="facts">
          <dt>Your id</dt>
          <dd class="mono break small">{settings.id}</dd>
        </dl>
      </section>
    </Dialog>
  );
}

function NameForm({ settings }: { readonly settings: SettingsModel }) {
  const [name, setName] = useState(settings.name.value);
  const save = (event: Event) => {
    event.preventDefault();
    void settings.saveName(name);
  };
  return (
    <form onSubmit={save}>
      <label class="field">
        <span class="label">Your name</span>
        <span class="row">
          <input
            type="text"
            autocomplete="name"
            maxLength={64}
            data-testid="settings-name"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" testId="settings-save-name">
            Save
          </Button>
        </span>
      </label>
    </form>
  );
}

function Phrase({ settings }: { readonly settings: SettingsModel }) {
  const words = settings.phrase.value;
  return (
    <section aria-labelledby="phrase-title">
      <h3 id="phrase-title">Recovery phrase</h3>
      <p class="soft">
        These 24 words are your account. Write them on paper, in order. Whoever has them can be you; Earshot never asks
        for them except to restore.
      </p>
      {words ? (
        <>
          <ol class="phrase" data-testid="phrase">
            {words.map((word, index) => (
              <li key={index}>{word}</li>
            ))}
          </ol>
          <Button testId="hide-phrase" onClick={() => settings.hidePhrase()}>
            Hide
          </Button>
        </>
      ) : (
        <Button testId="show-phrase" onClick={() => settings.showPhrase()}>
          Show recovery phrase
        </Button>
      )}
    </section>
  );
}
