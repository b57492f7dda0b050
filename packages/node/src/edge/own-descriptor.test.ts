import { DESCRIPTOR_REFRESH_MS, NO_NETWORK_ID, publicKeyOf, verifyDescriptor, x25519PublicKey } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { createSigner, nodeSignatures } from "../crypto.ts";
import { type DescriptorFields, descriptorUrl, OwnDescriptor } from "./own-descriptor.ts";

const seed = new Uint8Array(32).fill(1);
const fields: DescriptorFields = {
  networkId: NO_NETWORK_ID,
  supernodeKey: publicKeyOf(seed),
  hopKey: x25519PublicKey(seed),
  dedicated: false,
  servesApp: false,
  relays: false,
  clients: 0,
  maxClients: 0,
  url: "ws://127.0.0.1:7400/edge",
  dht: "",
  operator: "",
};

test("it is signed anew when it is old or no longer true, and not for every client that comes", async () => {
  const clock = new VirtualClock();
  let now = fields;
  const own = new OwnDescriptor(clock, createSigner(seed), () => now);
  const first = own.bytes();
  expect(await verifyDescriptor(nodeSignatures, first, { networkId: NO_NETWORK_ID, now: clock.now() })).toEqual({
    ok: true,
    value: { ...fields, issuedAt: clock.now() },
  });
  now = { ...fields, clients: 3 };
  expect(own.bytes()).toBe(first);
  now = { ...fields, clients: 3, dht: "192.0.2.7:9" };
  const second = own.bytes();
  expect(second).not.toEqual(first);
  await clock.advance(DESCRIPTOR_REFRESH_MS);
  expect(own.bytes()).toBe(second);
  await clock.advance(1);
  expect(own.bytes()).not.toEqual(second);
});

test("fields that no descriptor may hold are noticed at the start", () => {
  const make = (wrong: Partial<DescriptorFields>) =>
    new OwnDescriptor(new VirtualClock(), createSigner(seed), () => ({ ...fields, ...wrong }));
  expect(() => make({ url: "http://a.example/" })).toThrow(RangeError);
  expect(() => make({ operator: "x".repeat(49) })).toThrow(RangeError);
});

test("a public URL is written as browsers write it, or refused", () => {
  expect(descriptorUrl("WSS://Bücher.example/edge")).toBe("wss://xn--bcher-kva.example/edge");
  for (const url of ["", "calls.example", "https://a.example/", `wss://a.example/${"x".repeat(120)}`])
    expect(() => descriptorUrl(url)).toThrow(expect.objectContaining({ code: "bad-public-url" }));
});
