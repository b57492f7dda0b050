/** Where this client keeps its mailboxes, and choosing other supernodes for it. */
import type { Client, HomeStatus, SupernodeChoice } from "@earshot/sdk";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { codeOf } from "./plain-words.ts";
import { shortKey } from "./quantities.ts";

/** Round trips beyond it are all the same when homes are compared. */
const FARTHEST_MS = 10_000;
/** As many as a person can choose from; the node knows the rest. */
const MAX_CHOICES = 50;

export interface HomesModel {
  readonly homes: ReadonlySignal<readonly HomeStatus[]>;
  /** Trusted ones first, then the nearest. */
  readonly choices: ReadonlySignal<readonly SupernodeChoice[]>;
  /** No network: the own node is the only home. */
  readonly alone: ReadonlySignal<boolean>;
  readonly busy: ReadonlySignal<boolean>;
  readonly message: ReadonlySignal<{ readonly text: string; readonly bad: boolean } | undefined>;
  /** Looks again at what the client knows. */
  refresh(): void;
  trust(key: string, trusted: boolean): Promise<void>;
  /** Gives this home up for another that the client chooses. */
  move(fromKey: string): Promise<void>;
  /** Makes that supernode a home, in place of the one that is worth the least. */
  use(key: string): Promise<void>;
  dispose(): void;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "no-other-home": "There is no other supernode to move to right now.",
  "unknown-supernode": "That supernode is not known any more.",
  "bad-key": "That is no supernode’s key.",
  "not-started": "Earshot is still starting. Try again in a moment.",
  offline: "You are offline. Try again once you are connected.",
};

/** Follows `client.status`. */
export function createHomesModel(client: Client): HomesModel {
  const homes = signal<readonly HomeStatus[]>(client.status.homes ?? []);
  const known = signal<readonly SupernodeChoice[]>([]);
  const busy = signal(false);
  const message = signal<{ readonly text: string; readonly bad: boolean } | undefined>(undefined);
  const refresh = () => {
    homes.value = client.status.homes ?? [];
    known.value = client.supernodes();
  };
  refresh();
  const unsubscribe = client.on("status", refresh);

  const attempt = async (done: string, act: () => Promise<void>) => {
    if (busy.value) return;
    busy.value = true;
    message.value = undefined;
    try {
      await act();
      message.value = { text: done, bad: false };
    } catch (error) {
      const code = codeOf(error);
      message.value = { text: PROBLEMS[code] ?? `That did not work (${code}). Try again.`, bad: true };
    } finally {
      busy.value = false;
      refresh();
    }
  };
  return {
    homes,
    choices: computed(() => known.value.toSorted(byTrustThenDistance).slice(0, MAX_CHOICES)),
    alone: computed(
      () => known.value.length === 0 && homes.value.length > 0 && homes.value.every(({ kind }) => kind === "own"),
    ),
    busy,
    message,
    refresh,
    trust: (key, trusted) => {
      const others = known.value.filter((one) => one.trusted && one.key !== key).map((one) => one.key);
      const text = trusted
        ? "Trusted: it is preferred as a home from now on."
        : "No longer preferred. If it is your home, it stays so until you move.";
      return attempt(text, () => client.setTrustedSupernodes(trusted ? [...others, key] : others));
    },
    move: (fromKey) => attempt(MOVED, () => client.moveHome(fromKey)),
    use: (key) =>
      attempt(MOVED, async () => {
        const from = leastWorth(homes.value);
        if (from === undefined) throw new EarlyError("offline");
        await client.moveHome(from.key, key);
      }),
    dispose: unsubscribe,
  };
}

const MOVED = "Moved. Your contacts find you at the new home by themselves.";

/** There is no home yet that could be moved from. */
class EarlyError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The home to give up for another: one that is lost, else one that nobody chose, else the farthest. */
function leastWorth(homes: readonly HomeStatus[]): HomeStatus | undefined {
  const worth = ({ state, trusted, roundTripMs }: HomeStatus) =>
    (state === "lost" ? 0 : 2) +
    (trusted ? 1 : 0) -
    Math.min(roundTripMs ?? FARTHEST_MS, FARTHEST_MS) / (2 * FARTHEST_MS);
  return homes.filter(({ kind }) => kind !== "own").toSorted((a, b) => worth(a) - worth(b))[0];
}

function byTrustThenDistance(a: SupernodeChoice, b: SupernodeChoice): number {
  const distance = (one: SupernodeChoice) => one.roundTripMs ?? Number.POSITIVE_INFINITY;
  if (a.trusted !== b.trusted) return a.trusted ? -1 : 1;
  return distance(a) === distance(b) ? 0 : distance(a) - distance(b);
}

export const HOME_STATES: Readonly<Record<HomeStatus["state"], string>> = {
  connected: "Connected",
  connecting: "Connecting…",
  lost: "Lost; trying again",
};

/** What to call a supernode: what its operator says, or the beginning of its key. */
export function homeName({ kind, operator, key }: Pick<HomeStatus, "operator" | "key"> & { readonly kind: string }) {
  if (kind === "own") return "Your own node";
  return operator === "" ? `Supernode ${shortKey(key)}` : operator;
}

export const KIND_WORDS: Readonly<Record<HomeStatus["kind"], string>> = {
  own: "on this machine",
  promoted: "lent by a volunteer",
  dedicated: "run by its operator on a server",
};
