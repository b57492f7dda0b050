import { type ContactState, newContact, refuse } from "@earshot/core";
import { deferred, settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { ContactLooks } from "./contact-looks.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
let clock: VirtualClock;
let online: boolean;
let tooMuchAfter: number;
let looked: string[];
let gate: Promise<void>;
beforeEach(() => {
  clock = new VirtualClock();
  online = true;
  tooMuchAfter = Number.POSITIVE_INFINITY;
  looked = [];
  gate = Promise.resolve();
});

/** People with one device for each number. */
function looksAt(...contacts: readonly (readonly number[])[]): ContactLooks {
  const half = { half: key(0), since: 1 };
  const entries = contacts.map((devices, i) => {
    const locators = devices.map((n) => ({ deviceKey: key(n), locatorKey: key(n), since: 1 }));
    const state: ContactState = { ...newContact(key(i)), status: "contact", own: half, peer: half, name: "", locators };
    return { state };
  });
  const note = async (how: string, { deviceKey }: { deviceKey: Uint8Array }) => {
    await gate;
    looked.push(`${how} ${deviceKey[0]}`);
    return refuse(looked.length < tooMuchAfter ? "record-missing" : "rate-limited");
  };
  return new ContactLooks({
    clock,
    book: { all: () => entries },
    sender: { look: (address) => note("look", address), prepare: (address) => note("prepare", address) },
    isOnline: () => online,
    onProblem: () => {},
  });
}

const many = Array.from({ length: 150 }, (_, i) => [i]);

it("has a few contacts ready at once, and many without a flood", async () => {
  const done = looksAt(...many).prepareAll();
  await settle();
  expect(looked.length).toBe(50);
  await clock.advance(10_000);
  expect(looked.length).toBe(100);
  await clock.advance(10_000);
  await done;
  expect(looked.length).toBe(150);
  expect(clock.pending).toBe(0);
});

it("stops where the supernode has had enough, and where the connection is gone", async () => {
  tooMuchAfter = 3;
  await looksAt(...many).prepareAll();
  expect(looked.length).toBe(3);
  tooMuchAfter = Number.POSITIVE_INFINITY;
  looked = [];
  const done = looksAt(...many).prepareAll();
  await settle();
  online = false;
  await clock.advance(60_000);
  await done;
  expect(looked.length).toBe(51);
});

it("does not run twice when the connection comes and goes", async () => {
  const looks = looksAt(...many);
  const first = looks.prepareAll();
  await settle();
  const second = looks.prepareAll();
  await clock.advance(60_000);
  await Promise.all([first, second]);
  expect(looked.length).toBeLessThanOrEqual(50 + 1 + 150);
});

it("looks at a contact's list once a minute, however many envelopes claim whatever", async () => {
  const looks = looksAt([7, 8], [9]);
  const { promise, resolve } = deferred<void>();
  gate = promise;
  const claims = Array.from({ length: 20 }, () => looks.lookAtList(key(0)));
  resolve();
  await Promise.all(claims);
  await looks.lookAtList(key(0));
  await looks.lookAtList(key(1));
  expect(looked).toEqual(["look 7", "look 8", "look 9"]);
  // What was claimed meanwhile is looked at when the minute is over: it may be a revocation.
  await clock.advance(60_000);
  expect(looked.slice(3)).toEqual(["look 7", "look 8"]);
  await clock.advance(60_000);
  expect(looked.length).toBe(5);
});

it("gives a list up where the supernode has had enough", async () => {
  tooMuchAfter = 1;
  await looksAt([1, 2, 3, 4, 5, 6, 7, 8]).lookAtList(key(0));
  expect(looked).toEqual(["look 1"]);
});
