/** Daemons of a private network find one another, prove what they are, and remember it. */
import { decodeDescriptor, toHex, unwrap } from "@earshot/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { accepted, TestClient, testRandom } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import type { TestNode } from "../testing/test-node.ts";

let network: TestNetwork;
beforeEach(() => {
  network = new TestNetwork();
});
afterEach(() => network.stop());

const rounds = (nodes: readonly TestNode[]) =>
  Promise.all(nodes.map(async (node) => node.network?.overlay.discovery.round()));

test("supernodes and a client's node know one another, and a node that serves nobody is in no list", async () => {
  const supernodes = [await network.startSupernode(), await network.startSupernode(), await network.startSupernode()];
  const own = await network.start({ edge: "token" });
  const all = [...supernodes, own];
  await expect
    .poll(async () => (await rounds(all), all.map((node) => node.network?.overlay.table.size)), { timeout: 10_000 })
    .toEqual([2, 2, 2, 3]);
  const client = await TestClient.connect(own);
  const { self, tunnels, descriptors } = accepted(await client.session.request({ type: "list-supernodes" }));
  expect([self, tunnels]).toEqual([true, true]);
  const [first, ...others] = descriptors.map((bytes) => unwrap(decodeDescriptor(bytes)).descriptor);
  expect(first).toMatchObject({ maxClients: 0, url: "", dedicated: false, supernodeKey: own.supernodeKey });
  const keys = others.map(({ supernodeKey }) => toHex(supernodeKey)).sort();
  expect(keys).toEqual(supernodes.map(({ supernodeKey }) => toHex(supernodeKey)).sort());
  for (const each of others) {
    expect(each).toMatchObject({ dedicated: true, maxClients: 1_000 });
    expect(each.url).toMatch(/^ws:\/\/127\.0\.77\.\d:\d+\/edge$/);
    expect(each.dht).toMatch(/^127\.0\.77\.\d:\d+$/);
  }
}, 20_000);

test("a supernode names others to its clients when it stops", async () => {
  const [stopping, staying] = [await network.startSupernode(), await network.startSupernode()];
  await expect
    .poll(async () => (await rounds([stopping]), stopping.network?.overlay.table.size), { timeout: 10_000 })
    .toBe(1);
  const client = await TestClient.connect(stopping);
  void stopping.stop();
  const { descriptors } = await client.next("drain");
  const keys = descriptors.map((bytes) => unwrap(decodeDescriptor(bytes)).descriptor.supernodeKey);
  expect(keys).toEqual([staying.supernodeKey]);
}, 20_000);

test("whoever asks to be dialled back is, at its own address alone", async () => {
  const supernode = await network.startSupernode();
  const asking = await network.startSupernode();
  const { overlay, backbone } = asking.network ?? {};
  const ref = {
    supernodeKey: supernode.supernodeKey,
    dht: supernode.network?.backbone.address() ?? "",
    url: "",
  };
  const session = await overlay?.openDhtSession(ref);
  const ask = (dht: string, supernodeKey: Uint8Array) =>
    session?.request({ type: "dial-back", dht, supernodeKey }) ?? Promise.reject(new Error("no session"));
  const own = backbone?.address() ?? "";
  const [host, port] = own.split(":");
  expect(accepted(await ask(own, asking.supernodeKey))).toMatchObject({ reached: true, observedHost: host });
  expect(accepted(await ask(own, testRandom.bytes(32)))).toMatchObject({ reached: false });
  expect(accepted(await ask(`127.0.88.1:${port}`, asking.supernodeKey))).toMatchObject({
    reached: false,
    observedHost: host,
  });
  for (let i = 0; i < 7; i++) await ask("127.0.88.1:1", asking.supernodeKey);
  expect(await ask(own, asking.supernodeKey)).toMatchObject({ code: "rate-limited" });
  session?.close();
}, 30_000);

test("an uplink is measured within a budget", async () => {
  const supernode = await network.startSupernode({
    limits: { probeBytesPerPrefix: { perSecond: 1, burst: 100_000 } },
  });
  const client = await TestClient.connect(supernode);
  const probe = () => client.session.request({ type: "probe", padding: new Uint8Array(10_000) });
  for (let i = 0; i < 10; i++) accepted(await probe());
  expect(await probe()).toMatchObject({ code: "rate-limited" });
});
