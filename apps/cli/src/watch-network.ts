/** Says plainly that a node does not find its network, and when it does: a person must not guess why nobody is reached. */
import type { Clock } from "@earshot/core";
import { joiningText, networkName, wrapped } from "./node-lines.ts";
import type { Terminal } from "./terminal.ts";

/** Joining takes a second or two; a slow link a few. */
export const JOIN_PATIENCE_MS = 15_000;
/** The state is a field of this process: looking costs nothing. */
const LOOK_MS = 1_000;

export interface WatchedNetwork {
  readonly name: string;
  readonly private: boolean;
  state(): "joining" | "joined";
}

/** Events `network { state }` with `--json`, lines for people; until the result is called. */
export function watchNetwork(network: WatchedNetwork, clock: Clock, terminal: Terminal): () => void {
  let told: "joining" | "joined" | undefined;
  let joiningSince: number | undefined;
  let cancel = (): void => undefined;
  const tell = (state: "joining" | "joined"): void => {
    const isNews = told !== undefined || state === "joining";
    told = state;
    terminal.emit({ event: "network", state });
    if (!isNews) return; // all is as expected
    const text = state === "joined" ? `Joined the ${networkName(network)}.` : joiningText(network);
    for (const line of wrapped(text, "", terminal.columns))
      terminal.say(state === "joined" ? terminal.good(line) : terminal.warn(line));
  };
  const look = (): void => {
    const now = clock.now();
    if (network.state() === "joined") {
      joiningSince = undefined;
      if (told !== "joined") tell("joined");
    } else {
      joiningSince ??= now;
      if (told !== "joining" && now - joiningSince >= JOIN_PATIENCE_MS) tell("joining");
    }
    cancel = clock.setTimer(LOOK_MS, look);
  };
  look();
  return () => cancel();
}
