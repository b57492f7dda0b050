/** A volunteer's owner turns relaying on and off in a node that runs. */
import { decodeDescriptor, unwrap } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { TestClient, TestMailbox } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import { callNode, reportOf } from "../testing/test-node.ts";

let network: TestNetwork;
afterEach(() => network.stop());

test("relaying is off until the owner turns it on, and off again, apart from lending", async () => {
  network = new TestNetwork();
  const node = await network.start({ role: "volunteer", edge: "token", lentRelayPort: 0 });
  const client = await TestClient.connect(node);
  const mailbox = new TestMailbox();
  unwrap(await mailbox.open(client));
  const pass = () => client.session.request({ type: "get-relay", mailboxId: mailbox.id });
  const descriptor = async () => {
    const answer = unwrap(await client.session.request({ type: "get-descriptor" }));
    return unwrap(decodeDescriptor(answer.descriptor)).descriptor;
  };
  expect(await reportOf(node)).toMatchObject({ relay: null, relayLending: { given: false, state: "off" } });
  expect(await pass()).toMatchObject({ ok: false, code: "not-allowed" });

  const limits = { maxAllocations: 4, maxBytesPerSecond: 100_000 };
  expect(
    (await callNode(node, "PUT", "/api/relay-consent", { given: true, limits: { maxAllocations: 4 } })).status,
  ).toBe(400);
  const on = await callNode(node, "PUT", "/api/relay-consent", { given: true, limits });
  expect([on.status, await on.json()]).toEqual([200, { given: true, limits, state: "on" }]);
  const report = await reportOf(node);
  expect(report).toMatchObject({
    relay: { own: true, allocations: 0, bytes: 0, refused: 0 },
    consent: { given: false },
    role: "client",
  });
  expect(report.sees.can.join()).toContain("calls that it relays");
  const first = unwrap(await pass());
  expect(first.urls[0]).toMatch(/^turn:127\.0\.77\.1:\d+\?transport=udp$/);
  expect((await descriptor()).relays).toBe(true);

  const off = await callNode(node, "PUT", "/api/relay-consent", { given: false });
  expect(await off.json()).toEqual({ given: false, limits, state: "off" });
  expect(await pass()).toMatchObject({ ok: false, code: "not-allowed" });
  expect((await descriptor()).relays).toBe(false);
  // Turned on once more: the metrics are there again, and who was let in before still is.
  await callNode(node, "PUT", "/api/relay-consent", { given: true });
  expect(await (await callNode(node, "GET", "/metrics")).text()).toMatch(/^earshot_relay_allocations 0$/m);
  expect(unwrap(await pass()).password).toBe(first.password);
});

test("has nothing to ask of a node that its operator started, as a relay or as a supernode", async () => {
  network = new TestNetwork();
  const host = "127.0.77.1";
  const relaying = await network.start({
    role: "volunteer",
    relay: { addresses: [{ host, announced: host }], port: 0 },
  });
  const dedicated = await network.startSupernode();
  for (const node of [relaying, dedicated]) {
    expect((await reportOf(node)).relayLending).toBeNull();
    expect((await callNode(node, "PUT", "/api/relay-consent", { given: true })).status).toBe(409);
  }
  expect((await reportOf(relaying)).relay).not.toBeNull();
});
