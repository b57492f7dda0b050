/** What one contact can do alone with all it was ever given, against the limits as they are by default. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { acceptedDays, dayOf, deliveryToken, hourOf, registeredDays, tokenHash } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { DurableStore } from "../store/durable-store.ts";
import { StoreBudget } from "../store/store-budget.ts";
import { accepted } from "../testing/test-client.ts";
import { temporaryHome } from "../testing/test-node.ts";
import type { Mailbox, MailboxOwner } from "./mailbox.ts";
import { type DeliveryResult, Mailboxes } from "./mailboxes.ts";

const HOUR_MS = 3_600_000;
const limits = { ...DEFAULT_LIMITS, mailboxWorkBits: 0 };
/** Of one contact: the secret of its first request, and the agreed one. */
const secrets = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const another = new Uint8Array(32).fill(3);

let home: string;
let clock: VirtualClock;
let store: DurableStore;
let mailboxes: Mailboxes;
let mailbox: Mailbox;

/** Acknowledges all at once. */
const owner: MailboxOwner = {
  push: (_id, seq) => mailboxes.acknowledge(mailbox, seq),
  moved: () => {},
};

beforeEach(async () => {
  home = temporaryHome();
  clock = new VirtualClock();
  store = await DurableStore.open(join(home, "store"));
  mailboxes = new Mailboxes(store, new StoreBudget(limits.maxStoreBytes), limits);
  const request = { mailboxId: new Uint8Array(16).fill(9), lanes: 3, hour: hourOf(clock.now()), work: 0, workBits: 0 };
  mailbox = accepted(mailboxes.open(request, owner, undefined, clock.now()));
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true });
});

async function registerAll(): Promise<void> {
  for (const secret of [...secrets, another]) {
    const tokens = registeredDays(clock.now()).map((day) => ({
      day,
      tokenHash: tokenHash(deliveryToken(secret, mailbox.id, day)),
    }));
    accepted(await mailboxes.setTokens(mailbox, "add", tokens, clock.now()));
  }
}

function deliver(secret: Uint8Array, day: number, bytes: number): DeliveryResult {
  const lane = { kind: "contact", token: deliveryToken(secret, mailbox.id, day) } as const;
  return mailboxes.deliver({ mailboxId: mailbox.id, lane, envelope: new Uint8Array(bytes) }, clock.now());
}

/** Sends under all of the contact's tokens until none is taken any more. */
function exhaust(bytes: number): number {
  let taken = 0;
  for (const secret of secrets)
    for (const day of acceptedDays(clock.now())) while (deliver(secret, day, bytes).ok) taken++;
  return taken;
}

test("a contact that sends all it can leaves room to ring for the others, at midnight too", async () => {
  await clock.advance(24 * HOUR_MS - (clock.now() % (24 * HOUR_MS)) - HOUR_MS);
  await registerAll();
  for (let step = 0; step < 12; step++) {
    expect(exhaust(512)).toBeGreaterThan(0);
    // As much as the largest call set-up takes.
    for (let i = 0; i < 2; i++) accepted(deliver(another, dayOf(clock.now()), 8_192));
    await clock.advance(10 * 60_000);
  }
});

test("its rate over a day is three quarters of the mailbox's at most", async () => {
  await registerAll();
  exhaust(512);
  let taken = 0;
  const minutes = 60;
  for (let minute = 0; minute < minutes; minute++) {
    await clock.advance(60_000);
    taken += exhaust(512);
  }
  expect((taken * 512) / (minutes * 60)).toBeLessThanOrEqual(limits.bytesPerMailbox.perSecond * 0.75);
});

test.each([512, 8_192])(
  "what it leaves for an absent person (envelopes of %i) does not keep others out",
  async (size) => {
    await registerAll();
    mailboxes.release(mailbox, owner, clock.now());
    for (let hour = 0; hour < 47; hour++) {
      exhaust(size);
      await clock.advance(HOUR_MS);
      await registerAll();
    }
    await clock.advance(5_000);
    for (let i = 0; i < 5; i++) accepted(deliver(another, dayOf(clock.now()), 8_192));
  },
);

test("who has no token does not learn whether a mailbox is full or busy", async () => {
  mailboxes = new Mailboxes(store, new StoreBudget(limits.maxStoreBytes), { ...limits, maxStoredPerMailbox: 1 });
  const request = { mailboxId: mailbox.id, lanes: 3, hour: hourOf(clock.now()), work: 0, workBits: 0 };
  mailbox = accepted(mailboxes.open(request, { ...owner, push: () => {} }, undefined, clock.now()));
  await registerAll();
  exhaust(512);
  expect(deliver(another, dayOf(clock.now()), 512)).toMatchObject({ code: "over-quota" });
  expect(deliver(new Uint8Array(32), dayOf(clock.now()), 512)).toMatchObject({ code: "token-unknown" });
});
