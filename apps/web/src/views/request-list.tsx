import { shortId } from "../view-models/plain-words.ts";
import type { RequestsModel } from "../view-models/requests.ts";
import { Avatar, Button, Problem } from "./parts.tsx";

/** People who ask to be contacts; nothing while there are none. */
export function RequestList({ model }: { readonly model: RequestsModel }) {
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
                onClick={() => model.accept(request.id)}
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
