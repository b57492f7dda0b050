/** 60 DHT nodes in a /24 each, of which a share is hostile: half of those silent, half hiding all and naming only each other. */
import { type Backbone, createNetworkConfig, type NetworkConfig, parseHostPort } from "@earshot/node";
import { type HostileDht, startHostileDht } from "../../packages/node/src/testing/hostile-dht.ts";
import { startServingBackbone } from "../lookup/serving-backbone.ts";

export interface MixedNetwork {
  readonly honest: readonly Backbone[];
  readonly hostile: readonly HostileDht[];
  stop(): Promise<void>;
}

export async function startMixed(size: number, hostileShare: number): Promise<MixedNetwork> {
  const own = createNetworkConfig({ name: "hostile", prefixLimits: true });
  const first = await startHonest(own, 0);
  const bootstrap = [parseHostPort(first.address())].flatMap((each) => each ?? []);
  const hostileCount = Math.round(size * hostileShare);
  const honest = [first];
  const hostile: HostileDht[] = [];
  for (let i = 1; i < size; i++) {
    // Evenly among the others, so that they sit in everybody's table.
    const isHostile = Math.floor((i * hostileCount) / (size - 1)) > Math.floor(((i - 1) * hostileCount) / (size - 1));
    const host = `127.79.${i}.1`;
    if (isHostile) hostile.push(await startHostileDht(hostile.length % 2 === 0 ? "hides" : "silent", host, bootstrap));
    else honest.push(await startHonest({ ...own, bootstrap }, i));
  }
  const hiding = hostile.filter(({ hostility }) => hostility === "hides");
  for (const dht of hiding) dht.accomplices = hiding;
  const stop = async () => {
    await Promise.all([...honest.map((node) => node.destroy()), ...hostile.map((dht) => dht.destroy({ force: true }))]);
  };
  return { honest, hostile, stop };
}

function startHonest(network: NetworkConfig, i: number): Promise<Backbone> {
  return startServingBackbone(network, `127.79.${i}.1`);
}
