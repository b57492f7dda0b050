/** A volunteer among real supernodes on loopback: measured, promoted, used, and drained. */
import { DEFAULT_PROMOTION, type NodeReport, type PromotionParams, toHex } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { accepted, randomEnvelope, TestClient, TestMailbox } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import { callNode, reportOf, type TestNode } from "../testing/test-node.ts";

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
  minIdleCores: 0,
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

/** `looks`: it looks for supernodes meanwhile; by itself it does once a minute. */
async function untilReport(
  node: TestNode,
  holds: (report: NodeReport) => boolean,
  { looks = false } = {},
): Promise<NodeReport> {
  for (let i = 0; i < 600; i++) {
    if (looks) await node.network?.overlay.discovery.round();
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

  const answer = await callNode(volunteer, "PUT", "/api/consent", { given: true });
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

  const hex = toHex(volunteer.supernodeKey);
  const isSeen = ({ neighbours }: NodeReport) => neighbours.some(({ key }) => key === hex);
  const seen = await untilReport(dedicated[0] as TestNode, isSeen, { looks: true });
  const own = seen.neighbours.find(({ key }) => key === hex);
  expect(own).toMatchObject({ kind: "promoted", operator: "Vera", maxClients: 25, self: false });

  expect((await callNode(volunteer, "POST", "/api/step-down")).status).toBe(202);
  await untilReport(volunteer, ({ roleState }) => roleState === "measuring");
  const metrics = await (await callNode(volunteer, "GET", "/metrics")).text();
  expect(metrics).toContain('earshot_promotions_total{role="supernode"} 1');
  expect(metrics).toContain('earshot_demotions_total{cause="asked"} 1');
  expect(metrics).toContain('earshot_role_measured{criterion="reachable"} 2');
  for (const criterion of serving.criteria.map(({ name }) => name))
    expect(metrics).toMatch(new RegExp(`^earshot_role_measured\\{criterion="${criterion}"\\} \\S+$`, "m"));
}, 60_000);

test("a draining supernode tells its clients where to go, and delivers to them until they have gone", async () => {
  network = new TestNetwork();
  const dedicated = [await network.startSupernode(), await network.startSupernode()];
  const volunteer = await network.start({ role: "volunteer", edge: "token", promotion: QUICK });
  const own = await network.start({ edge: "token" });
  await callNode(volunteer, "PUT", "/api/consent", { given: true });
  await untilReport(volunteer, ({ roleState }) => roleState === "serving");
  const dht = volunteer.network?.backbone.address() ?? "";
  const path = `/tunnel/${toHex(volunteer.supernodeKey)}?${new URLSearchParams({ dht, url: "" })}`;
  const owner = await TestClient.connect({ edgeUrl: own.edgeUrl.replace("/edge", path), token: own.token });
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  const { capacity } = await untilReport(volunteer, (report) => report.capacity.clients > 0);
  expect(capacity).toEqual({ clients: 1, maxClients: 25 });

  await callNode(volunteer, "POST", "/api/step-down");
  const told = await owner.next("drain");
  expect(told.graceMs).toBeGreaterThan(1_000);
  expect(told.descriptors.length).toBeGreaterThan(0);
  expect(await reportOf(volunteer)).toMatchObject({ roleState: "draining", capacity: { clients: 1, maxClients: 0 } });

  const { supernodeKey, hopKey } = volunteer;
  const sender = await TestClient.connect(dedicated[0] as TestNode);
  const envelope = randomEnvelope(2048);
  accepted(await mailbox.deliver(sender, envelope, { supernodeKey, hopKey, dht, url: "" }));
  expect((await owner.next("envelope")).envelope).toEqual(envelope);

  owner.close();
  const after = await untilReport(volunteer, ({ roleState }) => roleState === "measuring");
  expect(after.capacity).toEqual({ clients: 0, maxClients: 0 });
}, 60_000);

test("a person's word is checked before it counts, and needs the token", async () => {
  network = new TestNetwork();
  const node = await network.start({ role: "volunteer", edge: "token" });
  const statusOf = async (body: unknown) => (await callNode(node, "PUT", "/api/consent", body)).status;
  expect(await statusOf({})).toBe(400);
  expect(await statusOf({ given: "yes" })).toBe(400);
  expect(await statusOf({ given: true, limits: {} })).toBe(400);
  expect(await statusOf({ given: true, limits: { ...(await reportOf(node)).consent.limits, maxClients: -1 } })).toBe(
    400,
  );
  expect(await statusOf({ given: true, padding: "x".repeat(5_000) })).toBe(400);
  expect((await reportOf(node)).consent).toMatchObject({ given: false, askedBefore: false });
  const limits = { ...(await reportOf(node)).consent.limits, maxClients: 9, fromHour: 23, toHour: 5 };
  expect(await statusOf({ given: true, limits })).toBe(200);
  const after = await reportOf(node);
  expect(after.consent).toEqual({ given: true, askedBefore: true, limits });
  expect(after.limits.maxStoreBytes).toBe(limits.maxStoreBytes);
  for (const [method, path] of [
    ["GET", "/api/node"],
    ["PUT", "/api/consent"],
    ["POST", "/api/step-down"],
  ] as const)
    expect((await fetch(`${new URL(node.url).origin}${path}`, { method })).status).toBe(401);
});

test("a dedicated supernode serves at once, asks nobody, and takes no consent", async () => {
  network = new TestNetwork();
  const node = await network.startSupernode({ operator: "Ops", limits: { maxConnections: 40 } });
  const report = await untilReport(node, ({ capacity }) => capacity.maxClients > 0);
  expect(report).toMatchObject({ role: "dedicated", roleState: "serving", criteria: [], operator: "Ops" });
  expect(report.neighbours[0]).toMatchObject({ self: true, kind: "dedicated" });
  expect((await callNode(node, "PUT", "/api/consent", { given: false })).status).toBe(409);
});

test("a node alone says so", async () => {
  network = new TestNetwork();
  const { startTestNode } = await import("../testing/test-node.ts");
  const node = await startTestNode();
  const report = await reportOf(node);
  await node.stop();
  expect(report).toMatchObject({ role: "client", roleState: "off", neighbours: [], network: { state: "alone" } });
});
