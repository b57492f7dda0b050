/**
 * How a client with a node of its own reaches any supernode: as that node's tunnel goes there, with the node's own dialler, but without a
 * process in between for each of thousands of clients.
 */
import { randomBytes } from "node:crypto";
import { decodeServerFrame } from "@earshot/core";
import { Backbone, type NetworkConfig, nodeSignatures, parseNetworkConfig, systemClock } from "@earshot/node";
import type { Connection, NodeAddress, Transport } from "@earshot/sdk";
import { nodeTransport } from "@earshot/sdk/node";
import { NO_HANDLERS, type PausableStream } from "../../packages/node/src/edge/edge-stream.ts";
import { createDialer, type Dialer } from "../../packages/node/src/supernodes/dialer.ts";
import { SupernodeBusyError } from "../../packages/node/src/supernodes/ws-dial.ts";
import { NodeError } from "../../packages/sdk/src/errors.ts";

/** An error frame is shorter. */
const MAX_ERROR_BYTES = 64;

export const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

/** A person's own node: not counted among those that answer others. */
async function startBackbone(network: NetworkConfig, host: string): Promise<Backbone> {
  const supernodeSeed = random.bytes(32);
  const parts = { network, host, supernodeSeed, clock: systemClock, random, signatures: nodeSignatures };
  return Backbone.start({ ...parts, refused: () => {} });
}

export class TunnelTransport implements Transport {
  readonly #own = nodeTransport();
  readonly #dialer: Dialer;
  readonly #urlDialer: Dialer;
  /** Tries that were asked to come back later, and that failed otherwise. */
  shed = 0;
  failed = 0;

  private constructor(dialer: Dialer, urlDialer: Dialer) {
    this.#dialer = dialer;
    this.#urlDialer = urlDialer;
  }

  /** `networkFile`: as `earshot network create` writes it. `host`: loopback address of the DHT socket. */
  static async start(networkFile: string, host: string): Promise<TunnelTransport> {
    const network = parseNetworkConfig(networkFile);
    const backbone = await startBackbone(network, host);
    const connectDht: Parameters<typeof createDialer>[1]["connectDht"] = (key, hint, signal) =>
      backbone.connect(key, hint, { signal });
    // Whoever does not answer at its URL is not looked for in the DHT besides: one DHT node does here what thousands would.
    const nobody = () => Promise.reject(new Error("not over HyperDHT"));
    const clock = systemClock;
    return new TunnelTransport(
      createDialer(network, { clock, connectDht }),
      createDialer(network, { clock, connectDht: nobody }),
    );
  }

  async connect(node: NodeAddress): Promise<Connection> {
    if (node.tunnelTo === undefined) return this.#own.connect(node);
    try {
      const dialer = node.tunnelTo.url === "" ? this.#dialer : this.#urlDialer;
      return this.#connectionOver(await dialer.dial(node.tunnelTo));
    } catch (error) {
      if (!(error instanceof SupernodeBusyError)) {
        this.failed++;
        throw new NodeError("supernode-unreachable", "not reached", { cause: error });
      }
      this.shed++;
      throw new NodeError("server-busy", "busy", { retryAfterMs: error.retryAfterMs });
    }
  }

  #connectionOver(stream: PausableStream): Connection {
    const connection: Connection = {
      send: (message) => stream.send(message),
      close: () => stream.close(1000),
      onMessage: () => {},
      onClose: () => {},
    };
    // A supernode that takes nobody speaks first: what comes before somebody listens waits for a moment.
    const early: (() => void)[] = [];
    let isHeard = false;
    const tell = (event: () => void) => void (isHeard ? event() : early.push(event));
    setImmediate(() => {
      isHeard = true;
      for (const event of early) event();
    });
    stream.handlers = {
      ...NO_HANDLERS,
      onPing: () => true,
      onMessage: (message) => {
        const bytes = Uint8Array.from(message);
        if (isBusy(bytes)) this.shed++;
        tell(() => connection.onMessage(bytes));
      },
      onClosed: () => tell(() => connection.onClose("closed")),
    };
    return connection;
  }
}

function isBusy(message: Uint8Array): boolean {
  if (message.length > MAX_ERROR_BYTES) return false;
  const frame = decodeServerFrame(message);
  return frame.ok && frame.value.type === "error" && frame.value.code === "server-busy";
}
