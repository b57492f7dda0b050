/** What removing somebody does to everybody else: this device moves, and they must find it again. */
import { type RunningNode, startNode } from "@earshot/node";
import type { Call } from "@earshot/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import {
  befriend,
  cleanUp,
  endOf,
  isContact,
  makePerson,
  nextRing,
  type Person,
  temporaryFolder,
  until,
} from "./sdk-people.ts";

const REACHED_WITHIN_MS = 10_000;

let node: RunningNode;
let alice: Person;
let bob: Person;
let cleo: Person;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
beforeEach(async () => {
  alice = await makePerson("Alice", node.url);
  bob = await makePerson("Bob", node.url);
  cleo = await makePerson("Cleo", node.url);
  await befriend(alice, cleo);
});
afterEach(cleanUp);
afterAll(() => node.stop());

/** The call rings there, within the time that word of a move takes. */
async function canCall(one: Person, other: Person): Promise<void> {
  const ring = nextRing(other);
  const giveUpAt = Date.now() + REACHED_WITHIN_MS;
  const tried = (): Promise<Call> =>
    one.client.call(other.client.id).catch((error: unknown) => {
      if ((error as { code?: string }).code !== "contact-unreachable" || Date.now() > giveUpAt) throw error;
      return tried();
    });
  const call = await tried();
  const rung = await ring;
  await call.hangUp();
  await endOf(rung);
}

it("lets somebody answer who was asked before the move", async () => {
  await alice.client.addContact(bob.client.card());
  await until(bob.client, "requests", () => bob.client.requests().length === 1);
  await alice.client.removeContact(cleo.client.id);
  await bob.client.acceptRequest(alice.client.id);
  await Promise.all([isContact(alice, bob), isContact(bob, alice)]);
  await canCall(alice, bob);
  await canCall(bob, alice);
});

it("lets an answer find this device that was on its way when it moved", async () => {
  await alice.client.addContact(bob.client.card());
  await until(bob.client, "requests", () => bob.client.requests().length === 1);
  await alice.client.stop();
  await bob.client.acceptRequest(alice.client.id); // waits where Alice moves away from
  const back = await makePerson("Alice", node.url, { home: alice.home, start: false });
  await back.client.removeContact(cleo.client.id);
  await back.client.start();
  await isContact(back, bob);
  await canCall(bob, back);
});

it("keeps two contacts who move at the same time", async () => {
  await befriend(alice, bob);
  await befriend(bob, cleo);
  await Promise.all([alice.client.blockContact(cleo.client.id), bob.client.blockContact(cleo.client.id)]);
  await canCall(alice, bob);
  await canCall(bob, alice);
});

it("keeps a contact who moves while this device is away, and then moves too", async () => {
  await befriend(alice, bob);
  await befriend(bob, cleo);
  await bob.client.stop();
  await alice.client.blockContact(cleo.client.id); // tells Bob, where he moves away from
  const back = await makePerson("Bob", node.url, { home: bob.home, start: false });
  await back.client.blockContact(cleo.client.id);
  await back.client.start();
  await canCall(back, alice);
  await canCall(alice, back);
});

it("reads what waited where this device moves away from", async () => {
  await befriend(alice, bob);
  await bob.client.stop();
  const call = await alice.client.call(bob.client.id);
  await call.hangUp();
  await endOf(call);
  const back = await makePerson("Bob", node.url, { home: bob.home, start: false });
  await back.client.addContact(cleo.client.card());
  await back.client.removeContact(cleo.client.id); // he had asked her: he moves
  const missed: string[] = [];
  back.client.on("missed", ({ callId }) => missed.push(callId));
  await back.client.start();
  expect(missed).toEqual([call.callId]);
});

it("does not ask again who has ended it", async () => {
  await befriend(alice, bob);
  await bob.client.removeContact(alice.client.id);
  await until(alice.client, "contacts", () => alice.client.contacts().some(({ state }) => state === "added"));
  const dan = await makePerson("Dan", node.url);
  await alice.client.addContact(dan.client.card());
  await until(dan.client, "requests", () => dan.client.requests().length === 1);
  await alice.client.removeContact(cleo.client.id);
  await dan.client.acceptRequest(alice.client.id); // reaches her only by the request that she sends again
  await isContact(alice, dan);
  expect(bob.client.requests()).toEqual([]);
});
