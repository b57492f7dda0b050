/** What a network derives from its key, and the descriptors of its supernodes, accepted and refused. docs/protocol/backbone.md. */
import {
  type Result,
  type SupernodeDescriptor,
  edgeGate,
  encodeDescriptor,
  fromHex,
  networkIdOf,
  nobleBackend,
  OPEN_NETWORK_KEY,
  signDescriptor,
  streamGate,
  supernodeTopic,
  toHex,
  unwrap,
  verifyDescriptor,
} from "@earshot/core";
import { expect, test } from "vitest";
import { nodeSignatures } from "../../packages/node/src/crypto.ts";
import vectors from "./vectors/supernode-descriptor.json" with { type: "json" };

const hex = (text: string) => unwrap(fromHex(text));
const networkId = networkIdOf(OPEN_NETWORK_KEY);
const seed = hex(vectors.seed);

/** By both backends, which agree. */
async function verify(bytes: string, now = vectors.now): Promise<Result<SupernodeDescriptor>> {
  const result = await verifyDescriptor(nobleBackend, hex(bytes), { networkId, now });
  expect(await verifyDescriptor(nodeSignatures, hex(bytes), { networkId, now })).toEqual(result);
  return result;
}

test.each(vectors.networks)("network $id follows from its key", (network) => {
  const key = hex(network.key);
  expect(toHex(networkIdOf(key))).toBe(network.id);
  expect(toHex(supernodeTopic(key))).toBe(network.topic);
  expect(toHex(streamGate(key, hex(network.handshakeHash)))).toBe(network.streamGate);
  expect(toHex(edgeGate(key, hex(network.supernodeKey)))).toBe(network.edgeGate);
});

test("the open network's key is the one that everybody has", () => {
  expect(toHex(OPEN_NETWORK_KEY)).toBe(vectors.networks[0]?.key);
});

test.each(vectors.valid)("$name is accepted, and written so", async ({ descriptor, bytes }) => {
  const { networkId: id, supernodeKey, hopKey, ...fields } = descriptor;
  const expected = { networkId: hex(id), supernodeKey: hex(supernodeKey), hopKey: hex(hopKey), ...fields };
  expect(await verify(bytes)).toEqual({ ok: true, value: expected });
  expect(toHex(signDescriptor(expected, (message) => nobleBackend.sign(seed, message) as Uint8Array))).toBe(bytes);
  expect(bytes.startsWith(toHex(encodeDescriptor(expected)))).toBe(true);
});

test.each(vectors.validAt)("one that is $name is accepted", async ({ bytes, now }) => {
  expect(await verify(bytes, now)).toMatchObject({ ok: true });
});

test.each(vectors.refused)("$name is refused as $expect", async (vector) => {
  expect(await verify(vector.bytes)).toMatchObject({ ok: false, code: vector.expect });
});
