/** "Would you lend your node?": asked once, in the terminal that started it; never again once answered, here or in the app. */
import { createInterface } from "node:readline";
import type { Clock, ConsentLimits, NodeConsent } from "@earshot/core";
import { limitsText } from "./lend-limits.ts";
import { wrapped } from "./node-lines.ts";
import type { Terminal } from "./terminal.ts";

/** Sooner than somebody types a line for the shell after Ctrl-Z. */
const LOOK_MS = 250;

/** The node that runs in this process. */
export interface LentNode {
  consent(): NodeConsent;
  setConsent(given: boolean, limits: ConsentLimits): void;
}

export interface LendQuestionParts {
  readonly node: LentNode;
  readonly terminal: Terminal;
  readonly input: NodeJS.ReadableStream;
  /** ` --node URL`, where commands need it. */
  readonly command: string;
  readonly clock: Pick<Clock, "setTimer">;
  /** Whether what is typed is meant for this process still: what is typed for a shell must not be read. */
  readonly isForeground: () => boolean;
}

/** Asks, without waiting for the answer. The result takes the question back, unanswered. */
export function askToLend({ node, terminal, input, command, clock, isForeground }: LendQuestionParts): () => void {
  const { limits } = node.consent();
  const tell = (text: string): void => {
    for (const line of wrapped(text, "", terminal.columns)) terminal.say(line);
  };
  const tellCommand = (text: string, words: string): void => {
    terminal.say(text);
    terminal.say(`  earshot ${words}${command}`); // on a line of its own, to be copied
  };
  terminal.say();
  terminal.say(terminal.bold("Would you lend this node to others, as a supernode?"));
  tell(
    `It would keep other people's mailboxes and pass sealed messages on, within these limits: ${limitsText(limits)}. It never carries calls and cannot read what it passes on. It asks your router to let others in (--no-map-ports: it does not). It is measured first, and serves only if it is fit and needed.`,
  );
  terminal.say("Type yes, or no, and Enter; without an answer it serves only you:");
  // Not as a terminal: Ctrl-C stays the node's.
  const lines = createInterface({ input, terminal: false });
  let cancel = (): void => undefined;
  const close = (): void => {
    cancel();
    lines.close();
  };
  const look = (): void => {
    if (isForeground()) cancel = clock.setTimer(LOOK_MS, look);
    else close();
  };
  look();
  lines.on("line", (line) => {
    const answer = /^\s*(y|yes|n|no)\s*$/i.exec(line)?.[1]?.toLowerCase()[0];
    if (node.consent().askedBefore) {
      tellCommand("That was answered already. See:", "status");
    } else if (answer === "y") {
      node.setConsent(true, limits);
      tellCommand(`${terminal.good("Thank you.")} Whenever you like, undo it with:`, "lend --stop");
    } else if (answer === "n") {
      node.setConsent(false, limits);
      tellCommand("It serves only you, and you are not asked again. To lend it after all:", "lend");
    } else {
      return tell("yes or no?");
    }
    close();
  });
  return close;
}

/** Whether a question may be put: a person types here, and what they type is meant for this process. */
export function mayAsk(input: { readonly isTTY?: boolean }, terminal: Terminal, isForeground: boolean): boolean {
  return input.isTTY === true && terminal.interactive && terminal.columns > 0 && isForeground;
}
