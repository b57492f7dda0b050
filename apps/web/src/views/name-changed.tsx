/** The warning that stops a call: a contact's name leads to another key than the one this app knows. */
import type { Contact } from "@earshot/sdk";
import type { HomeModel } from "../view-models/home.ts";
import { Icon } from "./icons.tsx";
import { Button, Problem } from "./parts.tsx";

/** What it can mean, and the two ways on. */
export function NameChanged({ contact, home }: { readonly contact: Contact; readonly home: HomeModel }) {
  const model = home.changedNames;
  const address = contact.address ?? contact.name;
  const domain = address.split("@")[1] ?? "the domain";
  const addAnew = async () => {
    const id = await model.addAnew(contact);
    if (id !== undefined) home.contacts.select(id);
    // Removed already, and the domain did not answer: it can be tried again from here.
    else if (!home.contacts.list.value.some((one) => one.id === contact.id)) home.offerCard(address);
  };
  return (
    <section class="name-changed" role="alert" data-testid="name-changed">
      <h2>
        <Icon name="warning" /> The key behind this name has changed
      </h2>
      <p>
        {address} leads to another key than the one you know. Either {contact.name} started anew and published a new
        key, or somebody who controls {domain} wants to be taken for them. Calls are stopped until you decide. Ask{" "}
        {contact.name} in another way first.
      </p>
      <dl class="facts small">
        <dt>The id you know</dt>
        <dd class="mono break">{contact.id}</dd>
        <dt>Where the name leads now</dt>
        <dd class="mono break" data-testid="name-new-id">
          {contact.nameChangedTo}
        </dd>
      </dl>
      <Problem text={model.problem.value} />
      <div class="row">
        <Button kind="primary" testId="name-keep" busy={model.busy.value} onClick={() => model.keep(contact.id)}>
          Keep the key I know
        </Button>
        <Button testId="name-anew" busy={model.busy.value} onClick={addAnew}>
          They told me: use the new key
        </Button>
      </div>
      <p class="hint">
        Keeping it calls whoever you talked to before. Using the new key removes this contact and adds the new one; they
        have to accept, and you compare the words in your first call. Their own id is at the end of their settings.
      </p>
    </section>
  );
}
