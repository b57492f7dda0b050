import type { Contact } from "@earshot/sdk";
import type { HomeModel } from "../view-models/home.ts";
import { Avatar, Button } from "./parts.tsx";

const STATE_TEXT: Readonly<Record<Contact["state"], string>> = {
  contact: "",
  added: "Waiting for them to add you",
  blocked: "Blocked",
};

/** The contact list, or what to do while it is empty. */
export function ContactList({ model }: { readonly model: HomeModel }) {
  const contacts = model.contacts.list.value;
  const selected = model.contacts.selected.value;
  return (
    <nav class="contacts" aria-labelledby="contacts-title">
      <h2 id="contacts-title">Contacts</h2>
      {contacts.length === 0 ? (
        <Empty />
      ) : (
        <ul>
          {contacts.map((contact) => (
            <li key={contact.id}>
              <button
                type="button"
                class="contact"
                data-testid={`contact-${contact.id}`}
                data-state={contact.state}
                aria-current={selected?.id === contact.id ? "true" : undefined}
                onClick={() => model.contacts.select(contact.id)}
              >
                <Avatar id={contact.id} name={contact.name} size="s" />
                <span class="contact-text">
                  <span class="contact-name">{contact.name}</span>
                  {STATE_TEXT[contact.state] && <span class="soft small">{STATE_TEXT[contact.state]}</span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {contacts.length === 1 && contacts[0]?.name === "Echo" && <OnlyEcho model={model} />}
    </nav>
  );
}

function Empty() {
  return (
    <p class="empty" data-testid="contacts-empty">
      Nobody here yet. Send your card to somebody, and add theirs: once both of you have done so, you can call each
      other.
    </p>
  );
}

function OnlyEcho({ model }: { readonly model: HomeModel }) {
  return (
    <div class="empty">
      <p>
        Echo lives on your node: call it to hear that everything works. For a person, send them your card and add
        theirs.
      </p>
      <Button kind="quiet" icon="card" testId="empty-my-card" onClick={() => model.open("my-card")}>
        Show your card
      </Button>
    </div>
  );
}
