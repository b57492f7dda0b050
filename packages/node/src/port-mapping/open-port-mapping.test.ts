import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { NodeReport } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { createNetworkConfig, OPEN_NETWORK } from "../backbone/network-config.ts";
import type { NodeOptions } from "../node-options.ts";
import { systemClock } from "../system-clock.ts";
import { FakeGateway } from "../testing/fake-gateway.ts";
import { FakeIgd } from "../testing/fake-igd.ts";
import { TestNetwork } from "../testing/test-network.ts";
import type { TestNode } from "../testing/test-node.ts";
import { askGateway, openGatewayLink } from "./gateway-link.ts";
import { listenerPorts, mayMapPorts, ownPorts } from "./open-port-mapping.ts";

const GATEWAY = "127.0.78.1";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function router(): Promise<{ gateway: FakeGateway; port: number }> {
  const gateway = new FakeGateway();
  const port = await gateway.listen(GATEWAY);
  closing.push(() => gateway.close());
  return { gateway, port };
}

async function nodeWith(options: Partial<NodeOptions>): Promise<TestNode> {
  const network = new TestNetwork();
  closing.push(() => network.stop());
  return network.start({ role: "volunteer", edge: "token", ...options });
}

const api = (node: TestNode, method: string, path: string, body?: object) =>
  fetch(`http://${new URL(node.url).host}${path}`, {
    method,
    headers: { authorization: `Bearer ${node.token}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const mappingOf = async (node: TestNode) =>
  ((await (await api(node, "GET", "/api/node")).json()) as NodeReport).portMapping;

test("a node asks its gateway once its person lends it, says what came of it, and closes its port when it stops", async () => {
  const { gateway, port } = await router();
  const node = await nodeWith({ gateway: { find: async () => GATEWAY, port } });
  const dht = node.network?.backbone.port ?? 0;
  expect(await mappingOf(node)).toMatchObject({ state: "off", ports: [] });
  expect(gateway.requests).toBe(0);

  await api(node, "PUT", "/api/consent", { given: true });
  await expect.poll(async () => (await mappingOf(node)).state).toBe("mapped");
  const ports = [{ use: "dht", protocol: "udp", port: dht, mapped: true }];
  const where = { gateway: GATEWAY, externalAddress: "8.8.4.4", externalPublic: true };
  expect(await mappingOf(node)).toEqual({ state: "mapped", way: "pcp", ...where, ports });
  expect([...gateway.mappings]).toEqual([[`udp/${dht}`, dht]]);
  const metrics = await (await api(node, "GET", "/metrics")).text();
  expect(metrics).toMatch(/^earshot_port_mapping\{state="mapped"\} 1$/m);
  expect(metrics).toMatch(/^earshot_port_mapping_public 1$/m);
  expect(metrics).not.toContain("8.8.4.4");

  await api(node, "PUT", "/api/consent", { given: false });
  await expect.poll(() => gateway.mappings.size).toBe(0);
  expect((await mappingOf(node)).state).toBe("off");
  await api(node, "PUT", "/api/consent", { given: true });
  await expect.poll(() => gateway.mappings.size).toBe(1);
  await node.stop();
  expect(gateway.mappings.size).toBe(0);
});

test("a router that speaks nothing but UPnP is asked by that", async () => {
  const igd = await FakeIgd.start(GATEWAY);
  closing.push(() => igd.close());
  // Nobody is at the other protocols' port.
  const place = { find: async () => GATEWAY, port: igd.httpPort, ssdpPort: igd.ssdpPort };
  const node = await nodeWith({ mapPorts: true, gateway: place });
  await expect.poll(async () => (await mappingOf(node)).state).toBe("mapped");
  expect(await mappingOf(node)).toMatchObject({ way: "upnp", gateway: GATEWAY, externalAddress: "8.8.4.4" });
  const dht = node.network?.backbone.port ?? 0;
  expect([...igd.mappings.keys()]).toEqual([`udp/${dht}`]);
  await node.stop();
  expect(igd.mappings.size).toBe(0);
});

test("a dedicated supernode asks only where it is told to, a volunteer's not where it is told not to", async () => {
  const { gateway, port } = await router();
  const place = { find: async () => GATEWAY, port };
  const quiet = await Promise.all([
    nodeWith({ role: "dedicated", gateway: place }),
    nodeWith({ mapPorts: false, gateway: place }),
  ]);
  await Promise.all(quiet.map((node) => api(node, "PUT", "/api/consent", { given: true })));
  for (const node of quiet) expect((await mappingOf(node)).state).toBe("off");
  expect(gateway.requests).toBe(0);
  await nodeWith({ role: "dedicated", mapPorts: true, gateway: place });
  await expect.poll(() => gateway.mappings.size).toBe(1);
});

test("what others must reach is the DHT, and where strangers are let in the listener with its STUN", () => {
  const ports = (edge: number | undefined, stun: number | undefined) =>
    ownPorts({ dht: () => 444, edge, stun }).map(({ use, protocol, port }) => `${use} ${protocol}/${port}`);
  expect(ports(443, 443)).toEqual(["dht udp/444", "edge tcp/443", "stun udp/443"]);
  expect(ports(443, undefined)).toEqual(["dht udp/444", "edge tcp/443"]);
  expect(ports(undefined, 7_400)).toEqual(["dht udp/444"]);
  const [front, stun] = [{ port: 443 }, { port: 444 }];
  expect(listenerPorts(true, "0.0.0.0", { front, port: 7_400, stun })).toEqual({ edge: 443, stun: 444 });
  expect(listenerPorts(true, "0.0.0.0", { front: undefined, port: 7_400, stun })).toEqual({ edge: 7_400, stun: 444 });
  // Behind a proxy on this machine, or its person's alone.
  expect(listenerPorts(true, "127.0.0.1", { front, port: 7_400, stun }).edge).toBeUndefined();
  expect(listenerPorts(false, "0.0.0.0", { front: undefined, port: 7_400, stun }).edge).toBeUndefined();
});

test("neither start nor stop waits for a gateway that is looked for in vain", async () => {
  const node = await nodeWith({ mapPorts: true, gateway: { find: () => new Promise(() => {}), port: 1 } });
  expect((await mappingOf(node)).state).toBe("asking");
  await node.stop();
});

test("a gateway with nothing at its port is known to be none at once", async () => {
  const spare = createSocket("udp4");
  spare.bind(0, GATEWAY);
  await once(spare, "listening");
  const { port } = spare.address();
  spare.close();
  const link = await openGatewayLink(GATEWAY, port);
  closing.push(() => link.close());
  // By the virtual clock's never: only the kernel's word ends it.
  const never = { now: () => 0, setTimer: () => () => {} };
  expect(await askGateway(link, never, Uint8Array.of(0, 0), (bytes) => bytes)).toBeUndefined();
  expect(link.isDead).toBe(true);
});

test("what others send to the port that the gateway is asked from is not heard", async () => {
  const gateway = createSocket("udp4");
  const stranger = createSocket("udp4");
  for (const socket of [gateway, stranger]) {
    closing.push(() => socket.close());
    socket.bind(0, GATEWAY);
    await once(socket, "listening");
  }
  gateway.on("message", (_, from) => {
    stranger.send("from elsewhere", from.port, from.address, () =>
      gateway.send("from the gateway", from.port, from.address),
    );
  });
  const link = await openGatewayLink(GATEWAY, gateway.address().port);
  closing.push(() => link.close());
  const heard = await askGateway(link, systemClock, Uint8Array.of(0, 0), (bytes) => Buffer.from(bytes).toString());
  expect(heard).toBe("from the gateway");
});

test("nobody is asked where there is nobody to let in", () => {
  const may = (options: Partial<NodeOptions>) => mayMapPorts({ home: "", role: "volunteer", ...options });
  expect(may({})).toBe(false);
  expect(may({ mapPorts: true })).toBe(false);
  expect(may({ network: OPEN_NETWORK })).toBe(true);
  expect(may({ network: OPEN_NETWORK, mapPorts: false })).toBe(false);
  expect(may({ network: { ...OPEN_NETWORK, dhtHost: "127.0.0.9" }, mapPorts: true })).toBe(false);
  expect(may({ network: createNetworkConfig({ name: "lab", prefixLimits: false }), mapPorts: true })).toBe(false);
  expect(may({ network: createNetworkConfig({ name: "family" }) })).toBe(true);
});
