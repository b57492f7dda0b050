import { randomBytes } from "node:crypto";
import { blindKeyPair, signRecord } from "@earshot/core";
import { afterEach, expect, test, vi } from "vitest";
import { TestClient } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";

const network = { current: new TestNetwork() };
afterEach(async () => {
  await network.current.stop();
  network.current = new TestNetwork();
});

function owner() {
  const pair = blindKeyPair("contact", randomBytes(32), 20_000, 2);
  return { publicKey: pair.publicKey, record: (seq: number) => signRecord(pair, seq, new Uint8Array(1_000).fill(seq)) };
}

test("what a client puts at one supernode is found at the others, the newest of what lies there and in the DHT", async () => {
  const nodes: Awaited<ReturnType<TestNetwork["start"]>>[] = [];
  for (let i = 0; i < 4; i++) nodes.push(await network.current.startSupernode());
  const own = await network.current.start();
  const clients = await Promise.all([...nodes, own].map((node) => TestClient.connect(node)));
  await vi.waitFor(() => {
    for (const { network: part } of [...nodes, own]) expect(part?.backbone.state).toBe("joined");
  });
  const [first, second] = clients as [TestClient, TestClient];
  const { publicKey, record } = owner();
  const find = (client: TestClient) => client.session.request({ type: "get-record", publicKey });

  expect(await find(first)).toMatchObject({ ok: true, value: { record: null } });
  expect(await first.session.request({ type: "put-record", record: record(1) })).toMatchObject({ ok: true });
  for (const client of clients) expect(await find(client)).toMatchObject({ value: { record: { seq: 1 } } });
  expect(await second.session.request({ type: "put-record", record: record(2) })).toMatchObject({ ok: true });
  // It lies at the first with seq 1 still.
  expect(await find(first)).toMatchObject({ value: { record: { seq: 2 } } });
  expect(await first.session.request({ type: "put-record", record: record(1) })).toMatchObject({ code: "rolled-back" });
  const forged = { ...record(3), signature: new Uint8Array(64) };
  expect(await first.session.request({ type: "put-record", record: forged })).toMatchObject({ code: "bad-signature" });
  expect(await find(first)).toMatchObject({ value: { record: { seq: 2 } } });
  for (const client of clients) client.close();
});
