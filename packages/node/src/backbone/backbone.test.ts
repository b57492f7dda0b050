import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { blindKeyPair, publicKeyOf, signRecord, unwrap } from "@earshot/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startTestBackbone, startTestNetwork, type TestBackbone } from "../testing/test-backbone.ts";
import { createNetworkConfig, type NetworkConfig } from "./network-config.ts";

const DAY = 20_000;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function network(count: number, options: Parameters<typeof startTestNetwork>[1] = {}) {
  const net = await startTestNetwork(count, options);
  stops.push(net.stop);
  return net;
}
async function client(config: NetworkConfig, options: Partial<Parameters<typeof startTestBackbone>[0]> = {}) {
  const node = await startTestBackbone({ network: config, ...options });
  stops.push(() => node.backbone.destroy());
  await vi.waitFor(() => expect(node.backbone.state).toBe("joined"));
  return node;
}
function owner() {
  const pair = blindKeyPair("public", randomBytes(32), DAY, 0);
  const record = (seq: number, fill = 1) => signRecord(pair, seq, new Uint8Array(1_000).fill(fill));
  return { publicKey: pair.publicKey, record };
}
const get = ({ backbone }: TestBackbone, key: Uint8Array) => backbone.getRecord(key);

describe("records", () => {
  test("signed by a client under a blinded key are found from every node, and from one that only asks", async () => {
    const { nodes, network: config } = await network(8);
    const { publicKey, record } = owner();
    const asker = await client(config);
    expect(unwrap(await asker.backbone.putRecord(record(1)))).toBe(8);
    for (const node of [...nodes, asker]) expect(await get(node, publicKey)).toMatchObject({ seq: 1 });
    expect(asker.backbone.stats).toMatchObject({ serving: false, records: 0 });
  });

  test("survive the death of a third, and the dead leave the tables", async () => {
    const { nodes } = await network(12, { limits: { lookupDeadlineMs: 2_000 } });
    const owners = Array.from({ length: 10 }, owner);
    for (const { record } of owners) await nodes[0]?.backbone.putRecord(record(1));
    const [dead, alive] = [nodes.slice(1, 5), [...nodes.slice(0, 1), ...nodes.slice(5)]];
    await Promise.all(dead.map(({ backbone }) => backbone.destroy()));
    for (const { publicKey } of owners)
      for (const node of alive) expect(await get(node, publicKey)).toMatchObject({ seq: 1 });
    await vi.waitFor(
      async () => {
        await Promise.all(alive.map((node) => get(node, owner().publicKey)));
        for (const { backbone } of alive) expect(backbone.stats.nodes).toBe(alive.length - 1);
      },
      { timeout: 15_000, interval: 100 },
    );
  });

  test("later ones replace earlier ones, never the other way round", async () => {
    const { nodes } = await network(4);
    const [one, two] = nodes as [TestBackbone, TestBackbone];
    const { publicKey, record } = owner();
    await one.backbone.putRecord(record(5));
    expect(await one.backbone.putRecord(record(6, 2))).toMatchObject({ ok: true });
    expect(await two.backbone.putRecord(record(5))).toMatchObject({ code: "rolled-back" });
    expect(await two.backbone.putRecord(record(6, 3))).toMatchObject({ code: "rolled-back" });
    expect(await two.backbone.putRecord(record(6, 2))).toMatchObject({ ok: true });
    expect(await get(two, publicKey)).toMatchObject({ seq: 6 });
    expect(await two.backbone.getRecord(publicKey, record(9))).toMatchObject({ seq: 9 });
  });

  test("a network of two finds what either of them put, and one alone what it put itself", async () => {
    const { nodes } = await network(2);
    for (const node of nodes) {
      const { publicKey, record } = owner();
      expect(await node.backbone.putRecord(record(1))).toMatchObject({ ok: true, value: 1 });
      for (const other of nodes) expect(await get(other, publicKey)).toMatchObject({ seq: 1 });
    }
    const { nodes: single } = await network(1);
    const { publicKey, record } = owner();
    expect(await single[0]?.backbone.putRecord(record(1))).toEqual({ ok: true, value: 0 });
    expect(await get(single[0] as TestBackbone, publicKey)).toMatchObject({ seq: 1 });
  });

  test("those that nobody has are missing within the deadline, though nodes are silent", async () => {
    const silent = createSocket("udp4");
    await new Promise<void>((resolve) => silent.bind(0, "127.78.0.1", resolve));
    stops.push(() => new Promise((resolve) => silent.close(() => resolve())));
    const { network: config } = await network(3);
    const bootstrap = [{ host: "127.78.0.1", port: silent.address().port }, ...config.bootstrap];
    const asker = await client({ ...config, bootstrap }, { limits: { lookupDeadlineMs: 500 } });
    const before = performance.now();
    expect(await get(asker, owner().publicKey)).toBeNull();
    expect(performance.now() - before).toBeLessThan(1_500);
    const { publicKey, record } = owner();
    expect(await asker.backbone.putRecord(record(1))).toMatchObject({ ok: true });
    expect(await get(asker, publicKey)).toMatchObject({ seq: 1 });
  });

  test("more look-ups at once than are allowed are refused, not queued", async () => {
    const { nodes } = await network(2, { limits: { maxLookups: 2 } });
    const [node] = nodes as [TestBackbone];
    const { publicKey, record } = owner();
    const [first, second, third] = [get(node, publicKey), get(node, publicKey), get(node, publicKey)];
    await expect(third).rejects.toMatchObject({ code: "server-busy" });
    await Promise.all([first, second]);
    const puts = await Promise.all([1, 2, 3].map((seq) => node.backbone.putRecord(record(seq))));
    expect(puts.filter(({ ok }) => !ok)).toMatchObject([{ code: "server-busy" }]);
  });
});

describe("joining", () => {
  test("an unreachable bootstrap delays nobody, and is joined through once it is there", async () => {
    const own = createNetworkConfig({ name: "later", prefixLimits: false });
    const port = 40_000 + Math.floor(Math.random() * 9_000);
    const config = { ...own, bootstrap: [{ host: "127.79.0.1", port }] };
    const before = performance.now();
    const early = await startTestBackbone({ network: config });
    stops.push(() => early.backbone.destroy());
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(early.backbone.state).toBe("joining");
    expect(early.backbone.address()).toBe("");
    const { publicKey, record } = owner();
    expect(await early.backbone.putRecord(record(1))).toEqual({ ok: true, value: 0 });
    const first = await startTestBackbone({
      network: { ...own, bootstrap: [] },
      host: "127.79.0.1",
      port,
      serving: true,
    });
    stops.push(() => first.backbone.destroy());
    await vi.waitFor(() => expect(early.backbone.state).toBe("joined"), { timeout: 15_000, interval: 50 });
    // What was put too early is put now.
    await vi.waitFor(async () => expect(await get(first, publicKey)).toMatchObject({ seq: 1 }), {
      timeout: 15_000,
      interval: 50,
    });
  });

  test("a port that is taken is told at once, and how to go on", async () => {
    const { nodes, network: config } = await network(1);
    const [host, port] = (nodes[0]?.backbone.address() ?? "").split(":");
    await expect(startTestBackbone({ network: config, host: host ?? "", port: Number(port) })).rejects.toMatchObject({
      code: "port-in-use",
      message: expect.stringContaining("--dht-port"),
    });
    await expect(startTestBackbone({ network: config, host: "192.0.2.1" })).rejects.toMatchObject({
      code: "host-unavailable",
    });
  });

  test("serving can be taken up and laid down", async () => {
    const { nodes, network: config } = await network(3);
    const node = await client(config, { host: "127.77.0.99" });
    const { publicKey, record } = owner();
    expect(await node.backbone.setServing(true)).toBe(true);
    await vi.waitFor(() => expect(node.backbone.address()).toMatch(/^127\.77\.0\.99:/));
    expect(node.backbone.stats.serving).toBe(true);
    await vi.waitFor(async () => {
      await nodes[1]?.backbone.putRecord(record(Date.now()));
      expect(node.backbone.stats.records).toBe(1);
    });
    expect(await node.backbone.setServing(false)).toBe(false);
    expect(node.backbone.stats.serving).toBe(false);
    expect(await get(node, publicKey)).not.toBeNull();
  });

  test("remembered nodes are joined through where the network's own are gone", async () => {
    const { nodes, network: config } = await network(3);
    const [host = "", port] = (nodes[2]?.backbone.address() ?? "").split(":");
    const gone = { ...config, bootstrap: [{ host: "127.79.9.9", port: 1 }] };
    const node = await client(gone, { remembered: [{ host, port: Number(port) }] });
    expect(node.backbone.stats.nodes).toBeGreaterThan(0);
  });
});

describe("supernodes", () => {
  test("announce themselves, are found with where they are, and leave", async () => {
    const { nodes, network: config } = await network(4);
    const asker = await client(config);
    const announced = nodes.slice(0, 3);
    for (const { backbone } of announced) await backbone.announce();
    const found = await asker.backbone.lookupSupernodes();
    expect(found.map(({ dht }) => dht).sort()).toEqual(announced.map(({ backbone }) => backbone.address()).sort());
    expect(found.map(({ supernodeKey }) => Buffer.from(supernodeKey).toString("hex")).sort()).toEqual(
      announced.map(({ options }) => Buffer.from(publicKeyOf(options.supernodeSeed)).toString("hex")).sort(),
    );
    // Itself is no news.
    expect(await announced[0]?.backbone.lookupSupernodes()).toHaveLength(2);
    await announced[1]?.backbone.unannounce();
    expect(await asker.backbone.lookupSupernodes()).toHaveLength(2);
  });

  test("the only one there is found by those who ask it", async () => {
    const { nodes, network: config } = await network(1);
    await nodes[0]?.backbone.announce();
    const asker = await client(config);
    expect(await asker.backbone.lookupSupernodes()).toMatchObject([{ dht: nodes[0]?.backbone.address() }]);
  });

  test("of another network with the same nodes are not found", async () => {
    const { nodes, network: config } = await network(3);
    await nodes[0]?.backbone.announce();
    const other = await client({ ...config, key: new Uint8Array(32).fill(9) });
    expect(await other.backbone.lookupSupernodes()).toEqual([]);
  });
});
