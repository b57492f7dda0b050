/** Becoming contacts, and ceasing to be. */
import { type RunningNode, startNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, cleanUp, isContact, makePerson, type Person, phase, temporaryFolder, until } from "./sdk-people.ts";

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterEach(cleanUp);
afterAll(() => node.stop());

const statesAt = ({ client }: Person) => client.contacts().map(({ name, state }) => `${name}: ${state}`);

it("asks a stranger, who is asked and accepts", async () => {
  const alice = await makePerson("Alice", node.url);
  const bob = await makePerson("Bob", node.url);
  await alice.client.addContact(bob.client.card(), "Bobby");
  expect(statesAt(alice)).toEqual(["Bobby: added"]);
  await until(bob.client, "requests", () => bob.client.requests().length === 1);
  expect(bob.client.requests()[0]).toMatchObject({ id: alice.client.id, name: "Alice" });
  expect(bob.client.contacts()).toEqual([]);

  await bob.client.acceptRequest(alice.client.id);
  await isContact(alice, bob);
  expect(statesAt(bob)).toEqual(["Alice: contact"]);
  expect(bob.client.requests()).toEqual([]);
});

it("makes two who added each other contacts at once, though one was away", async () => {
  const alice = await makePerson("Alice", node.url);
  const bob = await makePerson("Bob", node.url);
  const card = bob.client.card();
  await bob.client.stop();
  await alice.client.addContact(card);
  expect(statesAt(alice)).toEqual(["Bob: added"]);

  const back = await makePerson("Bob", node.url, { home: bob.home, start: false });
  await back.client.addContact(alice.client.card()); // not connected: kept, and sent when it is
  expect(statesAt(back)).toEqual(["Alice: added"]);
  await back.client.start();
  await Promise.all([isContact(alice, back), isContact(back, alice)]);
  expect(back.client.requests()).toEqual([]);
});

it("lets a call to somebody who accepts all go through at once", async () => {
  const echo = await makePerson("Echo", node.url, { acceptAllRequests: true });
  const alice = await makePerson("Alice", node.url);
  const rings = new Promise((resolve) => echo.client.on("incoming", resolve));
  const call = await alice.client.call(echo.client.card());
  await rings;
  await phase(call, "ringing");
  await call.hangUp();
});

it("keeps who they are over a restart, and their names as given", async () => {
  const alice = await makePerson("Alice", node.url);
  const bob = await makePerson("Bob", node.url);
  await befriend(alice, bob);
  await alice.client.renameContact(bob.client.id, "Bob from work");
  await alice.client.stop();
  const again = await makePerson("somebody else", node.url, { home: alice.home });
  expect([again.client.id, again.client.name]).toEqual([alice.client.id, "Alice"]);
  expect(statesAt(again)).toEqual(["Bob from work: contact"]);
});

it("lets nobody in who was removed or blocked, and keeps the others", async () => {
  const alice = await makePerson("Alice", node.url);
  const bob = await makePerson("Bob", node.url);
  const cleo = await makePerson("Cleo", node.url);
  await befriend(alice, bob);
  await befriend(alice, cleo);
  await alice.client.removeContact(bob.client.id);
  await until(bob.client, "contacts", () => bob.client.contacts()[0]?.state === "added");
  await expect(bob.client.call(alice.client.id)).rejects.toMatchObject({ code: "waiting-for-contact" });

  const rings = new Promise((resolve) => alice.client.on("incoming", resolve));
  const call = await cleo.client.call(alice.client.id);
  await rings;
  await phase(call, "ringing");
  await call.hangUp();

  await alice.client.blockContact(cleo.client.id);
  expect(statesAt(alice)).toEqual(["Cleo: blocked"]);
  await expect(cleo.client.call(alice.client.id)).rejects.toMatchObject({ code: "contact-unreachable" });
});

it("refuses what cannot be a contact, and says why", async () => {
  const alice = await makePerson("Alice", node.url);
  const add = (card: string) => alice.client.addContact(card);
  const { id } = alice.client;
  await expect(add(alice.client.card())).rejects.toMatchObject({ code: "own-card" });
  await expect(add(`${id.slice(0, -1)}${id.endsWith("q") ? "p" : "q"}`)).rejects.toMatchObject({ code: "id-mistyped" });
  await expect(add("hello")).rejects.toMatchObject({ code: "id-malformed" });
  await expect(alice.client.acceptRequest(id)).rejects.toMatchObject({ code: "unknown-request" });
  expect(alice.client.contacts()).toEqual([]);
});
