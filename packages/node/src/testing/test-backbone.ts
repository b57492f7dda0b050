/** For tests: backbones on loopback addresses of their own, in a network of their own. */
import type { RefusalCode } from "@earshot/core";
import { randomBytes } from "node:crypto";
import { Backbone, type BackboneOptions } from "../backbone/backbone.ts";
import { createNetworkConfig, type NetworkConfig, parseHostPort } from "../backbone/network-config.ts";
import { nodeSignatures } from "../crypto.ts";
import { systemClock } from "../system-clock.ts";

export interface TestBackbone {
  readonly backbone: Backbone;
  readonly options: BackboneOptions;
  /** What was refused so far. */
  readonly refusals: RefusalCode[];
}

export async function startTestBackbone(
  options: Partial<BackboneOptions> & { network: NetworkConfig },
): Promise<TestBackbone> {
  const refusals: RefusalCode[] = [];
  const all: BackboneOptions = {
    supernodeSeed: randomBytes(32),
    clock: systemClock,
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    signatures: nodeSignatures,
    refused: (code) => refusals.push(code),
    host: "127.0.0.1",
    ...options,
  };
  return { backbone: await Backbone.start(all), options: all, refusals };
}

/** A private network of `count` serving backbones at 127.77.0.1 and on, joined, in the order in which they started. */
export async function startTestNetwork(
  count: number,
  options: Partial<BackboneOptions> & { prefixLimits?: boolean } = {},
): Promise<{ network: NetworkConfig; nodes: TestBackbone[]; stop(): Promise<void> }> {
  const { prefixLimits = false, ...rest } = options;
  const own = createNetworkConfig({ name: "test", prefixLimits });
  const first = await startTestBackbone({ ...rest, network: own, host: "127.77.0.1", serving: true });
  await joined(first.backbone);
  const bootstrap = [parseHostPort(first.backbone.address())].flatMap((entry) => entry ?? []);
  const network = { ...own, bootstrap };
  const nodes = [first];
  for (let i = 2; i <= count; i++) {
    const node = await startTestBackbone({ ...rest, network, host: `127.77.${i >> 8}.${i & 255}`, serving: true });
    // One after the other, so that each learns of those before it.
    await joined(node.backbone);
    nodes.push(node);
  }
  const stop = async () => void (await Promise.all(nodes.map(({ backbone }) => backbone.destroy())));
  return { network, nodes, stop };
}

/** Waits for a serving backbone to be known at its address. */
export async function joined(backbone: Backbone): Promise<void> {
  while (!backbone.stats.serving || backbone.state !== "joined") await new Promise((resolve) => setTimeout(resolve, 5));
}
