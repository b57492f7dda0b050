/**
 * A volunteer's node becomes a supernode and ceases to be one, both by what is measured, while two people call each other: two
 * supernodes dial it back and take its probes, it serves, both have a home there, its machine gets busy, it sends its clients on. Of the policy's numbers only times are others than in use.
 */
import type { NodeReport, PromotionParams } from "@earshot/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CallsThroughout } from "../lib/network-calls.ts";
import { areHomed } from "../lib/network-people.ts";
import { areAt, areElsewhere, knowsOf, reports, someCalls } from "../lib/network-volunteer.ts";
import { OverlayNetwork, type OverlayNode } from "../lib/network.ts";
import { befriend, cleanUp, makePerson, type Person } from "../sdk-people.ts";

const QUICK: Partial<PromotionParams> = {
  stepEveryMs: 100,
  measureEveryMs: 2_000,
  steadyAddressMs: 1_000,
  minUptimeMs: 1_000,
  newcomerUptimeMs: 2_000,
  fitDwellMs: 1_000,
  needDwellMs: 1_000,
  drawEveryMs: 200,
  pressedDwellMs: 2_000,
  drainMs: 12_000,
  minDrainMs: 500,
  holdMs: 60_000,
  // A machine that runs tests is busy and late by itself; one that is really busy is later still.
  minIdleCores: 0,
  maxLoopLagMs: 200,
  pressedLoopLagMs: 500,
};
/** Several nodes are started in it; it takes a minute on a machine with nothing else to do. */
const TEST_LIMIT_MS = 300_000;
/** Calls while nothing else happens, that the next thing is seen to happen among them. */
const CALLS = 4;

let network: OverlayNetwork;
let volunteer: OverlayNode;
let ann: Person;
let ben: Person;

// Anew for another try: nobody has been promoted there before.
beforeEach(async () => {
  network = new OverlayNetwork({ nodes: 7 });
  await network.startAll(["dedicated", "dedicated", "client", "client"]);
  const [atAnn, atBen] = network.clients as [OverlayNode, OverlayNode];
  volunteer = await network.start("client", {
    role: "volunteer",
    promotion: QUICK,
    reachable: false,
    operator: "Vera",
  });
  [ann, ben] = await Promise.all([makePerson("Ann", atAnn.url), makePerson("Ben", atBen.url)]);
  await areHomed([ann, ben], network);
  await befriend(ann, ben);
});

afterEach(async () => {
  await cleanUp();
  await network?.stop();
});

it("promotes a volunteer's node by measurement, and demotes it by measurement, with every call ringing", {
  timeout: TEST_LIMIT_MS,
}, async () => {
  expect(await volunteer.report()).toMatchObject({ role: "client", roleState: "off" });
  const calls = new CallsThroughout(ann, ben);
  await someCalls(calls, CALLS);

  const { consent } = await volunteer.report();
  const limits = { ...consent.limits, maxClients: 20 };
  expect((await volunteer.api("PUT", "/api/consent", { given: true, limits })).status).toBe(200);
  const serving = await reports(volunteer, "the volunteer is promoted", ({ roleState }) => roleState === "serving");
  expect(serving).toMatchObject({ role: "promoted", roleReason: "The network needed another supernode." });
  expect(serving.capacity.maxClients).toBe(20);
  expectMeasured(serving);
  expect(await metric('earshot_promotions_total{role="supernode"}')).toBe(1);

  await replaceOthers();
  const before = await forwarded();
  await someCalls(calls, CALLS);
  expect(await forwarded()).toBeGreaterThan(before);

  await volunteer.setBusy(true);
  await reports(volunteer, "the volunteer is demoted", ({ roleState }) => roleState !== "serving");
  await volunteer.setBusy(false);
  const after = await reports(volunteer, "its clients have gone", ({ roleState }) => roleState === "measuring");
  expect(after).toMatchObject({ role: "client", capacity: { clients: 0, maxClients: 0 } });
  expect(await metric('earshot_demotions_total{cause="pressed"}')).toBe(1);
  await areElsewhere(volunteer, [ann, ben], network.supernodes);

  // All is well again, and it rests.
  const resting = await reports(volunteer, "it could serve but for the rest", ({ criteria }) =>
    criteria.every(({ name, met }) => name === "need" || met === (name !== "rest")),
  );
  expect(resting.roleReason).toContain("This machine needed its resources for itself.");
  await someCalls(calls, CALLS);
  expect((await volunteer.report()).roleState).toBe("measuring");
  expect(await metric('earshot_promotions_total{role="supernode"}')).toBe(1);

  await calls.stop();
  expect(calls.failures).toEqual([]);
  expect(calls.rangAfterMs.length).toBeGreaterThan(3 * CALLS);
});

/** Each criterion says what was measured, and what others had to measure they did. */
function expectMeasured({ criteria }: NodeReport): void {
  expect(criteria.filter(({ met }) => met !== true)).toEqual([]);
  const values = new Map(criteria.map(({ name, value }) => [name, value]));
  expect(values.get("reachable")).toBe("reached by 2 of 2");
  expect(values.get("uplink")).toMatch(/^\d+ KiB\/s$/);
  expect(values.get("address")).toMatch(/^for \d+ s$/);
  expect(values.get("cpu")).toMatch(/^\d+ % of a core used, \d+\.\d cores idle$/);
  expect(values.get("memory")).toMatch(/^\d+ MiB$/);
  expect(values.get("need")).toMatch(/^2 others, \d+ % full/);
}

/** The dedicated ones go, as their operators stop them, and others come: both people have a home at the volunteer's node then. */
async function replaceOthers(): Promise<void> {
  const [one, other] = network.supernodes;
  await Promise.all(network.nodes.map((node) => knowsOf(node, volunteer)));
  await one?.stop();
  await areAt(volunteer, [ann, ben]);
  await Promise.all([network.start("dedicated"), network.start("dedicated")]);
  await network.allKnown();
  // Whoever remembers where the other was homed finds nobody there now, and looks.
  await other?.stop();
  await areAt(volunteer, [ann, ben]);
}

async function metric(name: string): Promise<number | undefined> {
  return (await volunteer.metrics()).get(name);
}

/** Envelopes that went through the volunteer's node to those homed there. */
async function forwarded(): Promise<number> {
  const { envelopes } = (await volunteer.report()).load;
  return envelopes.forwarded + envelopes.stored;
}
