/** The account key in the settings: keep it offline, or sign anew with the words. */
import type { AccountKeyModel } from "../view-models/account-key.ts";
import { Button, Problem } from "./parts.tsx";

/** Asks for the words before the key goes, so that nobody deletes what they cannot bring back. */
export function AccountKey({ model }: { readonly model: AccountKeyModel }) {
  const here = model.keyHere.value;
  const busy = model.busy.value;
  return (
    <section aria-labelledby="account-key-title" data-testid="account-key">
      <h3 id="account-key-title">Account key</h3>
      <p class="soft" role="status" data-testid="account-key-state">
        {model.state.value}
      </p>
      <label class="field">
        <span class="label">{here ? "Your 24 words, to keep the key offline" : "Your 24 words, to sign anew"}</span>
        <textarea
          data-testid="account-key-phrase"
          rows={3}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={model.phrase.value}
          onInput={(event) => model.setPhrase(event.currentTarget.value)}
        />
        <span class="hint">They sign what strangers need to find you for 35 days, and are not kept.</span>
      </label>
      <Problem text={model.problem.value} testId="account-key-problem" />
      <div class="row">
        <Button testId="account-key-sign" disabled={busy} onClick={() => model.sign(false)}>
          {here ? "Keep the key offline" : "Sign for another 35 days"}
        </Button>
        {!here && (
          <Button kind="quiet" testId="account-key-keep" disabled={busy} onClick={() => model.sign(true)}>
            Keep the key in this browser
          </Button>
        )}
      </div>
    </section>
  );
}
