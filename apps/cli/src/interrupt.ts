/** Ctrl-C and SIGTERM: the first one asks to end well, the second ends at once. */
import { EarshotError } from "@earshot/core";
import { EXIT } from "./exit-codes.ts";

export interface Interrupt {
  /** Calls `act` at the first interrupt, at once if it has come already. The result takes it back. */
  onInterrupt(act: () => void): () => void;
  /** Rejects with code `interrupted` at the first interrupt; never resolves. */
  readonly interrupted: Promise<never>;
}

type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Takes over the process's SIGINT, SIGTERM and SIGHUP, or those given. Once per process. */
export function catchInterrupts(
  target: NodeJS.Process = process,
  signals: readonly EndingSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"],
): Interrupt {
  const acts = new Set<() => void>();
  let happened = false;
  const interrupted = new Promise<never>((_resolve, reject) => {
    acts.add(() => reject(new EarshotError("interrupted", "Interrupted.")));
  });
  interrupted.catch(() => undefined); // whoever races it sees it; nobody needs to
  const onSignal = (): void => {
    if (happened) target.exit(EXIT.interrupted);
    happened = true;
    for (const act of acts) act();
  };
  for (const signal of signals) target.on(signal, onSignal);
  return {
    interrupted,
    onInterrupt(act) {
      if (happened) act();
      else acts.add(act);
      return () => acts.delete(act);
    },
  };
}
