/** The process behind `OverlayNode`: is told over its channel what node to be, says where it is, and runs until it is ended. */
import { createNodeLog, type NodeOptions, parseNetworkConfig, type RunningNode, startNode } from "@earshot/node";

export interface NetworkNodeOptions extends Omit<NodeOptions, "network"> {
  /** The network's file. */
  readonly network: string;
  readonly dhtHost: string;
  /** Serves so many strangers from the start, whatever its role; 0: as its role says. */
  readonly serve: number;
}

export interface NetworkNodeStarted {
  readonly url: string;
  readonly token: string;
  readonly port: number;
  /** Hex. */
  readonly supernodeKey: string;
}

/** `round`: looks for supernodes now rather than within a minute. Answered when it is done. */
export type NetworkNodeCommand = { readonly start: NetworkNodeOptions } | "round";

let node: RunningNode | undefined;

async function start({ network, dhtHost, serve, ...options }: NetworkNodeOptions): Promise<NetworkNodeStarted> {
  const log = createNodeLog("trace", process.stdout);
  const joined = { ...parseNetworkConfig(network), dhtHost, reachable: true };
  node = await startNode({ ...options, network: joined, runFile: false, log });
  if (serve > 0) await node.network?.setServing(serve);
  const { url, token, port, supernodeKey } = node;
  return { url, token, port, supernodeKey: Buffer.from(supernodeKey).toString("hex") };
}

process.on("message", (command: NetworkNodeCommand) => {
  if (command === "round")
    void node?.network?.overlay.discovery
      .round()
      .then(() => node?.network?.overlay.discovery.round())
      .then(() => process.send?.({}));
  else
    start(command.start).then(
      (started) => process.send?.(started),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
});
process.on("SIGTERM", () => void node?.stop().then(() => process.exit(0)));
// The test is gone.
process.on("disconnect", () => process.exit(1));
