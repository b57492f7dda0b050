import type { Home, SupernodeDescriptor } from "@earshot/core";
import { toHex } from "@earshot/core";
import { expect, it } from "vitest";
import { relaysAlone, withSelf } from "./relay-places.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
const descriptor = (n: number, changes: Partial<SupernodeDescriptor> = {}): SupernodeDescriptor => ({
  ...{ networkId: new Uint8Array(8), supernodeKey: key(n), hopKey: key(100 + n), dedicated: false, servesApp: false },
  ...{ relays: true, issuedAt: 0, clients: 0, maxClients: 0, url: "", dht: "", operator: `operator ${n}`, ...changes },
});
const HOME: Home = { url: "ws://127.0.0.1:1/edge", dht: "", supernodeKey: key(1), hopKey: key(101) };
const nobody = () => false;

it("finds nodes that relay alone, by their key where they have no address, if there is a way to such", () => {
  const [place] = relaysAlone([descriptor(2)], nobody, true);
  expect(place).toMatchObject({ key: toHex(key(2)), operator: "operator 2", own: false, trusted: false });
  expect(place?.home).toEqual({ url: "", dht: "", supernodeKey: key(2), hopKey: key(102) });
  expect(relaysAlone([descriptor(2)], nobody, false)).toEqual([]);
  expect(relaysAlone([descriptor(2)], (name) => name === toHex(key(2)), true)[0]?.trusted).toBe(true);
});

it("knows the own node by its own address, and none twice", () => {
  const alone = relaysAlone([descriptor(1), descriptor(2)], nobody, true);
  const self = { self: descriptor(1), home: HOME, own: true };
  expect(withSelf([], alone, self).map((place) => [place.key, place.own])).toEqual([
    [toHex(key(1)), true],
    [toHex(key(2)), false],
  ]);
  expect(withSelf([], alone, { ...self, self: descriptor(1, { relays: false }) })).toHaveLength(1);
  const promoted = relaysAlone([descriptor(2, { operator: "as a supernode" })], nobody, true);
  expect(withSelf(promoted, alone, undefined).map(({ operator }) => operator)).toEqual([
    "as a supernode",
    "operator 1",
  ]);
});
