/** A volunteer's relay behind a home router, in a node that runs. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decodeDescriptor, type NodeReport, unwrap } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { createNetworkConfig } from "../backbone/network-config.ts";
import type { NodeOptions } from "../node-options.ts";
import { FakeIgd } from "../testing/fake-igd.ts";
import { TestClient } from "../testing/test-client.ts";
import { startTestNode, type TestNode } from "../testing/test-node.ts";

const GATEWAY = "127.0.80.1";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const call = (node: TestNode, method: string, path: string, body?: object) =>
  fetch(`${new URL(node.url).origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${node.token}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const reportOf = async (node: TestNode) => (await (await call(node, "GET", "/api/node")).json()) as NodeReport;

async function spare(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/** A volunteer's node, alone in a network of its own, and the router that stands before it. */
async function atHome(options: Partial<NodeOptions> = {}) {
  const igd = await FakeIgd.start(GATEWAY);
  closing.push(() => igd.close());
  const port = await spare();
  const node = await startTestNode({
    role: "volunteer",
    edge: "token",
    network: createNetworkConfig({ name: "family" }),
    gateway: { find: async () => GATEWAY, port: igd.httpPort, ssdpPort: igd.ssdpPort },
    lentRelayPort: port,
    ...options,
  });
  closing.push(() => node.stop());
  const relays = async (): Promise<boolean> => {
    const client = await TestClient.connect(node);
    const { descriptor } = unwrap(await client.session.request({ type: "get-descriptor" }));
    client.close();
    return unwrap(decodeDescriptor(descriptor)).descriptor.relays;
  };
  return { igd, node, port, relays };
}

test("is announced at the router's address once that has opened its ports, and closes them when its owner says no", async () => {
  const { igd, node, port, relays } = await atHome();
  expect([igd.mappings.size, await relays()]).toEqual([0, false]);
  const limits = { maxAllocations: 4, maxBytesPerSecond: 100_000 };
  await call(node, "PUT", "/api/relay-consent", { given: true, limits });
  await expect.poll(async () => (await reportOf(node)).relayLending?.state).toBe("on");
  expect((await reportOf(node)).relay?.urls).toEqual([
    `turn:8.8.4.4:${port}?transport=udp`,
    `turn:8.8.4.4:${port}?transport=tcp`,
  ]);
  expect([...igd.mappings.keys()].filter((name) => name.endsWith(`/${port}`))).toEqual([`udp/${port}`, `tcp/${port}`]);
  expect(igd.mappings.size).toBeLessThanOrEqual(2 + 4);
  expect(await relays()).toBe(true);

  await call(node, "PUT", "/api/relay-consent", { given: false });
  await expect.poll(() => igd.mappings.size).toBe(0);
  expect(await relays()).toBe(false);
});

test("is not announced where the router refuses, or has no public address, and says so", async () => {
  const { igd, node, relays } = await atHome();
  igd.fault = (action) => (action === "AddPortMapping" ? 606 : 0);
  await call(node, "PUT", "/api/relay-consent", { given: true });
  await expect.poll(async () => (await reportOf(node)).portMapping.state).toBe("refused");
  await call(node, "PUT", "/api/relay-consent", { given: true });
  expect((await reportOf(node)).relayLending?.state).toBe("behind-router");
  expect([await relays(), (await reportOf(node)).relay]).toEqual([false, null]);

  igd.fault = () => 0;
  igd.externalAddress = "100.64.1.2";
  await call(node, "PUT", "/api/relay-consent", { given: true });
  await expect.poll(async () => (await reportOf(node)).portMapping.state).toBe("mapped");
  await call(node, "PUT", "/api/relay-consent", { given: true });
  expect((await reportOf(node)).relayLending?.state).toBe("behind-router");
  expect(await relays()).toBe(false);
});

test("that its operator started goes by the router too, and nobody turns it off", async () => {
  const port = await spare();
  const { node } = await atHome({ role: "dedicated", relay: { auto: true, port } });
  await expect.poll(async () => (await reportOf(node)).relayLending).toMatchObject({ byOperator: true, state: "on" });
  expect(node.relay.current?.urls[0]).toBe(`turn:8.8.4.4:${port}?transport=udp`);
  expect((await call(node, "PUT", "/api/relay-consent", { given: false })).status).toBe(409);
  expect((await reportOf(node)).relayLending?.state).toBe("on");
  await expect(startTestNode({ relay: { auto: true } })).rejects.toMatchObject({ code: "relay-unavailable" });
});

test("asks for nothing where another program has its port", async () => {
  const { igd, node, port } = await atHome();
  const other = createSocket("udp4");
  closing.push(() => other.close());
  other.bind(port);
  await once(other, "listening");
  await call(node, "PUT", "/api/relay-consent", { given: true });
  expect((await reportOf(node)).relayLending?.state).toBe("port-taken");
  expect((await reportOf(node)).portMapping.state).toBe("off");
  expect(igd.asked).toEqual([]);
});
