/** Several homes in a real network on loopback: supernodes die, drain and lie, and calls go on ringing. */
import { decodeClientFrame, decodeServerFrame, encodeFrame, toHex, unwrap } from "@earshot/core";
import type { Connection, Transport } from "@earshot/sdk";
import { nodeTransport } from "@earshot/sdk/node";
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
    supernodes.set(toHex(node.supernodeKey), node);
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
async function personAtTwo(name: string, options: Parameters<typeof makePerson>[2] = {}): Promise<Person> {
  const node = await network.start();
  const person = await makePerson(name, node.url, options);
  await until(
    person.client,
    "status",
    () => connectedTo(person).length >= 2 && person.client.status.state === "online",
  );
  return person;
}

/** A way to supernodes on which those of `liars` do what a hostile one would. */
function lyingTransport(liars: Set<string>, lie: Lie): Transport {
  return {
    async connect(node) {
      const inner = await nodeTransport().connect(node);
      const key = node.tunnelTo ? toHex(node.tunnelTo.supernodeKey) : "";
      const outer: Connection = {
        onMessage: () => {},
        onClose: () => {},
        close: () => inner.close(),
        send: (message) => {
          const frame = unwrap(decodeClientFrame(message));
          const dropped = liars.has(key) && lie === "says ok and forwards nothing" && frame.type === "deliver";
          if (!dropped) return inner.send(message);
          queueMicrotask(() => outer.onMessage(encodeFrame({ type: "ok", requestId: frame.requestId })));
        },
      };
      inner.onClose = (reason) => outer.onClose(reason);
      inner.onMessage = (message) => {
        const frame = decodeServerFrame(message);
        const dropped = liars.has(key) && lie === "takes envelopes and never hands them over";
        if (!(dropped && frame.ok && frame.value.type === "envelope")) outer.onMessage(message);
      };
      return outer;
    },
  };
}
type Lie = "says ok and forwards nothing" | "takes envelopes and never hands them over";

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
}, 150_000);

it("rings where one home of each side lies, whichever", async () => {
  const [forwarders, keepers] = [new Set<string>(), new Set<string>()];
  const alice = await personAtTwo("Alice", { transport: lyingTransport(forwarders, "says ok and forwards nothing") });
  const hides = "takes envelopes and never hands them over";
  const bob = await personAtTwo("Bob", { transport: lyingTransport(keepers, hides) });
  await befriend(alice, bob);
  const refused: string[] = [];
  for (const { client } of [alice, bob]) client.on("refused", ({ code }) => refused.push(code));
  for (const forwarder of connectedTo(alice).slice(0, 2)) {
    for (const keeper of connectedTo(bob).slice(0, 2)) {
      forwarders.clear();
      keepers.clear();
      await rings(alice, bob);
      forwarders.add(forwarder);
      keepers.add(keeper);
      await rings(alice, bob);
    }
  }
  // Every envelope came twice where nobody lied, and nobody was told.
  expect(refused).toEqual([]);
}, 60_000);

it("moves to another home while calls ring, and takes trusted ones first", async () => {
  const alice = await personAtTwo("Alice");
  const bob = await personAtTwo("Bob");
  await befriend(alice, bob);
  const before = connectedTo(bob);
  const free = bob.client.supernodes().filter(({ home }) => !home);
  expect([bob.client.supernodes().length, free.length]).toEqual([5, 3]);
  const [trusted] = free as [(typeof free)[number]];
  await bob.client.setTrustedSupernodes([trusted.key]);
  await bob.client.moveHome(before[0] as string);
  expect(
    homesOf(bob)
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual([before[1], trusted.key].toSorted());
  expect(homesOf(bob).filter((home) => home.trusted)).toHaveLength(1);
  await rings(alice, bob);
  await expect(bob.client.moveHome(before[0] as string)).rejects.toMatchObject({ code: "unknown-supernode" });
  await bob.client.moveHome(before[1] as string, free[1]?.key);
  await rings(alice, bob);
  expect(
    homesOf(bob)
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual([free[1]?.key, trusted.key].toSorted());
}, 60_000);

it("is at home at the own node while there is no supernode, and leaves it once there are", async () => {
  const alone = new TestNetwork();
  try {
    const later = await alone.start({ role: "dedicated", edge: "open" });
    await later.network?.setServing(0);
    const node = await alone.start();
    const cleo = await makePerson("Cleo", node.url);
    expect(homesOf(cleo).map(({ kind }) => kind)).toEqual(["own"]);
    await later.network?.setServing(1_000);
    await until(cleo.client, "status", () => {
      const homes = homesOf(cleo);
      return homes.length > 0 && homes.every(({ kind, state }) => kind === "dedicated" && state === "connected");
    });
  } finally {
    await cleanUp();
    await alone.stop();
  }
}, 60_000);

it("moves at once where a home drains, without a missed call", async () => {
  const alice = await personAtTwo("Alice");
  const bob = await personAtTwo("Bob");
  await befriend(alice, bob);
  const [leaving] = connectedTo(bob) as [string];
  const stopped = supernodes.get(leaving)?.stop();
  await rings(alice, bob);
  await stopped;
  await until(bob.client, "status", () => connectedTo(bob).filter((key) => key !== leaving).length === 2);
  await rings(alice, bob);
}, 60_000);
