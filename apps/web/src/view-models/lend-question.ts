/** "Would you lend your node?": asked once, after the node has joined a network, and never again once answered. */
import type { ConsentLimits } from "@earshot/core";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ClockPort, NodePort } from "./ports.ts";

/** A node that is just starting is still joining. */
const LOOK_AGAIN_MS = 10_000;
/** After that it waits until the app is opened the next time. */
const MAX_LOOKS = 30;

export interface LendQuestionModel {
  /** The limits to propose, while the question is open. */
  readonly proposed: ReadonlySignal<ConsentLimits | undefined>;
  readonly busy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  answer(limits: ConsentLimits | undefined): Promise<boolean>;
  dispose(): void;
}

/** Looks whether there is something to ask. */
export function createLendQuestion(node: NodePort, clock: ClockPort): LendQuestionModel {
  const proposed = signal<ConsentLimits | undefined>(undefined);
  const busy = signal(false);
  const problem = signal<string | undefined>(undefined);
  let looks = 0;
  let stopped = false;
  let cancel = () => {};
  const again = () => {
    looks += 1;
    if (!stopped && looks < MAX_LOOKS) cancel = clock.setTimer(LOOK_AGAIN_MS, () => void look());
  };
  const look = async () => {
    const report = await node.report().catch(() => undefined);
    if (report === undefined || stopped) return;
    const { network, consent, role } = report;
    if (consent.askedBefore || consent.given || role === "dedicated" || network.state === "alone") return;
    if (network.state === "joined") proposed.value = consent.limits;
    else again();
  };
  void look();
  return {
    proposed,
    busy,
    problem,
    answer: async (limits) => {
      busy.value = true;
      problem.value = undefined;
      try {
        await node.setConsent(limits !== undefined, limits);
        proposed.value = undefined;
        return true;
      } catch {
        problem.value = "Your node did not answer. Try again.";
        return false;
      } finally {
        busy.value = false;
      }
    },
    dispose: () => {
      stopped = true;
      cancel();
    },
  };
}
