/** What a running call makes of a network that changes under it, at the ears of both. */
import { setTimeout as delay } from "node:timers/promises";
import type { NatMode } from "../../test/nat/lib/nat-modes.ts";
import { monotonicNow } from "../../test/nat/lib/person-protocol.ts";
import { Talk, type TalkOptions } from "../../test/nat/lib/talk.ts";
import type { Measurement } from "../measurement.ts";

/** How long it is talked before, so that nothing of the set-up is left. */
const TALK_MS = 3_000;
const AWAY_MS = 30_000;
/** Longer than a call waits for its path. */
const TOO_LONG_MS = 70_000;
const ASLEEP_MS = 20_000;
const MOMENT_MS = 100;
const LISTEN_MS = 5_000;
const ADDRESS_CHANGES = 5;

const BACK = "2,000 ms or less";
const ENDS = "60 to 70 s after it went, and a word for it";

interface Change {
  readonly metric: string;
  readonly between?: readonly [NatMode, NatMode];
  readonly options?: TalkOptions;
  readonly target: string;
  /** Nothing is measured to the millisecond while it waits: goes on beside others like it. */
  readonly waits?: true;
  /** Does it to a running call, and measures. */
  measure(talk: Talk): Promise<Pick<Measurement, "measured" | "note">>;
}

/** Milliseconds until both hear the other again, from when the network is there. */
async function heardAgain(talk: Talk, change: Promise<unknown>): Promise<{ measured: number }> {
  await change;
  return { measured: await talk.heardAgainAfter(monotonicNow()) };
}

/** Milliseconds until the call has ended at both, and why. */
async function ended(talk: Talk, change: Promise<unknown>): Promise<{ measured: number; note: string }> {
  await change;
  const from = monotonicNow();
  const ends = await talk.ends();
  return {
    measured: Math.max(...ends.map(({ at }) => at - from)),
    note: ends.map(({ reason }) => reason).join(" and "),
  };
}

const CHANGES: readonly Change[] = [
  {
    metric: "the caller moves to another network: both heard again",
    target: BACK,
    measure: (talk) => heardAgain(talk, talk.lab.move(talk.caller.site, talk.spare)),
  },
  {
    metric: "the callee moves to another network: both heard again",
    target: BACK,
    measure: (talk) => heardAgain(talk, talk.lab.move(talk.callee.site, talk.spare)),
  },
  {
    metric: `the caller's address changes, slowest of ${ADDRESS_CHANGES}: both heard again`,
    target: BACK,
    measure: async (talk) => {
      const times: number[] = [];
      for (let i = 0; i < ADDRESS_CHANGES; i++) {
        times.push((await heardAgain(talk, talk.lab.readdress(talk.caller.site))).measured);
        await delay(TALK_MS);
      }
      return { measured: Math.max(...times), note: times.map((ms) => ms.toFixed(0)).join(", ") };
    },
  },
  {
    metric: "the relay that carries it is killed, a second one was named: both heard again",
    between: ["symmetric", "symmetric"],
    options: { relays: 2 },
    target: BACK,
    measure: async (talk) => heardAgain(talk, (await talk.relayInUse()).kill9()),
  },
  {
    metric: "both homes of both are killed: longest pause",
    options: { homes: 2 },
    target: "none",
    measure: async (talk) => {
      await Promise.all(talk.nodes.map((node) => node.kill9()));
      return { measured: await talk.longestPause(LISTEN_MS) };
    },
  },
  {
    metric: "one of two homes of both is killed, then the caller moves: both heard again",
    options: { homes: 2 },
    target: BACK,
    measure: async (talk) => {
      await talk.nodes[0]?.kill9();
      return heardAgain(talk, talk.lab.move(talk.caller.site, talk.spare));
    },
  },
  {
    metric: "the caller's line is away for 30 s: both heard again",
    target: BACK,
    measure: async (talk) => {
      await talk.lab.setLine(talk.caller.site, false);
      await delay(AWAY_MS);
      return heardAgain(talk, talk.lab.setLine(talk.caller.site, true));
    },
  },
  {
    metric: "the caller's machine sleeps for 20 s, and wakes: both heard again",
    target: BACK,
    measure: async (talk) => {
      talk.caller.sleep();
      await talk.lab.setLink(talk.caller.site, false);
      await delay(ASLEEP_MS);
      await talk.lab.setLink(talk.caller.site, true);
      const from = monotonicNow();
      talk.caller.wake();
      // What it hears at once began a moment before it is known to have.
      return { measured: Math.max(0, (await talk.heardAgainAfter(from - MOMENT_MS)) - MOMENT_MS) };
    },
  },
  {
    metric: "the caller's line is away for 70 s: ended at both after",
    target: ENDS,
    waits: true,
    measure: async (talk) => {
      const seen = await ended(talk, talk.lab.setLine(talk.caller.site, false));
      await delay(Math.max(0, TOO_LONG_MS - seen.measured));
      await talk.lab.setLine(talk.caller.site, true);
      return seen;
    },
  },
  {
    metric: "all homes of both are killed, then the caller moves: ended at both after",
    options: { homes: 2 },
    target: ENDS,
    waits: true,
    measure: async (talk) => {
      await Promise.all(talk.nodes.map((node) => node.kill9()));
      return ended(talk, talk.lab.move(talk.caller.site, talk.spare));
    },
  },
];

/** About five minutes. `isWanted`: which of them. */
export async function staying(isWanted: (metric: string) => boolean): Promise<Measurement[]> {
  const wanted = CHANGES.filter(({ metric }) => isWanted(metric));
  const rows: Measurement[] = [];
  for (const change of wanted.filter(({ waits }) => !waits)) rows.push(await row(change));
  const waited = await Promise.all(wanted.filter(({ waits }) => waits).map(row));
  return [...rows, ...waited];
}

async function row({ metric, between = ["port-restricted", "address-restricted"], options, target, measure }: Change) {
  const talk = await Talk.start(...between, options);
  try {
    await talk.call();
    await delay(TALK_MS);
    return { metric, unit: "ms", target, ...(await measure(talk)) };
  } catch (error) {
    // The other rows are worth having.
    const [why = ""] = String(error).split(":", 2).slice(-1);
    return { metric, unit: "ms", target, measured: Number.NaN, note: why.trim() };
  } finally {
    await talk.stop();
  }
}
