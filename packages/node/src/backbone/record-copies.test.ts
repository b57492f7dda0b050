/** Clients' records in HyperDHT itself: its own nodes take each copy as it is, at four places. docs/protocol/records.md section 2. */
import { blindKeyPair, makePublicRecords, type MutableRecord, RECORD_COPIES } from "@earshot/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HyperDHT } from "./hyperdht.ts";

/** The calls of hyperdht that Earshot itself does without: they are here to judge its records. */
interface Untouched {
  mutablePut(
    keyPair: { publicKey: Buffer },
    value: Buffer,
    options: { seq: number; signMutable: () => Buffer },
  ): Promise<unknown>;
  mutableGet(publicKey: Buffer): Promise<{ seq: number; value: Buffer } | null>;
}
type Node = HyperDHT & Untouched;

let nodes: Node[];
beforeAll(async () => {
  const start = (bootstrap: { host: string; port: number }[]) =>
    new HyperDHT({ host: "127.0.0.1", port: 0, bootstrap, ephemeral: false, firewalled: false }) as Node;
  const first = start([]);
  await first.fullyBootstrapped();
  const bootstrap = [{ host: "127.0.0.1", port: first.io.serverSocket?.address().port ?? first.port }];
  // One that reads does not ask itself: two more keep what it looks for.
  nodes = [first, ...Array.from({ length: 4 }, () => start(bootstrap))];
  await Promise.all(nodes.map((node) => node.fullyBootstrapped()));
});
afterAll(() => Promise.all(nodes.map((node) => node.destroy({ force: true }))));

test("HyperDHT nodes take all four copies, each under a target of its own, and refuse a rollback and a forgery", async () => {
  const seed = new Uint8Array(32).fill(9);
  const random = { bytes: (length: number) => new Uint8Array(length).fill(7) };
  const home = { url: "", supernodeKey: seed, hopKey: seed, dht: "192.0.2.1:49737" };
  const content = (n: number) => ({
    listHead: { n, hash: seed },
    bundleHash: seed,
    places: [{ home, mailboxId: new Uint8Array(16), device: 0 }],
  });
  const [, writer, reader] = nodes as [Node, Node, Node];
  const put = ({ publicKey, seq, value, signature }: MutableRecord) =>
    writer.mutablePut({ publicKey: Buffer.from(publicKey) }, Buffer.from(value), {
      seq,
      signMutable: () => Buffer.from(signature),
    });
  const get = async ({ publicKey }: MutableRecord) => (await reader.mutableGet(Buffer.from(publicKey)))?.seq;

  const records = makePublicRecords(random, seed, 20_000, 1_728_000_000_000, content(1));
  for (const record of records) await put(record);
  expect(await Promise.all(records.map(get))).toEqual(records.map(({ seq }) => seq));
  const targets = records.map(({ publicKey }) => HyperDHT.hash(publicKey).toString("hex"));
  expect(new Set(targets).size).toBe(RECORD_COPIES);

  const [record] = records as [MutableRecord];
  const older = makePublicRecords(random, seed, 20_000, 1_727_999_999_999, content(2))[0] as MutableRecord;
  await put(older).catch(() => {});
  await put({ ...record, seq: record.seq + 1 }).catch(() => {});
  const other = blindKeyPair("public", seed, 20_000, 1);
  await put({ ...record, publicKey: other.publicKey, seq: record.seq + 2 ** 40 }).catch(() => {});
  expect(await get(record)).toBe(record.seq);
  expect(await get(records[1] as MutableRecord)).toBe(records[1]?.seq);
});
