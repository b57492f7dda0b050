/** Ours: backbones with their guards on, each in a /24 of its own, keeping records that clients signed with blinded keys. */
import { randomBytes } from "node:crypto";
import { blindKeyPair, type MutableRecord, signRecord } from "@earshot/core";
import { type Backbone, createNetworkConfig, type NetworkConfig, parseHostPort } from "@earshot/node";
import { type DhtNetwork, VALUE_BYTES } from "./dht-network.ts";
import { startServingBackbone } from "./serving-backbone.ts";

export async function earshotNetwork(size: number, records: number): Promise<DhtNetwork> {
  const own = createNetworkConfig({ name: "bench", prefixLimits: true });
  const first = await start(own, 1);
  const bootstrap = [parseHostPort(first.address())].flatMap((each) => each ?? []);
  const nodes = [first];
  for (let i = 2; i <= size; i++) nodes.push(await start({ ...own, bootstrap }, i));
  // In use everybody has proved the others: the dead ones of the second part stay in these tables, as they do at first.
  const places = nodes.flatMap((node) => parseHostPort(node.address()) ?? []);
  for (const node of nodes) node.keepRecordsAt(() => places);
  // Signing is the client's work, not the network's.
  const signed = Array.from({ length: records }, signedRecord);
  return {
    size,
    async put(node) {
      const record = signed.pop() as MutableRecord;
      await nodes[node]?.putRecord(record);
      return record.publicKey;
    },
    find: async (node, key) => ((await nodes[node]?.getRecord(key as Uint8Array)) ?? null) !== null,
    async kill(indices) {
      await Promise.all(nodes.filter((_, i) => indices.includes(i)).map((node) => node.destroy()));
    },
  };
}

function signedRecord(): MutableRecord {
  const pair = blindKeyPair("public", new Uint8Array(randomBytes(32)), 20_000, 0);
  return signRecord(pair, 1, new Uint8Array(randomBytes(VALUE_BYTES)));
}

function start(network: NetworkConfig, i: number): Promise<Backbone> {
  return startServingBackbone(network, `127.78.${i}.1`);
}
