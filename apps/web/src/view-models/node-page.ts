/** The node's own page: its report, fetched again and again while somebody looks, and what its owner can tell it. */
import type { ConsentLimits, NodeReport, RelayLimits } from "@earshot/core";
import { type ReadonlySignal, signal } from "@preact/signals";
import { codeOf } from "./plain-words.ts";
import type { ClockPort, NodePort } from "./ports.ts";

const POLL_MS = 3000;

export interface NodePageDeps {
  readonly node: NodePort;
  readonly clock: ClockPort;
  /** Tells whether the page is being looked at, now and when that changes. */
  watchVisible(listener: (visible: boolean) => void): () => void;
}

export interface NodePageModel {
  /** The newest; stays on while a later one cannot be had. */
  readonly report: ReadonlySignal<NodeReport | undefined>;
  /** Why what is shown is old, or why nothing is. */
  readonly problem: ReadonlySignal<string | undefined>;
  readonly busy: ReadonlySignal<boolean>;
  /** What came of the last thing that was asked of the node. */
  readonly message: ReadonlySignal<{ readonly text: string; readonly bad: boolean } | undefined>;
  /** True when the node has taken it. */
  lend(limits: ConsentLimits): Promise<boolean>;
  stopLending(): Promise<boolean>;
  /** Lets it relay calls, within these limits. */
  relay(limits: RelayLimits): Promise<boolean>;
  stopRelaying(): Promise<boolean>;
  stepDown(): Promise<boolean>;
  dispose(): void;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "node-unreachable": "The node does not answer. It is asked again by itself.",
  "token-refused": "The node does not know this token. Open the address that it printed when it was started.",
  "no-report": "This node does not tell about itself: it is older than this page.",
};

function problemText(error: unknown): string {
  const code = codeOf(error);
  return PROBLEMS[code] ?? `The node’s report could not be read (${code}).`;
}

/** Asks at once, and every few seconds while visible, until disposed of. */
export function createNodePageModel(deps: NodePageDeps): NodePageModel {
  const report = signal<NodeReport | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  const busy = signal(false);
  const message = signal<{ readonly text: string; readonly bad: boolean } | undefined>(undefined);
  const poll = poller(deps, async () => {
    try {
      report.value = await deps.node.report();
      problem.value = undefined;
    } catch (error) {
      const old = report.value === undefined ? "" : " What you see is from its last answer.";
      problem.value = `${problemText(error)}${old}`;
    }
  });

  const tell = async (done: string, act: () => Promise<unknown>) => {
    if (busy.value) return false;
    busy.value = true;
    message.value = undefined;
    try {
      await act();
      message.value = { text: done, bad: false };
      await poll.now();
      return true;
    } catch (error) {
      message.value = { text: `That did not work: ${problemText(error)}`, bad: true };
      return false;
    } finally {
      busy.value = false;
    }
  };
  return {
    report,
    problem,
    busy,
    message,
    lend: (limits) =>
      tell("Thank you. Your node is measured first, and serves others only within these limits.", () =>
        deps.node.setConsent(true, limits),
      ),
    stopLending: () => tell("Your node serves only you from now on.", () => deps.node.setConsent(false)),
    relay: (limits) =>
      tell("Thank you. Your node relays calls where it can, within these limits.", () =>
        deps.node.setRelayConsent(true, limits),
      ),
    stopRelaying: () => tell("Your node relays no calls from now on.", () => deps.node.setRelayConsent(false)),
    stepDown: () => tell("It is stepping down: the people it serves are told to move.", () => deps.node.stepDown()),
    dispose: poll.stop,
  };
}

/** One request at a time: the next follows `POLL_MS` after the answer to the last, and none while nobody looks. */
function poller({ clock, watchVisible }: NodePageDeps, ask: () => Promise<void>) {
  let visible = false;
  let stopped = false;
  let asking: Promise<void> | undefined;
  let cancel = () => {};
  const now = () => {
    cancel();
    asking ??= ask().finally(() => {
      asking = undefined;
      if (visible && !stopped) cancel = clock.setTimer(POLL_MS, () => void now());
    });
    return asking;
  };
  const unwatch = watchVisible((next) => {
    visible = next;
    if (visible) void now();
    else cancel();
  });
  return {
    now,
    stop: () => {
      stopped = true;
      cancel();
      unwatch();
    },
  };
}
