/**
 * A third of the supernodes is killed at once in the middle of 50 look-ups, made by clients on several nodes, each of a person
 * that the asker has never heard of: every one is answered.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { areHomed, homeNodesOf } from "../lib/network-people.ts";
import { eventually, type NodeKind, OverlayNetwork, type OverlayNode } from "../lib/network.ts";
import { cleanUp, makePerson, type Person } from "../sdk-people.ts";

const SUPERNODES: readonly NodeKind[] = ["dedicated", "promoted", "dedicated", "promoted", "promoted", "dedicated"];
const ASKERS = 5;
const ASKED = 10;
/** Look-ups that are done when they are killed. */
const BEFORE = 10;

const network = new OverlayNetwork({ nodes: SUPERNODES.length + 6 });
let askers: Person[];
let asked: Person[];

beforeAll(async () => {
  await network.startAll([...SUPERNODES, ...Array.from({ length: 6 }, () => "client" as const)]);
  const [, ...nodes] = network.clients;
  const onFirst = network.clients[0]?.url ?? "";
  askers = await Promise.all(nodes.slice(0, ASKERS).map(({ url }, i) => makePerson(`Asker ${i}`, url)));
  asked = await Promise.all(Array.from({ length: ASKED }, (_, i) => makePerson(`Asked ${i}`, onFirst)));
  await areHomed([...askers, ...asked], network);
});

afterAll(async () => {
  await cleanUp();
  await network.stop();
});

/** A third of the six; not both homes of one who is looked up, with whom all that waited there would be gone. */
function victims(): OverlayNode[] {
  const homes = asked.map((person) => homeNodesOf(person, network));
  const pairs = network.supernodes.flatMap((one, i) => network.supernodes.slice(i + 1).map((other) => [one, other]));
  const pair = pairs.find((each) => homes.every((some) => some.some((home) => !each.includes(home))));
  if (!pair) throw new Error("ten people cannot have all fifteen pairs for homes");
  return pair;
}

it("a third of the supernodes is killed at once during 50 look-ups, and none is lost", async () => {
  let done = 0;
  const lookups = askers.map(async ({ client }) => {
    // By the bare id: all there is to go by is the public record.
    for (const other of asked) {
      await client.addContact(other.client.id);
      done++;
    }
  });
  const killing = (async () => {
    await eventually("some look-ups are done", () => done >= BEFORE);
    expect(done).toBeLessThan(ASKERS * ASKED);
    await Promise.all(victims().map((node) => node.kill9()));
  })();
  const results = await Promise.allSettled([...lookups, killing]);
  expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
  expect(done).toBe(ASKERS * ASKED);
  const requests = () => asked.map(({ client }) => client.requests().length);
  await eventually("all requests arrive", () => requests().every((count) => count === ASKERS)).catch(() => undefined);
  expect(requests()).toEqual(asked.map(() => ASKERS));
});
