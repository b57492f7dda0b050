/** For tests: private networks on loopback, where every node has an address of its own. */
import { createNetworkConfig, type NetworkConfig } from "../backbone/network-config.ts";
import type { NodeNetworkOptions, NodeOptions } from "../node-options.ts";
import { startTestNode, type TestNode } from "./test-node.ts";

export class TestNetwork {
  readonly #config: NetworkConfig = createNetworkConfig({ name: "test", prefixLimits: false });
  readonly #nodes: TestNode[] = [];
  #last = 0;

  /** Joins through the nodes that were started before it, at an address of its own. */
  async start(options: Partial<NodeOptions> = {}, joined: Partial<NodeNetworkOptions> = {}): Promise<TestNode> {
    this.#last++;
    const host = `127.0.77.${this.#last}`;
    const bootstrap = this.#nodes.slice(0, 2).map((node) => hostPort(node.network?.backbone.address() ?? ""));
    const network = { ...this.#config, bootstrap, dhtHost: host, ...joined };
    const node = await startTestNode({ ...options, host, network });
    this.#nodes.push(node);
    return node;
  }

  /** A dedicated supernode, open to strangers, once it serves. */
  async startSupernode(options: Partial<NodeOptions> = {}): Promise<TestNode> {
    const node = await this.start({ role: "dedicated", edge: "open", ...options });
    await node.network?.setServing(1_000);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }
}

function hostPort(address: string): { host: string; port: number } {
  const [host = "", port] = address.split(":");
  return { host, port: Number(port) };
}
