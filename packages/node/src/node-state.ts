/** What a daemon keeps: its secrets, and other people's mailboxes, records and bundles. */
import { join } from "node:path";
import { type Clock, EarshotError } from "@earshot/core";
import { nodeSignatures } from "./crypto.ts";
import { loadNodeSecrets, type NodeSecrets } from "./home/node-secrets.ts";
import type { NodeLimits } from "./limits.ts";
import { errorCodeOf, type NodeLog } from "./log.ts";
import { Mailboxes } from "./mailboxes/mailboxes.ts";
import { Records } from "./records/records.ts";
import { DurableStore } from "./store/durable-store.ts";
import { StoreBudget } from "./store/store-budget.ts";

const SWEEP_EVERY_MS = 60_000;

export interface NodeState {
  readonly secrets: NodeSecrets;
  readonly store: DurableStore;
  readonly budget: StoreBudget;
  readonly mailboxes: Mailboxes;
  readonly records: Records;
}

/** Rejects with EarshotError `home-in-use`, `file-not-private` or `file-damaged`. */
export async function openState(home: string, limits: NodeLimits): Promise<NodeState> {
  const secrets = loadNodeSecrets(home);
  const store = await openStore(join(home, "node", "store"));
  const budget = new StoreBudget(limits.maxStoreBytes);
  const mailboxes = new Mailboxes(store, budget, limits);
  const records = new Records(store, budget, nodeSignatures, limits);
  await mailboxes.load();
  await records.load();
  return { secrets, store, budget, mailboxes, records };
}

async function openStore(location: string): Promise<DurableStore> {
  try {
    return await DurableStore.open(location);
  } catch (cause) {
    const code = (cause as { cause?: { code?: string } }).cause?.code;
    if (code === "LEVEL_LOCKED")
      throw new EarshotError(
        "home-in-use",
        `another Earshot node is running with ${location}: stop it, or pick another --home`,
        { cause },
      );
    throw new EarshotError(
      "store-unavailable",
      `the store at ${location} cannot be opened: check the disk and its permissions`,
      { cause },
    );
  }
}

/** Deletes what is past its time once a minute, until the result is called. */
export function sweepRegularly(state: NodeState, clock: Clock, log: NodeLog, also: (now: number) => void): () => void {
  let stopped = false;
  let cancel = schedule();
  function schedule(): () => void {
    return clock.setTimer(SWEEP_EVERY_MS, () => {
      const now = clock.now();
      also(now);
      state.mailboxes
        .sweep(now)
        .then((count) => log.debug("swept", { count: count + state.records.sweep(now) }))
        .catch((error: unknown) => log.error("store-failed", { errorCode: errorCodeOf(error) }))
        .finally(() => {
          if (!stopped) cancel = schedule();
        });
    });
  }
  return () => {
    stopped = true;
    cancel();
  };
}
