/** A volunteer among real supernodes on loopback: measured, promoted, used, and drained. */
import { DEFAULT_PROMOTION, type NodeReport, type PromotionParams } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { TestNetwork } from "../testing/test-network.ts";
import type { TestNode } from "../testing/test-node.ts";

/** Everything is measured; only the times are a test's. */
const QUICK: Partial<PromotionParams> = {
  stepEveryMs: 50,
  measureEveryMs: 300,
  steadyAddressMs: 100,
  minUptimeMs: 100,
  newcomerUptimeMs: 200,
  fitDwellMs: 100,
  needDwellMs: 100,
  drawEveryMs: 50,
  firstDrawChance: 1,
  maxDrawChance: 1,
  // A test machine is busy with the test.
  maxCpuShare: 8,
  pressedCpuShare: 16,
  maxLoopLagMs: 10_000,
  pressedLoopLagMs: 20_000,
  minFreeMemoryBytes: 1,
  pressedFreeMemoryBytes: 0,
  drainMs: 5_000,
  minDrainMs: 100,
};

let network: TestNetwork;
afterEach(() => network.stop());

const call = (node: TestNode, method: string, path: string, body?: unknown) =>
  fetch(`${new URL(node.url).origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${node.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const reportOf = async (node: TestNode) => (await (await call(node, "GET", "/api/node")).json()) as NodeReport;

async function untilReport(node: TestNode, holds: (report: NodeReport) => boolean): Promise<NodeReport> {
  for (let i = 0; i < 600; i++) {
    const report = await reportOf(node);
    if (holds(report)) return report;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { criteria, roleState, roleReason, network: joined } = await reportOf(node);
  throw new Error(JSON.stringify({ criteria, roleState, roleReason, joined }));
}

test("a volunteer is measured by others, promoted, seen, and steps down", async () => {
  network = new TestNetwork();
  const dedicated = [await network.startSupernode(), await network.startSupernode()];
  const volunteer = await network.start({ role: "volunteer", edge: "token", promotion: QUICK, operator: "Vera" });
  const before = await reportOf(volunteer);
  expect(before).toMatchObject({ role: "client", roleState: "off", consent: { given: false, askedBefore: false } });
  expect(before.sees.can).toHaveLength(1);

  const answer = await call(volunteer, "PUT", "/api/consent", { given: true });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ given: true, askedBefore: true });

  const serving = await untilReport(volunteer, ({ roleState }) => roleState === "serving");
  expect(serving).toMatchObject({
    role: "promoted",
    capacity: { clients: 0, maxClients: DEFAULT_PROMOTION.startClients },
  });
  expect(serving.criteria.map(({ name, met }) => [name, met])).toContainEqual(["reachable", true]);
  expect(serving.criteria.map(({ name, met }) => [name, met])).toContainEqual(["uplink", true]);
  expect(serving.neighbours.filter(({ self }) => !self)).toHaveLength(2);

  const hex = Buffer.from(volunteer.supernodeKey).toString("hex");
  const seen = await untilReport(dedicated[0] as TestNode, ({ neighbours }) =>
    neighbours.some(({ key }) => key === hex),
  );
  const own = seen.neighbours.find(({ key }) => key === hex);
  expect(own).toMatchObject({ kind: "promoted", operator: "Vera", maxClients: 25, self: false });

  expect((await call(volunteer, "POST", "/api/step-down")).status).toBe(202);
  await untilReport(volunteer, ({ roleState }) => roleState === "measuring");
  const metrics = await (await call(volunteer, "GET", "/metrics")).text();
  expect(metrics).toContain('earshot_promotions_total{role="supernode"} 1');
  expect(metrics).toContain('earshot_demotions_total{cause="asked"} 1');
}, 60_000);
