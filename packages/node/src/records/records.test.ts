import { createHash } from "node:crypto";
import { blindKeyPair, NO_NETWORK_ID, type RecordOnWire, signRecord, verifyDescriptor } from "@earshot/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeSignatures } from "../crypto.ts";
import { accepted, TestClient, testRandom } from "../testing/test-client.ts";
import { startTestNode, type TestNode } from "../testing/test-node.ts";

let node: TestNode;
let client: TestClient;
beforeEach(async () => {
  node = await startTestNode({ limits: { maxRecords: 3, maxRecordsPerPrefix: 2, limitPrivatePrefixes: true } });
  client = await TestClient.connect(node);
});
afterEach(() => node.stop());

const put = (record: RecordOnWire, by = client) => by.session.request({ type: "put-record", record });
const get = async (publicKey: Uint8Array) =>
  accepted(await client.session.request({ type: "get-record", publicKey })).record;
const newPair = () => blindKeyPair("public", testRandom.bytes(32), 20_000, 0);
const valueOf = (byte: number) => new Uint8Array(1_000).fill(byte);

test("a record is given back as it was put, and a later one replaces it", async () => {
  const pair = newPair();
  const first = signRecord(pair, 1_000, valueOf(1));
  accepted(await put(first));
  expect(await get(pair.publicKey)).toEqual(first);
  const later = signRecord(pair, 1_001, valueOf(2));
  accepted(await put(later));
  expect(await get(pair.publicKey)).toEqual(later);
  expect(await get(newPair().publicKey)).toBeNull();
});

test("an older record, another one of the same number, and a forged one are refused", async () => {
  const pair = newPair();
  const held = signRecord(pair, 1_000, valueOf(1));
  accepted(await put(held));
  expect(await put(signRecord(pair, 999, valueOf(2)))).toMatchObject({ code: "rolled-back" });
  expect(await put(signRecord(pair, 1_000, valueOf(2)))).toMatchObject({ code: "rolled-back" });
  expect(await put({ ...held, seq: 1_001 })).toMatchObject({ code: "bad-signature" });
  expect(await put({ ...held, publicKey: new Uint8Array(32) })).toMatchObject({ code: "bad-key" });
  expect(await get(pair.publicKey)).toEqual(held);
});

test("one prefix may keep only so many; when all places are taken the oldest goes", async () => {
  const elsewhere = await TestClient.connect(node, { localAddress: "127.0.9.1" });
  const pairs = [newPair(), newPair(), newPair(), newPair()] as const;
  accepted(await put(signRecord(pairs[0], 1, valueOf(0))));
  accepted(await put(signRecord(pairs[1], 1, valueOf(1))));
  expect(await put(signRecord(pairs[2], 1, valueOf(2)))).toMatchObject({ code: "over-quota" });
  accepted(await put(signRecord(pairs[2], 1, valueOf(2)), elsewhere));
  accepted(await put(signRecord(pairs[3], 1, valueOf(3)), elsewhere));
  expect(await get(pairs[0].publicKey)).toBeNull();
  expect(await get(pairs[1].publicKey)).not.toBeNull();
});

test("a bundle is found under the hash of its bytes alone", async () => {
  const bundle = testRandom.bytes(8_192);
  accepted(await client.session.request({ type: "put-bundle", at: null, bundle }));
  const hash = new Uint8Array(createHash("sha256").update(bundle).digest());
  expect(accepted(await client.session.request({ type: "get-bundle", hash, at: null })).bundle).toEqual(bundle);
  expect(
    accepted(await client.session.request({ type: "get-bundle", hash: new Uint8Array(32), at: null })).bundle,
  ).toBeNull();
});

test("a client is told of this supernode and its STUN service", async () => {
  const { self, descriptors } = accepted(await client.session.request({ type: "list-supernodes" }));
  expect([self, descriptors.length]).toEqual([true, 1]);
  const expected = { networkId: NO_NETWORK_ID, now: Date.now() };
  expect(await verifyDescriptor(nodeSignatures, descriptors[0] as Uint8Array, expected)).toMatchObject({
    ok: true,
    value: { supernodeKey: node.supernodeKey, hopKey: node.hopKey, url: node.edgeUrl, maxClients: 0, dht: "" },
  });
  expect(accepted(await client.session.request({ type: "get-ice" })).urls).toEqual([node.stunUrl]);
});
