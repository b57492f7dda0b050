import { settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { Backlog, STALL_MS } from "./backlog.ts";

const CONTACTS = Uint8Array.of(1);
const REQUESTS = Uint8Array.of(2);
let clock: VirtualClock;
let backlog: Backlog;
let settled: boolean;
beforeEach(() => {
  clock = new VirtualClock();
  backlog = new Backlog(clock);
  settled = false;
});

function wait(): Promise<void> {
  void backlog.settled().then(() => {
    settled = true;
  });
  return settle();
}

it("settles when all of each mailbox is handled, whether it came before its number or after", async () => {
  backlog.handled(CONTACTS);
  backlog.expect(CONTACTS, 2);
  backlog.expect(REQUESTS, 1);
  await wait();
  backlog.handled(CONTACTS);
  backlog.handled(CONTACTS); // a new one: it does not stand for a stranger's
  await settle();
  expect([settled, backlog.isEmpty(CONTACTS), backlog.isEmpty(REQUESTS)]).toEqual([false, true, false]);
  backlog.handled(REQUESTS);
  await settle();
  expect(settled).toBe(true);
  expect(clock.pending).toBe(0);
});

it("settles at once where nothing waits", async () => {
  backlog.expect(CONTACTS, 0);
  await wait();
  expect(settled).toBe(true);
});

it("does not wait for what never comes, but for all that does", async () => {
  backlog.expect(CONTACTS, 3);
  await wait();
  await clock.advance(STALL_MS - 1);
  backlog.handled(CONTACTS);
  await clock.advance(STALL_MS - 1);
  expect(settled).toBe(false);
  await clock.advance(1);
  expect([settled, backlog.isEmpty(CONTACTS)]).toEqual([true, false]);
});

it("settles when the connection breaks, even before it is waited for", async () => {
  backlog.expect(CONTACTS, 3);
  backlog.giveUp();
  await wait();
  expect(settled).toBe(true);
  expect(clock.pending).toBe(0);
});
