/** A backbone that serves, for networks of many in one process. */
import { randomBytes } from "node:crypto";
import { Backbone, type NetworkConfig, nodeSignatures, systemClock } from "@earshot/node";

/** Once it has joined and is known at its address. */
export async function startServingBackbone(network: NetworkConfig, host: string): Promise<Backbone> {
  const backbone = await Backbone.start({
    network,
    supernodeSeed: new Uint8Array(randomBytes(32)),
    clock: systemClock,
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    signatures: nodeSignatures,
    refused: () => {},
    host,
    serving: true,
  });
  while (!backbone.stats.serving || backbone.state !== "joined") await new Promise((resolve) => setTimeout(resolve, 2));
  return backbone;
}
