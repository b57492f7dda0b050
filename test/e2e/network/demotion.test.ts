/**
 * A volunteer's node that serves stops by itself when others can no longer reach it, and when the network no longer needs it. What others
 * see of it is measured for real: its firewall drops what it did not ask for, and two more supernodes join. Meanwhile two people who are
 * at home there call each other. Of the policy's numbers only times are others than in use, and how many supernodes are enough.
 */
import type { NodeReport, PromotionParams } from "@earshot/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CallsThroughout } from "../lib/network-calls.ts";
import { areAt, areElsewhere, homesOf, knowsOf, reports, someCalls } from "../lib/network-volunteer.ts";
import { eventually, OverlayNetwork, type OverlayNode } from "../lib/network.ts";
import { befriend, cleanUp, makePerson, type Person } from "../sdk-people.ts";

const QUICK: Partial<PromotionParams> = {
  stepEveryMs: 100,
  measureEveryMs: 2_000,
  steadyAddressMs: 1_000,
  minUptimeMs: 1_000,
  newcomerUptimeMs: 1_000,
  fitDwellMs: 500,
  needDwellMs: 500,
  drawEveryMs: 100,
  unfitDwellMs: 1_000,
  unneededDwellMs: 1_000,
  minServeMs: 1_000,
  drainMs: 12_000,
  minDrainMs: 500,
  holdMs: 500,
  // Two others are too few, and four enough.
  minSupernodes: 3,
  enoughSupernodes: 4,
  // A machine that runs tests is busy and late by itself.
  maxCpuShare: 8,
  minIdleCores: 0,
  maxLoopLagMs: 10_000,
  pressedCpuShare: 16,
  pressedLoopLagMs: 20_000,
};
const TEST_LIMIT_MS = 300_000;
/** Between one thing and the next. */
const CALLS = 2;

const network = new OverlayNetwork({
  nodes: 6,
  // It asks as often in a minute here as in hours elsewhere.
  limits: { dialBacksPerPrefix: { perSecond: 5, burst: 100 } },
});
let volunteer: OverlayNode;
let people: [Person, Person];

beforeAll(async () => {
  await network.startAll(["dedicated", "dedicated", "client"]);
  const [own] = network.clients as [OverlayNode];
  volunteer = await network.start("client", { role: "volunteer", promotion: QUICK, reachable: false });
  expect((await volunteer.api("PUT", "/api/consent", { given: true })).status).toBe(200);
  await serves();
  await knowsOf(own, volunteer);
  people = (await Promise.all(["Ann", "Ben"].map((name) => makePerson(name, own.url)))) as [Person, Person];
  await eventually("two homes each", () => people.every((person) => homesOf(person).length >= 2));
  await befriend(...people);
}, TEST_LIMIT_MS);

afterAll(async () => {
  await cleanUp();
  await network.stop();
});

it("steps down when others cannot reach it, and when others are enough, and no call is missed", {
  timeout: TEST_LIMIT_MS,
}, async () => {
  const calls = new CallsThroughout(...people);
  await moveIn();
  await someCalls(calls, CALLS);

  await volunteer.setFirewall(true);
  const unfit = await stepsDown("Other supernodes could not reach this node, or its connection is too slow.");
  expect(unfit.criteria.find(({ name }) => name === "reachable")).toMatchObject({
    met: false,
    value: "reached by 0 of 2",
  });
  expect(await demotions()).toEqual({ unfit: 1 });
  await areElsewhere(volunteer, people, network.supernodes);

  await volunteer.setFirewall(false);
  await serves();
  await moveIn();
  await someCalls(calls, CALLS);

  await Promise.all([network.start("dedicated"), network.start("dedicated")]);
  await network.allKnown();
  const unneeded = await stepsDown("The network has enough supernodes.");
  expect(unneeded.criteria.find(({ name }) => name === "need")).toMatchObject({ met: false });
  expect(await demotions()).toEqual({ unfit: 1, unneeded: 1 });
  await areElsewhere(volunteer, people, network.supernodes);
  await someCalls(calls, CALLS);

  await calls.stop();
  expect(calls.failures).toEqual([]);
  expect(calls.rangAfterMs.length).toBeGreaterThan(4 * CALLS);
});

async function serves(): Promise<void> {
  const { criteria } = await reports(volunteer, "the volunteer serves", ({ roleState }) => roleState === "serving");
  expect(criteria.find(({ name }) => name === "reachable")?.value).toBe("reached by 2 of 2");
}

/** Both choose it for a home. */
async function moveIn(): Promise<void> {
  await Promise.all(
    people.map(async (person) => {
      const [from = ""] = homesOf(person);
      if (!homesOf(person).includes(volunteer.supernodeKey)) await person.client.moveHome(from, volunteer.supernodeKey);
    }),
  );
  await areAt(volunteer, people);
}

/** Its report once its last client has gone. */
async function stepsDown(why: string): Promise<NodeReport> {
  const draining = await reports(volunteer, "the volunteer is demoted", ({ roleState }) => roleState !== "serving");
  expect(draining).toMatchObject({ roleState: "draining", roleReason: why });
  const after = await reports(volunteer, "its clients have gone", ({ roleState }) => roleState === "measuring");
  expect(after).toMatchObject({ role: "client", capacity: { clients: 0, maxClients: 0 } });
  return after;
}

/** By cause, those that have happened. */
async function demotions(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, count] of await volunteer.metrics()) {
    const cause = /^earshot_demotions_total\{cause="(.*)"\}$/.exec(name)?.[1];
    if (cause !== undefined && count > 0) counts[cause] = count;
  }
  return counts;
}
