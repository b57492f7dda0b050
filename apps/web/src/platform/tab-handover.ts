/** Two tabs cannot share one device's mailboxes: the newer one may ask the older to let go (see the SDK's `lockTab`). */
import type { TabHolder } from "../view-models/ports.ts";

const CHANNEL = "earshot tabs";
/** A tab that has not let go by then is frozen or gone; the lock tells which. */
const LET_GO_TIMEOUT_MS = 4000;

/** What tabs say to each other. */
type TabMessage = "let-go" | "let-go-even-in-call" | "in-call" | "released";

/** Tabs that only wait do not answer. */
interface Asked extends TabHolder {
  hasSession(): boolean;
}

export interface TabHandover {
  /**
   * Asks whichever tab has the session to stop, and resolves once it said so, or after a while. A tab that is in a call
   * says that instead, and goes on, unless asked `evenInCall`.
   */
  ask(evenInCall: boolean): Promise<"released" | "in-call">;
  /** Who answers when another tab asks. */
  onAsked(holder: Asked): void;
}

/** Over a BroadcastChannel, which reaches this origin's tabs only. */
export function tabHandover(): TabHandover {
  const channel = new BroadcastChannel(CHANNEL);
  const say = (message: TabMessage) => channel.postMessage(message);
  let holder: Asked | undefined;
  let onAnswer: ((answer: "released" | "in-call") => void) | undefined;
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data === "released" || data === "in-call") return onAnswer?.(data);
    if (!holder?.hasSession() || (data !== "let-go" && data !== "let-go-even-in-call")) return;
    if (data === "let-go" && holder.isInCall()) return say("in-call");
    void holder
      .letGo()
      .catch(() => undefined)
      .then(() => say("released"));
  };
  return {
    ask: (evenInCall) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve("released"), LET_GO_TIMEOUT_MS);
        onAnswer = (answer) => {
          clearTimeout(timer);
          resolve(answer);
        };
        say(evenInCall ? "let-go-even-in-call" : "let-go");
      }),
    onAsked: (next) => {
      holder = next;
    },
  };
}
