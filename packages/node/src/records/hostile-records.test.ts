/** Records between two supernodes, of which strangers and half of the DHT's nodes want that nobody finds them. */
import { randomBytes } from "node:crypto";
import { blindKeyPair, encodeFrame, type RecordOnWire, signRecord, toHex } from "@earshot/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseHostPort } from "../backbone/network-config.ts";
import { type Hostility, startHostileDht } from "../testing/hostile-dht.ts";
import { accepted, TestClient } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import type { TestNode } from "../testing/test-node.ts";

const HOSTILE: readonly Hostility[] = ["forges", "hides", "stale", "bloats"];
const stops: (() => Promise<unknown>)[] = [];
let nodes: readonly [TestNode, TestNode];
let here: TestClient;
let there: TestClient;

beforeEach(async () => {
  const network = new TestNetwork();
  stops.push(() => network.stop());
  nodes = [await network.startSupernode(), await network.startSupernode()];
  for (const node of nodes) await vi.waitFor(() => expect(node.network?.backbone.stats.serving).toBe(true));
  const bootstrap = [parseHostPort(nodes[0].network?.backbone.address() ?? "")].flatMap((entry) => entry ?? []);
  const hostile = await Promise.all(HOSTILE.map((kind, i) => startHostileDht(kind, `127.0.78.${i + 1}`, bootstrap)));
  for (const dht of hostile) dht.accomplices = hostile;
  stops.push(() => Promise.all(hostile.map((dht) => dht.destroy({ force: true }))));
  [here, there] = await Promise.all([TestClient.connect(nodes[0]), TestClient.connect(nodes[1])]);
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function owner() {
  const pair = blindKeyPair("contact", randomBytes(32), 20_000, 1);
  const record = (seq: number) => signRecord(pair, seq, new Uint8Array(1_000).fill(seq));
  return { publicKey: pair.publicKey, record };
}
const put = (by: TestClient, record: RecordOnWire) => by.session.request({ type: "put-record", record });
const get = async (by: TestClient, publicKey: Uint8Array) =>
  accepted(await by.session.request({ type: "get-record", publicKey })).record;

test("what is put at one is found at the other, the newest, whatever members of the DHT say", async () => {
  for (let i = 0; i < 5; i++) {
    const { publicKey, record } = owner();
    for (const seq of [1, 2]) accepted(await put(here, record(seq)));
    const found = await get(there, publicKey);
    expect([found?.seq, toHex(found?.value ?? new Uint8Array())]).toEqual([2, toHex(record(2).value)]);
  }
  // What was made up for keys that nobody has put is not given to clients either, but counted.
  expect(await get(there, owner().publicKey)).toBeNull();
  const refusals = new Map(nodes[1].stats().refusals);
  expect(refusals.get("bad-signature")).toBeGreaterThan(0);
  expect(refusals.get("too-large")).toBeGreaterThan(0);
}, 60_000);

test("a stranger's forged, older and larger ones replace nothing at any supernode", async () => {
  const { publicKey, record } = owner();
  const [before, now] = [record(1), record(2)];
  accepted(await put(here, before));
  accepted(await put(here, now));
  for (const by of [here, there]) {
    expect(await put(by, { ...record(3), signature: new Uint8Array(64) })).toMatchObject({ code: "bad-signature" });
    expect(await put(by, before)).toMatchObject({ code: "rolled-back" });
    const { socket } = await TestClient.connect(nodes[by === here ? 0 : 1]);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    // One byte more than a record may have.
    socket.send(Uint8Array.of(...encodeFrame({ type: "put-record", requestId: 1, record: record(3) }), 0));
    expect(await closed).toBe(1002);
    expect((await get(by, publicKey))?.seq).toBe(2);
  }
}, 60_000);
