/** The peer: BitTorrent's DHT with mutable items (BEP 44), as npm's bittorrent-dht has it. */
import { generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import DHT from "bittorrent-dht";
import { type DhtNetwork, VALUE_BYTES } from "./dht-network.ts";

const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export async function bittorrentNetwork(size: number): Promise<DhtNetwork> {
  const first = await startNode(undefined);
  // At once: each waits some seconds for its first look-up of itself.
  const nodes = [first, ...(await Promise.all(Array.from({ length: size - 1 }, () => startNode(first))))];
  return {
    size,
    put: (node) => put(nodes[node] as DHT),
    find: (node, key) =>
      new Promise((resolve) => {
        nodes[node]?.get(key as Buffer, { cache: false }, (error, item) => resolve(!error && item !== undefined));
      }),
    async kill(indices) {
      await Promise.all(indices.map((i) => new Promise<void>((resolve) => nodes[i]?.destroy(resolve))));
    },
  };
}

function startNode(first: DHT | undefined): Promise<DHT> {
  const bootstrap = first ? [`127.0.0.1:${first.address().port}`] : false;
  const node = new DHT({ bootstrap, verify: isSigned });
  return new Promise((resolve) => {
    node.listen(0, "127.0.0.1", () => {
      if (first) node.once("ready", () => resolve(node));
      else resolve(node);
    });
  });
}

function put(node: DHT): Promise<Buffer> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const k = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const item = { k, v: randomBytes(VALUE_BYTES), seq: 1, sign: (encoded: Buffer) => sign(null, encoded, privateKey) };
  return new Promise((resolve, reject) => {
    node.put(item, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}

function isSigned(signature: Buffer, value: Buffer, publicKey: Buffer): boolean {
  const key = { key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" } as const;
  return verify(null, value, key, signature);
}
