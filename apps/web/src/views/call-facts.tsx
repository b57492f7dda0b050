/** What a call can prove: the words and the path. */
import type { CallModel } from "../view-models/call.ts";
import { pathWords } from "../view-models/path-words.ts";
import { Icon } from "./icons.tsx";

/** The words to compare, and how the call travels. */
export function CallFacts({ call }: { readonly call: CallModel }) {
  return (
    <>
      <Words words={call.words.value} name={call.name} />
      <Path call={call} />
    </>
  );
}

/** How it travels in a few words, beside the person: on a phone the rest is out of sight. Read out when it changes. */
export function PathBadge({ call }: { readonly call: CallModel }) {
  const words = pathWords(call.path.value);
  const phase = call.phase.value;
  const isShown = words.badge !== "" && (phase === "connecting" || phase === "active");
  const isPlain = !words.unverified && !call.path.value?.directShouldHaveWorked;
  return (
    <p
      class="call-badge call-way"
      role="status"
      data-testid="path-badge"
      data-kind={isShown ? (isPlain ? words.kind : "look") : "none"}
    >
      {isShown && (
        <>
          <Icon name={words.kind === "relayed" ? "relay" : "direct"} />
          <span>{words.badge}</span>
        </>
      )}
    </p>
  );
}

function Words({ words, name }: { readonly words: readonly string[] | undefined; readonly name: string }) {
  if (words === undefined) return null;
  return (
    <section class="call-card" aria-labelledby="words-title">
      <h2 id="words-title">Compare these words</h2>
      <ol class="words" data-testid="words">
        {words.map((word, index) => (
          <li key={index}>{word}</li>
        ))}
      </ol>
      <p class="call-hint">
        Read them out to each other. If {name} sees the same words and it is their voice that says so, nobody is between
        you. If they differ, hang up: the card one of you added was swapped.
      </p>
    </section>
  );
}

function Path({ call }: { readonly call: CallModel }) {
  const path = pathWords(call.path.value);
  const phase = call.phase.value;
  if (phase === "dialling" || phase === "ringing") return null;
  return (
    <section
      class="call-card"
      aria-labelledby="path-title"
      data-testid="path"
      data-kind={path.kind}
      data-confirmed={path.kind !== "unknown" && !path.unverified ? "yes" : "no"}
    >
      <h2 id="path-title">How this call travels</h2>
      <p class={`path-headline ${path.unverified ? "path-unverified" : ""}`}>
        <Icon name={path.unverified ? "warning" : path.kind === "relayed" ? "relay" : "direct"} />
        <strong>{path.headline}</strong>
      </p>
      <p class="call-hint">{path.explanation}</p>
      {path.warnings.map((warning) => (
        <p key={warning} class="call-notice" data-testid="path-warning">
          <Icon name="warning" />
          <span>{warning}</span>
        </p>
      ))}
      {path.details.length > 0 && (
        <details>
          <summary data-testid="path-details">Details</summary>
          <dl class="facts">
            {path.details.flatMap(([label, value]) => [
              <dt key={label}>{label}</dt>,
              <dd key={`${label} value`} class="break">
                {value}
              </dd>,
            ])}
          </dl>
        </details>
      )}
    </section>
  );
}
