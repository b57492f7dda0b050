import { rmSync } from "node:fs";
import { join } from "node:path";
import { dayOf, hourOf, type TokenEntry } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { PrefixLimits, type PrefixUse } from "../prefix-limits.ts";
import { DurableStore } from "../store/durable-store.ts";
import { StoreBudget } from "../store/store-budget.ts";
import { accepted, testRandom } from "../testing/test-client.ts";
import { temporaryHome } from "../testing/test-node.ts";
import { TOKEN_STORED_BYTES } from "./delivery-tokens.ts";
import type { Mailbox } from "./mailbox.ts";
import { Mailboxes } from "./mailboxes.ts";

const DAY_MS = 24 * 3_600_000;
const nobody = { push: () => {}, moved: () => {} };

let home: string;
let clock: VirtualClock;
let store: DurableStore;
let budget: StoreBudget;

beforeEach(async () => {
  home = temporaryHome();
  clock = new VirtualClock();
  store = await DurableStore.open(join(home, "store"));
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true });
});

function createMailboxes(limits: Partial<typeof DEFAULT_LIMITS> = {}): Mailboxes {
  const all = { ...DEFAULT_LIMITS, mailboxWorkBits: 0, ...limits };
  budget = new StoreBudget(all.maxStoreBytes);
  return new Mailboxes(store, budget, all);
}
function openMailbox(mailboxes: Mailboxes, from?: PrefixUse): Mailbox {
  const request = { mailboxId: testRandom.bytes(16), lanes: 3, hour: hourOf(clock.now()), work: 0, workBits: 0 };
  return accepted(mailboxes.open(request, nobody, from, clock.now()));
}
const tokens = (count: number, inDays = 0): TokenEntry[] =>
  Array.from({ length: count }, () => ({ day: dayOf(clock.now()) + inDays, tokenHash: testRandom.bytes(16) }));

test("tokens count among the bytes that are kept for others, and stop when they are gone", async () => {
  const mailboxes = createMailboxes({ maxStoreBytes: 10 * TOKEN_STORED_BYTES });
  const mailbox = openMailbox(mailboxes);
  const some = tokens(6);
  accepted(await mailboxes.setTokens(mailbox, "add", some, clock.now()));
  accepted(await mailboxes.setTokens(mailbox, "add", some, clock.now()));
  expect(budget.bytes).toBe(6 * TOKEN_STORED_BYTES);
  const another = openMailbox(mailboxes);
  expect(await mailboxes.setTokens(another, "add", tokens(5), clock.now())).toMatchObject({ code: "over-quota" });
  accepted(await mailboxes.setTokens(mailbox, "remove", some.slice(0, 2), clock.now()));
  accepted(await mailboxes.setTokens(another, "add", tokens(5), clock.now()));
  await mailboxes.forget(another);
  await mailboxes.forget(mailbox);
  expect(budget.bytes).toBe(0);
});

test("they count for the prefix that opened the mailbox last", async () => {
  const limits = { handshakes: DEFAULT_LIMITS.handshakesPerPrefix, maxPrefixes: 10, limitPrivate: true };
  const prefixes = new PrefixLimits(limits);
  const [here, there] = ["192.0.2.1", "198.51.100.1"].map((each) => prefixes.of(each, clock.now()) as PrefixUse);
  const mailboxes = createMailboxes({ maxStoredBytesPerPrefix: 10 * TOKEN_STORED_BYTES });
  const mailbox = openMailbox(mailboxes, here);
  accepted(await mailboxes.setTokens(mailbox, "add", tokens(8), clock.now()));
  const second = openMailbox(mailboxes, here);
  expect(await mailboxes.setTokens(second, "add", tokens(3), clock.now())).toMatchObject({ code: "over-quota" });
  const moved = { mailboxId: mailbox.id, lanes: 3, hour: 0, work: 0, workBits: 0 };
  accepted(mailboxes.open(moved, nobody, there, clock.now()));
  expect([here?.counts.storedBytes, there?.counts.storedBytes]).toEqual([0, 8 * TOKEN_STORED_BYTES]);
  accepted(await mailboxes.setTokens(second, "add", tokens(3), clock.now()));
});

test("a restarted daemon counts what is there, not what was there once", async () => {
  const before = createMailboxes();
  const mailbox = openMailbox(before);
  accepted(await before.setTokens(mailbox, "add", [...tokens(5), ...tokens(2, 7)], clock.now()));
  await clock.advance(4 * DAY_MS);
  await before.sweep(clock.now());
  await store.committed();
  const after = createMailboxes();
  await after.load();
  expect(after.find(mailbox.id)?.tokenCount).toBe(2);
  expect(budget.bytes).toBe(2 * TOKEN_STORED_BYTES);
});

test("a full mailbox makes room by its past tokens, and does not look for them at every refusal", async () => {
  const mailboxes = createMailboxes({ maxTokensPerMailbox: 10 });
  const mailbox = openMailbox(mailboxes);
  accepted(await mailboxes.setTokens(mailbox, "add", [...tokens(6), ...tokens(4, 7)], clock.now()));
  const reads = vi.spyOn(store, "entries");
  for (let i = 0; i < 50; i++)
    expect(await mailboxes.setTokens(mailbox, "add", tokens(1), clock.now())).toMatchObject({ code: "over-quota" });
  expect(reads.mock.calls.length).toBe(1);
  await clock.advance(2 * DAY_MS);
  accepted(await mailboxes.setTokens(mailbox, "add", tokens(6), clock.now()));
  expect(mailbox.tokenCount).toBe(10);
});
