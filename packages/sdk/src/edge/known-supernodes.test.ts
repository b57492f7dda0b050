import { nobleBackend, publicKeyOf, signDescriptor } from "@earshot/core";
import { expect, it } from "vitest";
import { KnownSupernodes } from "./known-supernodes.ts";

const NOW = 1_760_000_000_000;
const networkId = new Uint8Array(8).fill(4);

function descriptorOf(number: number): Uint8Array {
  const seed = new Uint8Array(32).fill(number);
  const where = { url: "", dht: `192.0.2.${number}:7`, operator: "" };
  const load = { issuedAt: NOW, clients: 0, maxClients: 9 };
  const keys = { networkId, supernodeKey: publicKeyOf(seed), hopKey: new Uint8Array(32).fill(9) };
  const sign = (message: Uint8Array) => nobleBackend.sign(seed, message) as Uint8Array;
  return signDescriptor({ ...keys, ...load, ...where, dedicated: false, servesApp: false, relays: false }, sign);
}

it("tells those whom a home that goes alone knows of from those that others know too", async () => {
  const known = new KnownSupernodes(nobleBackend, (code) => expect(code).toBe("nothing is refused"));
  const named = () =>
    known
      .candidates(
        NOW,
        () => false,
        () => false,
      )
      .filter((each) => each.named)
      .map(({ address }) => address);
  const [one, other] = [descriptorOf(1), descriptorOf(2)];
  await known.learn([one], networkId, NOW);
  await known.learn([one, other], networkId, NOW, true);
  expect(named()).toEqual(["192.0.2.2"]);
  await known.learn([other], networkId, NOW);
  expect(named()).toEqual([]);
  await known.learn([one, other], networkId, NOW, true);
  expect(named()).toEqual([]);
});
