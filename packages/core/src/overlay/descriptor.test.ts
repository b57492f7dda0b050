import fc from "fast-check";
import { expect, test } from "vitest";
import { cleanText } from "../cbor.ts";
import { nobleBackend, publicKeyOf } from "../identity/ed25519.ts";
import { x25519PublicKey } from "../identity/x25519.ts";
import {
  DESCRIPTOR_MAX_BYTES,
  decodeDescriptor,
  encodeDescriptor,
  OPERATOR_MAX_BYTES,
  signDescriptor,
  type SupernodeDescriptor,
  verifyDescriptor,
} from "./descriptor.ts";
import { NETWORK_ID_BYTES, networkIdOf, OPEN_NETWORK_KEY, streamGate, supernodeTopic } from "./network.ts";

const seed = new Uint8Array(32).fill(1);
const sign = (message: Uint8Array) => nobleBackend.sign(seed, message) as Uint8Array;
const networkId = networkIdOf(OPEN_NETWORK_KEY);
const own: SupernodeDescriptor = {
  networkId,
  supernodeKey: publicKeyOf(seed),
  hopKey: x25519PublicKey(seed),
  dedicated: true,
  servesApp: false,
  relays: false,
  issuedAt: 1_000_000,
  clients: 1,
  maxClients: 2,
  url: "wss://a.example/edge",
  dht: "192.0.2.7:49737",
  operator: "Zoë",
};

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const arbitrary: fc.Arbitrary<SupernodeDescriptor> = fc.record({
  networkId: bytes(NETWORK_ID_BYTES),
  supernodeKey: bytes(32),
  hopKey: bytes(32),
  dedicated: fc.boolean(),
  servesApp: fc.boolean(),
  relays: fc.boolean(),
  issuedAt: fc.maxSafeNat(),
  clients: u32,
  maxClients: u32,
  url: fc.constantFrom("", "ws://127.0.0.1:7400/edge", `wss://a.example/${"x".repeat(112)}`),
  dht: fc.constantFrom("", "192.0.2.7:1", "[2001:db8::7]:65535"),
  operator: fc.string({ unit: "grapheme" }).map((text) => cleanText(text, OPERATOR_MAX_BYTES)),
});
const unsigned = () => new Uint8Array(64);

test("every descriptor comes back as it was written, within its size", () => {
  fc.assert(
    fc.property(arbitrary, (descriptor) => {
      const written = signDescriptor(descriptor, unsigned);
      expect(written.length).toBeLessThanOrEqual(DESCRIPTOR_MAX_BYTES);
      expect(decodeDescriptor(written)).toEqual({ ok: true, value: { descriptor, bytes: written } });
    }),
  );
});

test("a cut or lengthened one is refused, and what is accepted has one encoding", () => {
  fc.assert(
    fc.property(arbitrary, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (descriptor, cut, at, by) => {
      const written = signDescriptor(descriptor, unsigned);
      expect(decodeDescriptor(written.subarray(0, cut % written.length)).ok).toBe(false);
      expect(decodeDescriptor(Uint8Array.of(...written, 0)).ok).toBe(false);
      const altered = written.slice();
      altered[at % altered.length] = (altered[at % altered.length] as number) ^ by;
      const read = decodeDescriptor(altered);
      if (read.ok) expect(encodeDescriptor(read.value.descriptor)).toEqual(altered.subarray(0, -64));
    }),
  );
});

test("any bytes are answered", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 450 }), (junk) => {
      expect(decodeDescriptor(junk).ok).toBe(false);
      expect(decodeDescriptor(Uint8Array.of(1, ...junk))).toBeDefined();
    }),
  );
});

test("any altered bit is noticed", async () => {
  const written = signDescriptor(own, sign);
  expect(await verifyDescriptor(nobleBackend, written, { networkId, now: own.issuedAt })).toEqual({
    ok: true,
    value: own,
  });
  for (let at = 0; at < written.length; at += 5) {
    const altered = written.slice();
    altered[at] = (altered[at] as number) ^ 1;
    expect((await verifyDescriptor(nobleBackend, altered, { networkId, now: own.issuedAt })).ok).toBe(false);
  }
});

test.each<[string, Partial<SupernodeDescriptor>]>([
  ["a key of another length", { supernodeKey: new Uint8Array(31) }],
  ["a network id of another length", { networkId: new Uint8Array(9) }],
  ["a url of another scheme", { url: "https://a.example/" }],
  ["a url that is too long", { url: `wss://a.example/${"x".repeat(113)}` }],
  ["a DHT address that is a name", { dht: "a.example:1" }],
  ["an operator that is too long", { operator: "o".repeat(49) }],
  ["an operator with a control character", { operator: "a\u0000" }],
  ["more clients than fit", { clients: 2 ** 32 }],
])("%s is the caller's mistake", (_name, fields) => {
  expect(() => encodeDescriptor({ ...own, ...fields })).toThrow(RangeError);
});

test("a network key of another length is the caller's mistake, and gates differ by stream", () => {
  expect(() => networkIdOf(new Uint8Array(31))).toThrow(RangeError);
  expect(() => supernodeTopic(new Uint8Array(33))).toThrow(RangeError);
  const gate = streamGate(OPEN_NETWORK_KEY, new Uint8Array(64));
  expect(gate.length).toBe(32);
  expect(streamGate(OPEN_NETWORK_KEY, new Uint8Array(64).fill(1))).not.toEqual(gate);
  expect(streamGate(new Uint8Array(32), new Uint8Array(64))).not.toEqual(gate);
});
