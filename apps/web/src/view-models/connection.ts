/** The connection banner: whether the person can be called, and when the next try is. */
import type { Client, ClientStatus } from "@earshot/sdk";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { ClockPort } from "./ports.ts";
import { every } from "./ticker.ts";

const COUNTDOWN_STEP_MS = 1000;

export interface ConnectionModel {
  readonly state: ReadonlySignal<ClientStatus["state"]>;
  /** What to show; undefined while all is well. */
  readonly banner: ReadonlySignal<string | undefined>;
  readonly supernode: ReadonlySignal<string | undefined>;
  dispose(): void;
}

/** Follows `client.status` and counts down to the next try. */
export function createConnectionModel(client: Client, clock: ClockPort): ConnectionModel {
  const status = signal(client.status);
  const retryAt = signal<number | undefined>(undefined);
  const now = signal(clock.now());
  let stopTicking: (() => void) | undefined;

  const follow = (next: ClientStatus) => {
    status.value = next;
    now.value = clock.now();
    retryAt.value = next.retryInMs === undefined ? undefined : clock.now() + next.retryInMs;
    stopTicking?.();
    stopTicking = undefined;
    if (retryAt.value !== undefined) {
      stopTicking = every(clock, COUNTDOWN_STEP_MS, () => {
        now.value = clock.now();
      });
    }
  };
  follow(client.status);
  const unsubscribe = client.on("status", follow);

  return {
    state: computed(() => status.value.state),
    banner: computed(() => bannerText(status.value, secondsUntil(retryAt.value, now.value))),
    supernode: computed(() => status.value.supernode),
    dispose: () => {
      unsubscribe();
      stopTicking?.();
    },
  };
}

function secondsUntil(at: number | undefined, now: number): number | undefined {
  return at === undefined ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

const CLOCK_WRONG =
  "Your clock and your node’s are more than 5 minutes apart, so calls will fail. Set this device’s date and time; if they are right, the node’s clock is wrong.";

const MOVED =
  "A copy of this device runs somewhere else and has taken its place. Use only one of them; restore from your recovery words to have a second device.";

function reasonOf(problem: string | undefined): string {
  if (problem === "clock-wrong") return CLOCK_WRONG;
  if (problem === "moved") return MOVED;
  return problem === "node-refused"
    ? "Your node refused the connection. Open the address that “npm start” printed."
    : "No connection to your node, so nobody can call you. Is “npm start” still running?";
}

function bannerText(status: ClientStatus, seconds: number | undefined): string | undefined {
  switch (status.state) {
    case "online":
      return status.problem === "clock-wrong" ? CLOCK_WRONG : undefined;
    case "connecting":
      return "Connecting to your node…";
    case "draining":
      return "Your supernode is shutting down; moving to another one…";
    case "offline": {
      const why = reasonOf(status.problem);
      return seconds === undefined ? why : `${why} Next try ${seconds > 0 ? `in ${seconds} s` : "now"}.`;
    }
  }
}
