/** Several homes in a real network on loopback: supernodes die, drain and lie, and calls go on ringing. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { TestNetwork } from "../../packages/node/src/testing/test-network.ts";
import type { TestNode } from "../../packages/node/src/testing/test-node.ts";
import { befriend, cleanUp, endOf, makePerson, nextRing, type Person, until } from "./sdk-people.ts";

let network: TestNetwork;
let supernodes: Map<string, TestNode>;
beforeEach(async () => {
  network = new TestNetwork();
  supernodes = new Map();
  for (let i = 0; i < 5; i++) {
    const node = await network.startSupernode({ operator: `Op ${i}` });
    supernodes.set(Buffer.from(node.supernodeKey).toString("hex"), node);
  }
});
afterEach(async () => {
  await cleanUp();
  await network.stop();
});

const homesOf = ({ client }: Person) => client.status.homes ?? [];
const connectedTo = (person: Person) =>
  homesOf(person)
    .filter(({ state }) => state === "connected")
    .map(({ key }) => key);

/** A person with a node of their own, at home at two supernodes. */
async function personAtTwo(name: string): Promise<Person> {
  const node = await network.start();
  const person = await makePerson(name, node.url);
  await until(person.client, "status", () => connectedTo(person).length >= 2 && person.client.status.state === "online");
  return person;
}

async function rings(one: Person, other: Person): Promise<void> {
  const ring = nextRing(other);
  const call = await one.client.call(other.client.id);
  const rung = await ring;
  await call.hangUp();
  await endOf(rung);
}

it("rings while any home is left, and finds others when all are gone", async () => {
  const alice = await personAtTwo("Alice");
  const bob = await personAtTwo("Bob");
  expect(homesOf(bob).every(({ kind, operator }) => kind === "dedicated" && operator.startsWith("Op"))).toBe(true);
  await befriend(alice, bob);
  await rings(alice, bob);
  const [first, second] = connectedTo(bob) as [string, string];
  await supernodes.get(first)?.stop();
  await rings(alice, bob);
  await supernodes.get(second)?.stop();
  await until(bob.client, "status", () => connectedTo(bob).some((key) => key !== first && key !== second));
  await until(bob.client, "status", () => bob.client.status.state === "online");
  await rings(alice, bob);
}, 60_000);
