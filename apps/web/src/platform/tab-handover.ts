/** Two tabs cannot share one device's mailboxes: the newer one may ask the older to let go (see the SDK's `lockTab`). */

const CHANNEL = "earshot tabs";
/** A tab that has not let go by then is frozen or gone; the lock tells which. */
const LET_GO_TIMEOUT_MS = 4000;

export interface TabHandover {
  /** Asks whichever tab has the session to stop; resolves when it said so, or after a while. */
  ask(): Promise<void>;
  /** `letGo` is run when another tab asks. */
  onAsked(letGo: () => Promise<void>): void;
}

/** Over a BroadcastChannel, which reaches this origin's tabs only. */
export function tabHandover(): TabHandover {
  const channel = new BroadcastChannel(CHANNEL);
  let letGo: (() => Promise<void>) | undefined;
  let onReleased: (() => void) | undefined;
  channel.onmessage = (event: MessageEvent<unknown>) => {
    if (event.data === "released") onReleased?.();
    if (event.data !== "let-go" || letGo === undefined) return;
    void letGo()
      .catch(() => undefined)
      .then(() => channel.postMessage("released"));
  };
  return {
    ask: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, LET_GO_TIMEOUT_MS);
        onReleased = () => {
          clearTimeout(timer);
          resolve();
        };
        channel.postMessage("let-go");
      }),
    onAsked: (next) => {
      letGo = next;
    },
  };
}
