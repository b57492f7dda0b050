/** What to do when the app cannot start. */
import type { ComponentChildren } from "preact";
import type { Obstacle, TakeOver } from "../view-models/ports.ts";
import { Mark } from "./icons.tsx";
import { Button } from "./parts.tsx";

interface Advice {
  readonly title: string;
  readonly body: ComponentChildren;
  readonly action: string;
  readonly takeOver?: TakeOver;
}

const ADVICE: Readonly<Record<Obstacle, Advice>> = {
  "token-missing": {
    title: "Open the address that your node printed",
    body: (
      <>
        <p>
          This page belongs to an Earshot node, and only its owner may use it. The address that <code>npm start</code>{" "}
          (or <code>earshot start</code>) printed in the terminal carries the key for it:
        </p>
        <p class="example">
          <code>http://127.0.0.1:…/#token=…</code>
        </p>
        <p>Copy the whole address, with everything after the #, into this browser. It is needed only once.</p>
      </>
    ),
    action: "Try again",
  },
  "token-refused": {
    title: "Your node does not know this browser any more",
    body: (
      <p>
        The key this browser kept was not accepted: the node's data folder may be new. Open the address that{" "}
        <code>npm start</code> printed in the terminal, with everything after the #.
      </p>
    ),
    action: "Try again",
  },
  "node-unreachable": {
    title: "Your node does not answer",
    body: (
      <p>
        Earshot runs on your own machine, and it seems to have been stopped. Start it with <code>npm start</code>, then
        try again. Your account and contacts are safe in this browser.
      </p>
    ),
    action: "Try again",
  },
  "other-tab": {
    title: "Earshot is open in another tab",
    body: <p>A call can ring in one tab at a time. Go back to the other tab, or use Earshot here instead.</p>,
    action: "Use Earshot here",
    takeOver: "ask",
  },
  "other-tab-in-call": {
    title: "You are in a call in another tab",
    body: <p>Using Earshot here ends that call. Go back to the other tab to go on talking.</p>,
    action: "End the call and switch here",
    takeOver: "even-in-call",
  },
  "other-node": {
    title: "This browser's data belongs to another node",
    body: (
      <p>
        What Earshot keeps in this browser can be opened only together with the node it was made with. Open it from that
        node. If that node is gone for good, clear this site's data in the browser and restore your account from your
        recovery phrase.
      </p>
    ),
    action: "Try again",
  },
  "no-storage": {
    title: "This browser does not let Earshot keep its keys",
    body: (
      <p>
        Earshot keeps your keys in this browser's storage. Allow site data for this page (private windows often do not),
        then try again.
      </p>
    ),
    action: "Try again",
  },
};

/** An obstacle, what it means, and the one thing to do about it. */
export function BlockedView(props: { readonly obstacle: Obstacle; readonly onRetry: (takeOver: TakeOver) => void }) {
  const advice = ADVICE[props.obstacle];
  return (
    <main class="centre" data-testid="blocked" data-obstacle={props.obstacle}>
      <Mark />
      <div class="panel">
        <h1>{advice.title}</h1>
        {advice.body}
        <Button kind="primary" testId="retry" onClick={() => props.onRetry(advice.takeOver ?? false)}>
          {advice.action}
        </Button>
      </div>
    </main>
  );
}

/** Anything that was not foreseen: the code, for a bug report, and another try. */
export function FailedView({ code, onRetry }: { readonly code: string; readonly onRetry: () => void }) {
  return (
    <main class="centre" data-testid="failed">
      <Mark />
      <div class="panel" role="alert">
        <h1>Earshot could not start</h1>
        <p>
          Nothing was deleted. Try again; if it keeps happening, report it with this code: <code>{code}</code>
        </p>
        <Button kind="primary" testId="retry" onClick={onRetry}>
          Try again
        </Button>
      </div>
    </main>
  );
}
