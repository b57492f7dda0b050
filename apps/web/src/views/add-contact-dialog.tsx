import type { HomeModel } from "../view-models/home.ts";
import { shortId } from "../view-models/plain-words.ts";
import { Avatar, Button, Dialog, Problem } from "./parts.tsx";

/** Paste a card, a link or an id; what is found in it is shown before it is added. */
export function AddContactDialog({ home, onClose }: { readonly home: HomeModel; readonly onClose: () => void }) {
  const model = home.addContact;
  const found = model.found.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    const id = await model.submit();
    if (id === undefined) return;
    onClose();
    home.contacts.select(id);
  };
  return (
    <Dialog title="Add a contact" testId="add-contact-dialog" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <label class="field">
          <span class="label">Their card, link, id, or name@domain</span>
          <textarea
            data-testid="add-contact-input"
            rows={4}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            autofocus
            placeholder="earshot:ear1…"
            value={model.text.value}
            aria-invalid={model.problem.value !== undefined}
            onInput={(event) => model.setText(event.currentTarget.value)}
          />
        </label>
        {model.address.value !== undefined && (
          <p class="found" data-testid="found-address">
            Your node asks {model.address.value.split("@")[1]} whose key this name stands for. From then on this app
            holds on to that key, and warns you if the name ever leads to another one.
          </p>
        )}
        {found && (
          <div class="found" data-testid="found">
            <Avatar id={found.id} name={found.name || "?"} size="s" />
            <span class="contact-text">
              <span class="contact-name">{found.name || "No name in this card"}</span>
              <span class="soft small mono">{shortId(found.id)}</span>
            </span>
          </div>
        )}
        <Problem text={model.problem.value} testId="add-contact-problem" />
        <p class="hint">
          They get a request from you. If they have added your card too, you are contacts at once. The id in a card is
          their key: if the card reached you unaltered, nobody can pose as them.
        </p>
        <div class="row row-end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" testId="add-contact-button" disabled={model.busy.value}>
            {model.busy.value ? "Adding…" : "Add"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
