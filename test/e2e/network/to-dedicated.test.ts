/**
 * A network of volunteers is moved to dedicated supernodes while people use it: the dedicated ones come, the volunteers are stopped one
 * after the other, and every call rings, before, meanwhile and after.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import { CallsThroughout } from "../lib/network-calls.ts";
import { areHomed, homeNodesOf } from "../lib/network-people.ts";
import { OverlayNetwork, type OverlayNode } from "../lib/network.ts";
import { befriend, cleanUp, makePerson, type Person } from "../sdk-people.ts";

const VOLUNTEERS = 4;
const DEDICATED = 3;

let network: OverlayNetwork;
let volunteers: OverlayNode[];
let ann: Person;
let ben: Person;

// Anew for another try: nobody has moved there before.
beforeEach(async () => {
  network = new OverlayNetwork({ nodes: 1 + VOLUNTEERS + DEDICATED + 2 });
  // Somebody has to be the first; it does not stay.
  await network.startAll(["dedicated", ...Array.from({ length: VOLUNTEERS }, () => "promoted" as const)]);
  const [founder] = network.supernodes;
  volunteers = network.supernodes.slice(1);
  await founder?.stop();
  const [atAnn, atBen] = await Promise.all([network.start("client"), network.start("client")]);
  await network.allKnown();
  [ann, ben] = await Promise.all([makePerson("Ann", atAnn.url), makePerson("Ben", atBen.url)]);
  await areHomed([ann, ben], network);
  await befriend(ann, ben);
});

afterEach(async () => {
  await cleanUp();
  await network?.stop();
});

it("from volunteers to dedicated supernodes, live, with every call ringing", async () => {
  const kinds = () => [ann, ben].flatMap((person) => homeNodesOf(person, network).map(({ kind }) => kind));
  expect(new Set(kinds())).toEqual(new Set(["promoted"]));
  const calls = new CallsThroughout(ann, ben);

  for (let i = 0; i < DEDICATED; i++) await network.start("dedicated");
  await network.allKnown();
  for (const volunteer of volunteers) {
    await volunteer.stop();
    await areHomed([ann, ben], network);
  }

  await calls.stop();
  expect(new Set(kinds())).toEqual(new Set(["dedicated"]));
  expect(calls.failures).toEqual([]);
  expect(calls.rangAfterMs.length).toBeGreaterThan(10);
});
