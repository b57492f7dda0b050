import type { HomeModel } from "../view-models/home.ts";
import { shortId } from "../view-models/plain-words.ts";
import { Avatar, Button, Problem } from "./parts.tsx";

/** People who ask to be contacts; nothing while there are none. */
export function RequestList({ home }: { readonly home: HomeModel }) {
  const model = home.requests;
  const accept = async (id: string) => {
    await model.accept(id);
    // Who was just accepted is who one wants to call; and the button that had the focus is gone.
    home.contacts.select(id);
  };
  const requests = model.list.value;
  if (requests.length === 0) return null;
  return (
    <section class="requests" aria-labelledby="requests-title">
      <h2 id="requests-title">
        {requests.length === 1 ? "Somebody wants to call you" : "People who want to call you"}
      </h2>
      <ul>
        {requests.map((request) => (
          <li key={request.id} class="card" data-testid={`request-${request.id}`}>
            <div class="row">
              <Avatar id={request.id} name={request.name} size="s" />
              <span class="contact-text">
                <span class="contact-name">{request.name}</span>
                <span class="soft small mono">{shortId(request.id)}</span>
              </span>
            </div>
            <p class="small soft">
              They chose this name themselves. Accept only if you expected it: a contact can ring you.
            </p>
            <div class="row">
              <Button
                kind="primary"
                testId="request-accept"
                disabled={model.busy.value !== undefined}
                label={`Accept ${request.name}`}
                onClick={() => accept(request.id)}
              >
                Accept
              </Button>
              <Button
                testId="request-decline"
                disabled={model.busy.value !== undefined}
                label={`Decline ${request.name}`}
                onClick={() => model.decline(request.id)}
              >
                Decline
              </Button>
            </div>
          </li>
        ))}
      </ul>
      <Problem text={model.problem.value} />
    </section>
  );
}
