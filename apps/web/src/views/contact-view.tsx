/** One contact: call them, or change what they are to you. */
import type { Contact } from "@earshot/sdk";
import { useEffect, useRef, useState } from "preact/hooks";
import type { HomeModel } from "../view-models/home.ts";
import { NameChanged } from "./name-changed.tsx";
import { Avatar, Button, Dialog, Problem } from "./parts.tsx";

interface Props {
  readonly contact: Contact;
  readonly home: HomeModel;
}

/** The pane beside the list; on a phone it takes the list's place. */
export function ContactView({ contact, home }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const stopped = contact.nameChangedTo !== undefined;
  const { problem } = home.calls;
  const failed = problem.value?.contactId === contact.id ? problem.value.text : undefined;
  return (
    <article class="person" aria-labelledby="person-name">
      <div class="person-back">
        <Button kind="quiet" icon="back" testId="back" onClick={() => home.contacts.select(undefined)}>
          Contacts
        </Button>
      </div>
      <Avatar id={contact.id} name={contact.name} size="l" />
      <h1 id="person-name" ref={heading} tabIndex={-1}>
        {contact.name}
      </h1>
      {contact.address && (
        <p class="soft break" data-testid="contact-address">
          {contact.address}
        </p>
      )}
      {stopped ? <NameChanged contact={contact} home={home} /> : <StateText contact={contact} />}
      <div class="person-calls">
        <Button
          kind="go"
          icon="phone"
          testId="call-voice"
          disabled={contact.state !== "contact" || stopped}
          onClick={() => home.calls.start(contact, false)}
        >
          Voice call
        </Button>
        <Button
          kind="plain"
          icon="camera"
          testId="call-video"
          disabled={contact.state !== "contact" || stopped}
          onClick={() => home.calls.start(contact, true)}
        >
          Video call
        </Button>
      </div>
      <Problem text={failed ?? home.contacts.problem.value} testId="call-problem" />
      <Manage contact={contact} home={home} />
    </article>
  );
}

function StateText({ contact }: { readonly contact: Contact }) {
  switch (contact.state) {
    case "contact":
      return <p class="soft">You have added each other. Calls are end-to-end encrypted.</p>;
    case "added":
      return (
        <p class="soft" data-testid="waiting">
          Your request is on its way. You can call once {contact.name} accepts it or adds your card.
        </p>
      );
    case "blocked":
      return <p class="soft">Blocked: they can neither call you nor ask again.</p>;
  }
}

function Manage({ contact, home }: Props) {
  const [name, setName] = useState(contact.name);
  const [asking, setAsking] = useState<"remove" | "block" | undefined>(undefined);
  const rename = (event: Event) => {
    event.preventDefault();
    if (name.trim()) void home.contacts.rename(contact.id, name);
  };
  return (
    <details class="manage">
      <summary data-testid="manage">Name, id, remove or block</summary>
      <form onSubmit={rename}>
        <label class="field">
          <span class="label">Name in your list</span>
          <span class="row">
            <input
              type="text"
              maxLength={64}
              data-testid="rename-input"
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <Button type="submit" testId="rename-save">
              Save
            </Button>
          </span>
        </label>
      </form>
      <p class="label" id="person-id-label">
        Id
      </p>
      <p class="mono break small" aria-labelledby="person-id-label">
        {contact.id}
      </p>
      <div class="row">
        <Button testId="remove" onClick={() => setAsking("remove")}>
          Remove…
        </Button>
        {contact.state !== "blocked" && (
          <Button testId="block" onClick={() => setAsking("block")}>
            Block…
          </Button>
        )}
      </div>
      {asking && (
        <Confirm
          what={asking}
          name={contact.name}
          onClose={() => setAsking(undefined)}
          onYes={() => {
            setAsking(undefined);
            void (asking === "remove" ? home.contacts.remove(contact.id) : home.contacts.block(contact.id));
          }}
        />
      )}
    </details>
  );
}

interface ConfirmProps {
  readonly what: "remove" | "block";
  readonly name: string;
  readonly onYes: () => void;
  readonly onClose: () => void;
}

function Confirm({ what, name, onYes, onClose }: ConfirmProps) {
  return (
    <Dialog title={what === "remove" ? `Remove ${name}?` : `Block ${name}?`} testId="confirm-dialog" onClose={onClose}>
      <p>
        {what === "remove"
          ? `${name} will no longer be able to call you or find this device. To talk again, you add each other anew.`
          : `${name} will no longer be able to call you, find this device, or ask again.`}
      </p>
      <div class="row row-end">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" testId="confirm-yes" onClick={onYes}>
          {what === "remove" ? "Remove" : "Block"}
        </Button>
      </div>
    </Dialog>
  );
}
