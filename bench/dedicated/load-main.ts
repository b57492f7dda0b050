/**
 * One load process of the dedicated benchmark: holds clients over TLS, each with a mailbox. When they are dropped they come
 * back by themselves, as the SDK's do: with the jittered back-off of core, and no sooner than they are asked to.
 */
import { randomBytes, sign } from "node:crypto";
import {
  backoffDelayMs,
  checkWork,
  createWorkSolver,
  hourOf,
  LANE_CONTACT,
  LANE_REQUEST,
  mailboxIdOf,
  mailboxOpenMessage,
  unitFromBytes,
  WORK_PURPOSE_MAILBOX,
} from "@earshot/core";
import {
  LoadClient,
  type Mailbox,
  newMailbox,
  sourceAddress,
  type Target,
  UpgradeRefused,
} from "../edge/load-worker.ts";

export type DedicatedCommand =
  | {
      readonly op: "hold";
      readonly target: Target;
      readonly worker: number;
      readonly count: number;
      readonly atOnce: number;
    }
  /** Resolves once all that were dropped since `hold` are back. */
  | { readonly op: "return" };

export interface Held {
  readonly clients: number;
}
export interface Returned {
  /** Drops since the last time, each with its way back. */
  readonly clients: number;
  /** Milliseconds from the drop until the client had its mailbox open again. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Upgrades turned away with a retry-after, and tries that failed otherwise. */
  readonly shed: number;
  readonly failed: number;
  readonly lostMailboxes: number;
}

const LANES = LANE_CONTACT | LANE_REQUEST;
const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

interface HeldClient {
  readonly mailbox: Mailbox;
  readonly address: string;
}

/**
 * Tries under way in this process. Clients of their own each say hello at once; so many in one process that it gets to none of them for seconds
 * would be slow clients, whom a supernode hangs up on, and not many.
 */
const MAX_TRYING = 300;

let target: Target;
let trying = 0;
const turns: (() => void)[] = [];
let away = 0;
let shed = 0;
let failed = 0;
let lostMailboxes = 0;
let times: number[] = [];
let onAllBack = (): void => {};

/** `isNew`: its mailbox is made, which costs work; later it must be there. */
async function arrive(client: LoadClient, mailbox: Mailbox, isNew: boolean): Promise<void> {
  const welcome = await client.ask({ type: "hello", versions: [1], clientNonce: new Uint8Array(32) } as never);
  if (welcome.type !== "welcome") throw new Error(`hello got ${welcome.type}`);
  const { challenge, supernodeKey, mailboxWorkBits, time } = welcome.welcome;
  const hour = hourOf(time);
  const signature = sign(null, mailboxOpenMessage(challenge, supernodeKey, LANES), mailbox.privateKey);
  const about = { purpose: WORK_PURPOSE_MAILBOX, mailboxId: mailboxIdOf(mailbox.key), hour } as const;
  const work = isNew
    ? (createWorkSolver(random, about, mailboxWorkBits).step(2 ** 20) ?? 0)
    : notWorth((value) => checkWork(about, value, mailboxWorkBits, time).ok);
  const open = { type: "open-mailbox", mailboxKey: mailbox.key, lanes: LANES, hour, work, signature };
  const opened = await client.ask(open as never);
  if (opened.type === "error" && opened.code === "work-insufficient" && !isNew) {
    lostMailboxes++; // it asks for a new one's work: it is not there any more
    return arrive(client, mailbox, true);
  }
  if (opened.type !== "opened") throw new Error(`open-mailbox got ${opened.type}`);
}

/** A number that makes no new mailbox, so that one that was lost is not made anew unseen. */
function notWorth(isWorth: (work: number) => boolean): number {
  let work = 0;
  while (isWorth(work)) work++;
  return work;
}

async function connectOnce(held: HeldClient, isNew: boolean): Promise<void> {
  const client = await LoadClient.connect(target, held.address);
  let arrived = false;
  let lost = false;
  client.onClose = () => {
    lost = true;
    if (arrived) void comeBack(held);
  };
  await Promise.race([
    arrive(client, held.mailbox, isNew),
    new Promise((_, reject) => setTimeout(() => reject(new Error("no answer in 30 s")), 30_000).unref()),
  ]).catch((error: unknown) => {
    client.socket.destroy();
    throw error;
  });
  if (lost) throw new Error("closed");
  arrived = true;
}

async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  if (trying >= MAX_TRYING) await new Promise<void>((resolve) => turns.push(resolve));
  trying++;
  try {
    return await act();
  } finally {
    trying--;
    turns.shift()?.();
  }
}

async function comeBack(held: HeldClient): Promise<void> {
  away++;
  const droppedAt = performance.now();
  for (let attempt = 0, retryAfterMs = 0; ; attempt++) {
    const delayMs = backoffDelayMs(attempt, unitFromBytes(random.bytes(4)), retryAfterMs);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    try {
      await inTurn(() => connectOnce(held, false));
      break;
    } catch (error) {
      const refusal = error instanceof UpgradeRefused && error.status === 503 ? error : undefined;
      if (refusal) shed++;
      else failed++;
      retryAfterMs = refusal?.retryAfterMs ?? 0;
    }
  }
  times.push(performance.now() - droppedAt);
  if (--away === 0) onAllBack();
}

async function hold(command: Extract<DedicatedCommand, { op: "hold" }>): Promise<Held> {
  target = command.target;
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < command.count; i = next++) {
      const held = { mailbox: newMailbox(), address: sourceAddress(command.worker, i) };
      for (let attempt = 0; ; attempt++) {
        try {
          await connectOnce(held, true);
          break;
        } catch (error) {
          const retryAfterMs = error instanceof UpgradeRefused ? error.retryAfterMs : 0;
          if (attempt > 50) throw error;
          const delayMs = backoffDelayMs(attempt, Math.random(), retryAfterMs);
          await new Promise((resolve) => setTimeout(resolve, delayMs));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: command.atOnce }, lane));
  return { clients: command.count };
}

async function returned(): Promise<Returned> {
  if (away > 0)
    await new Promise<void>((resolve) => {
      onAllBack = resolve;
    });
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const told = { clients: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), shed, failed, lostMailboxes };
  times = [];
  [shed, failed, lostMailboxes] = [0, 0, 0];
  return told;
}

process.on("message", (command: DedicatedCommand) => {
  (command.op === "hold" ? hold(command) : returned()).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
