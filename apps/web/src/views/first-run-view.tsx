/** First run: what Earshot does, a name, or an account from its recovery phrase. */
import { useRef } from "preact/hooks";
import type { FirstRunModel } from "../view-models/first-run.ts";
import type { Hosted } from "../view-models/ports.ts";
import { HostedNotice } from "./hosted-notice.tsx";
import { Icon, Mark } from "./icons.tsx";
import { Button, Problem } from "./parts.tsx";

/** The form; the model judges it. */
export function FirstRunView({
  model,
  hosted,
}: {
  readonly model: FirstRunModel;
  readonly hosted: Hosted | undefined;
}) {
  const restoring = model.restoring.value;
  const submit = (event: Event) => {
    event.preventDefault();
    void model.submit();
  };
  return (
    <main class="centre first-run">
      <Mark />
      <h1>{restoring ? "Restore your account" : "Welcome to Earshot"}</h1>
      <p class="lead">Calls that only the people on them can hear.</p>
      <HostedNotice hosted={hosted} />
      <form class="panel" onSubmit={submit} noValidate>
        {restoring && <RestoreFields model={model} />}
        <label class="field">
          <span class="label">{restoring ? "Your name (if it changed)" : "Your name"}</span>
          <input
            data-testid="name-input"
            type="text"
            autocomplete="name"
            maxLength={64}
            autofocus={!restoring}
            value={model.name.value}
            onInput={(event) => model.setName(event.currentTarget.value)}
          />
          <span class="hint">What people see when you call them. You can change it later.</span>
        </label>
        <Problem text={model.problem.value} testId="first-run-problem" />
        <Button kind="primary" type="submit" testId="start-button" disabled={model.busy.value}>
          {startLabel(restoring, model.busy.value)}
        </Button>
        <Button kind="quiet" testId="toggle-restore" onClick={() => model.setRestoring(!restoring)}>
          {restoring ? "Start with a new account instead" : "I have a recovery phrase"}
        </Button>
      </form>
      {!restoring && <Promises />}
    </main>
  );
}

function startLabel(restoring: boolean, busy: boolean): string {
  if (busy) return restoring ? "Restoring…" : "Making your keys…";
  return restoring ? "Restore" : "Start";
}

function RestoreFields({ model }: { readonly model: FirstRunModel }) {
  const file = useRef<HTMLInputElement>(null);
  const choose = () => {
    const chosen = file.current?.files?.[0];
    void model.setBackup(
      chosen && { name: chosen.name, size: chosen.size, read: async () => new Uint8Array(await chosen.arrayBuffer()) },
    );
  };
  return (
    <>
      <label class="field">
        <span class="label">Recovery phrase</span>
        <textarea
          data-testid="phrase-input"
          rows={4}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          autofocus
          value={model.phrase.value}
          onInput={(event) => model.setPhrase(event.currentTarget.value)}
        />
        <span class="hint">All 24 words, in their order. They never leave this browser.</span>
      </label>
      <label class="field">
        <span class="label">Backup file (brings your contacts back)</span>
        <input data-testid="backup-input" ref={file} type="file" onChange={choose} />
        <span class="hint">
          {model.backupName.value ?? "Optional. Without it you start with an empty contact list."}
        </span>
      </label>
    </>
  );
}

function Promises() {
  return (
    <ul class="promises">
      <li>
        <Icon name="key" />
        <p>
          <strong>Your keys are made here, now.</strong> No phone number, no e-mail, no sign-up. They stay in this
          browser.
        </p>
      </li>
      <li>
        <Icon name="direct" />
        <p>
          <strong>Your voice goes straight to the other person.</strong> Servers only help the two of you find each
          other.
        </p>
      </li>
      <li>
        <Icon name="check" />
        <p>
          <strong>You can check it.</strong> Every call shows how it travels, and four words to compare.
        </p>
      </li>
    </ul>
  );
}
