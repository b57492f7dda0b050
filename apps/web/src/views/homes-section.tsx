/** My homes, in the settings: where the mailboxes are, whose those supernodes are, and choosing others. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { HomeModel } from "../view-models/home.ts";
import { createHomesModel, HOME_STATES, homeName, type HomesModel, KIND_WORDS } from "../view-models/homes.ts";
import { roundTripText } from "../view-models/quantities.ts";
import { Button } from "./parts.tsx";

/** Follows the client while the settings are open. */
export function HomesSection({ home }: { readonly home: HomeModel }) {
  const [model] = useState(() => createHomesModel(home.later.client));
  useEffect(() => () => model.dispose(), []);
  const homes = model.homes.value;
  const message = model.message.value;
  const heading = useRef<HTMLHeadingElement>(null);
  // The row that was pressed is gone then; and what came of it stands below the heading.
  const moved = (move: Promise<void>) => move.then(() => heading.current?.focus());
  return (
    <section aria-labelledby="homes-title" data-testid="homes">
      <h3 id="homes-title" ref={heading} tabIndex={-1}>
        Your homes
      </h3>
      {model.alone.value ? (
        <p class="soft" data-testid="homes-alone">
          Your own node is your home: it keeps your mailbox, and people on it can call each other. It is not part of a
          network.
        </p>
      ) : (
        <p class="soft">
          Supernodes that keep your mailboxes. While any one of them can be reached, your contacts can call you. They
          can neither read your messages nor hear your calls.
        </p>
      )}
      <div role="status">
        {message && (
          <p class={message.bad ? "problem" : "done"} data-testid="homes-message">
            {message.text}
          </p>
        )}
      </div>
      {homes.length === 0 && (
        <p data-testid="homes-none">None yet: supernodes are being looked for, and nobody can call you until then.</p>
      )}
      <ul class="homes">
        {homes.map((one) => (
          <li key={one.key} class="home" data-testid={`home-${one.key}`} data-state={one.state}>
            <Supernode name={homeName(one)} kind={KIND_WORDS[one.kind]} roundTripMs={one.roundTripMs}>
              <span class={`home-state home-${one.state}`}>{HOME_STATES[one.state]}</span>
              {one.trusted && ", trusted"}
            </Supernode>
            {one.kind !== "own" && (
              <Button
                testId="home-move"
                label={`Move away from ${homeName(one)}`}
                busy={model.busy.value}
                onClick={() => moved(model.move(one.key))}
              >
                Move away
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Choices model={model} moved={moved} />
    </section>
  );
}

interface ChoicesProps {
  readonly model: HomesModel;
  /** Told of a move under way. */
  readonly moved: (move: Promise<void>) => unknown;
}

function Choices({ model, moved }: ChoicesProps) {
  const choices = model.choices.value;
  if (choices.length === 0) return null;
  return (
    <details class="choices">
      <summary data-testid="choose-homes">Choose other supernodes</summary>
      <p class="soft small">
        Yours are chosen for a short round trip, spread over different operators, so that no single one matters. Tick
        those that you trust, say a friend’s: they come first whenever a home is chosen.
      </p>
      <ul class="homes">
        {choices.map((one) => (
          <li key={one.key} class="home">
            <label class="choice">
              <input
                type="checkbox"
                data-testid={`trust-${one.key}`}
                checked={one.trusted}
                aria-disabled={model.busy.value || undefined}
                onClick={(event) => model.busy.value && event.preventDefault()}
                onChange={(event) => void model.trust(one.key, event.currentTarget.checked)}
              />
              <Supernode name={homeName(one)} kind={KIND_WORDS[one.kind]} roundTripMs={one.roundTripMs}>
                {one.home ? "your home" : one.prefix}
              </Supernode>
            </label>
            {!one.home && model.homes.value.length > 0 && (
              <Button
                kind="quiet"
                testId={`use-${one.key}`}
                label={`Make a home of ${homeName(one)}`}
                busy={model.busy.value}
                onClick={() => moved(model.use(one.key))}
              >
                Make a home
              </Button>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

interface SupernodeProps {
  readonly name: string;
  readonly kind: string;
  readonly roundTripMs: number | undefined;
  readonly children: ComponentChildren;
}

function Supernode({ name, kind, roundTripMs, children }: SupernodeProps) {
  return (
    <span class="contact-text">
      <span class="contact-name">{name}</span>
      <span class="soft small">
        {kind}
        {roundTripMs !== undefined && (
          <>
            , <span class="nowrap">{roundTripText(roundTripMs)}</span>
          </>
        )}
      </span>
      <span class="soft small">{children}</span>
    </span>
  );
}
