import { rmSync } from "node:fs";
import { join } from "node:path";
import { dayOf, hourOf, tokenHash } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeSignatures } from "./crypto.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { Mailbox, MailboxOwner } from "./mailboxes/mailbox.ts";
import { Mailboxes } from "./mailboxes/mailboxes.ts";
import { Records } from "./records/records.ts";
import { DurableStore } from "./store/durable-store.ts";
import { StoreBudget } from "./store/store-budget.ts";
import { accepted } from "./testing/test-client.ts";
import { temporaryHome } from "./testing/test-node.ts";

const HOUR_MS = 3_600_000;
const limits = { ...DEFAULT_LIMITS, mailboxWorkBits: 0, requestWorkBits: 0, mailboxIdleDays: 3 };
const nobody: MailboxOwner = { push: () => {}, moved: () => {} };

let home: string;
let clock: VirtualClock;
let store: DurableStore;
let budget: StoreBudget;
let mailboxes: Mailboxes;

beforeEach(async () => {
  home = temporaryHome();
  clock = new VirtualClock();
  store = await DurableStore.open(join(home, "store"));
  budget = new StoreBudget(limits.maxStoreBytes);
  mailboxes = new Mailboxes(store, budget, limits);
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true });
});

function openMailbox(byte: number): Mailbox {
  const request = {
    mailboxId: new Uint8Array(16).fill(byte),
    lanes: 3,
    hour: hourOf(clock.now()),
    work: 0,
    workBits: 0,
  };
  return accepted(mailboxes.open(request, nobody, undefined, clock.now()));
}

let work = 0;
function deliver(mailbox: Mailbox): void {
  const lane = { kind: "request", hour: hourOf(clock.now()), work: work++ } as const;
  accepted(mailboxes.deliver({ mailboxId: mailbox.id, lane, envelope: new Uint8Array(512) }, clock.now()));
}

test("an envelope that nobody fetches is kept for two days and no longer, across restarts", async () => {
  const mailbox = openMailbox(1);
  deliver(mailbox);
  await clock.advance(47 * HOUR_MS);
  deliver(mailbox);
  await store.committed();
  mailboxes = new Mailboxes(store, (budget = new StoreBudget(limits.maxStoreBytes)), limits);
  await mailboxes.load();
  expect(await mailboxes.sweep(clock.now())).toBe(0);
  expect(budget.bytes).toBe(1_024);
  await clock.advance(2 * HOUR_MS);
  expect(await mailboxes.sweep(clock.now())).toBe(1);
  expect([...mailboxes.waiting(openMailbox(1))].length).toBe(1);
  expect(budget.bytes).toBe(512);
});

test("a mailbox that nobody opens is deleted with all it holds, one that is opened again stays", async () => {
  const [left, kept] = [openMailbox(1), openMailbox(2)];
  for (const mailbox of [left, kept]) mailboxes.release(mailbox, nobody, clock.now());
  await clock.advance(3 * 24 * HOUR_MS);
  deliver(left);
  mailboxes.release(openMailbox(2), nobody, clock.now());
  await clock.advance(24 * HOUR_MS);
  await mailboxes.sweep(clock.now());
  expect(mailboxes.find(left.id)).toBeUndefined();
  expect(mailboxes.find(kept.id)).toBeDefined();
  expect(budget.bytes).toBe(0);
});

test("an owner that is connected keeps its mailbox however long it stays", async () => {
  const mailbox = openMailbox(1);
  await clock.advance(30 * 24 * HOUR_MS);
  await mailboxes.sweep(clock.now());
  expect(mailboxes.find(mailbox.id)).toBe(mailbox);
});

test("its idle days count from when it leaves, or from when the daemon last saw it", async () => {
  const [leaving, killed] = [openMailbox(1), openMailbox(2)];
  for (let day = 0; day < 10; day++) {
    await clock.advance(24 * HOUR_MS);
    await mailboxes.sweep(clock.now());
  }
  await clock.advance(24 * HOUR_MS);
  mailboxes.release(leaving, nobody, clock.now());
  await mailboxes.sweep(clock.now());
  expect(mailboxes.find(leaving.id)).toBe(leaving);
  await store.committed();
  mailboxes = new Mailboxes(store, budget, limits);
  await mailboxes.load();
  await clock.advance(2 * 24 * HOUR_MS);
  await mailboxes.sweep(clock.now());
  expect(mailboxes.find(killed.id)).toBeDefined();
  await clock.advance(2 * 24 * HOUR_MS);
  await mailboxes.sweep(clock.now());
  expect(mailboxes.count).toBe(0);
});

test("a bundle lives two days from the last time it was put", async () => {
  const records = new Records(store, budget, nodeSignatures, limits);
  const bundle = new Uint8Array(100);
  accepted(records.putBundle(bundle, undefined, clock.now()));
  await clock.advance(40 * HOUR_MS);
  accepted(records.putBundle(bundle, undefined, clock.now()));
  await clock.advance(40 * HOUR_MS);
  expect(records.sweep(clock.now())).toBe(0);
  await clock.advance(8 * HOUR_MS);
  expect(records.sweep(clock.now())).toBe(1);
  expect(budget.bytes).toBe(0);
});

test("past days' tokens are deleted, and open nothing before that", async () => {
  const mailbox = openMailbox(1);
  const token = new Uint8Array(16).fill(9);
  const entry = { day: dayOf(clock.now()), tokenHash: tokenHash(token) };
  accepted(await mailboxes.setTokens(mailbox, "add", [entry], clock.now()));
  const delivery = { mailboxId: mailbox.id, lane: { kind: "contact", token }, envelope: new Uint8Array(512) } as const;
  accepted(mailboxes.deliver(delivery, clock.now()));
  await clock.advance(48 * HOUR_MS);
  expect(mailboxes.deliver(delivery, clock.now())).toMatchObject({ code: "token-unknown" });
  await clock.advance(24 * HOUR_MS);
  await mailboxes.sweep(clock.now());
  expect(mailbox.tokenCount).toBe(0);
});
