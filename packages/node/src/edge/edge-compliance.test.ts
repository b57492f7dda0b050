/** The edge protocol over each of its transports, between real daemons. */
import type { Duplex } from "node:stream";
import { toHex } from "@earshot/core";
import { EDGE_COMPLIANCE_LIMITS, edgeCompliance, type EdgeComplianceStream } from "@earshot/testkit";
import { nodeSignatures } from "../crypto.ts";
import type { NodeOptions } from "../node-options.ts";
import { systemClock } from "../system-clock.ts";
import { accepted, openSocket, type Reachable, TestClient, TestMailbox, testRandom } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import type { TestNode } from "../testing/test-node.ts";
import type { PausableStream } from "./edge-stream.ts";
import { WsEdgeStream } from "./ws-edge-stream.ts";

const CLOSE_NORMAL = 1000;

interface Transport {
  readonly options?: Partial<NodeOptions>;
  connect(network: TestNetwork, supernode: TestNode): Promise<PausableStream>;
}

async function overSocket(where: Reachable): Promise<PausableStream> {
  const socket = await openSocket(where);
  return new WsEdgeStream(socket, (socket as unknown as { _socket: Duplex })._socket);
}

let own: TestNode | undefined;

const TRANSPORTS: Record<string, Transport> = {
  WebSocket: { connect: (_, supernode) => overSocket(supernode) },
  "HyperDHT stream": {
    async connect(network, supernode) {
      own ??= await network.start({ edge: "token" });
      const dht = supernode.network?.backbone.address() ?? "";
      const dialer = own.network?.overlay.dialer;
      return dialer?.dial({ supernodeKey: supernode.supernodeKey, dht, url: "" }) ?? Promise.reject(new Error("alone"));
    },
  },
  "tunnel through one's own node": {
    async connect(network, supernode) {
      own ??= await network.start({ edge: "token" });
      const query = new URLSearchParams({ dht: supernode.network?.backbone.address() ?? "", url: "" });
      const path = `/tunnel/${toHex(supernode.supernodeKey)}?${query}`;
      return overSocket({ edgeUrl: own.edgeUrl.replace("/edge", path), token: own.token });
    },
  },
  "worker of a dedicated supernode": {
    options: { edge: "token", front: { host: "127.0.0.1", port: 0, workers: 1 } },
    connect: (_, { front, network, token }) =>
      overSocket({ edgeUrl: `ws://127.0.0.1:${front?.port}/edge`, token, network }),
  },
};

for (const [name, transport] of Object.entries(TRANSPORTS))
  edgeCompliance(name, async () => {
    const network = new TestNetwork();
    own = undefined;
    const supernode = await network.startSupernode({ limits: EDGE_COMPLIANCE_LIMITS, ...transport.options });
    const asides: TestClient[] = [];
    return {
      supernodeKey: supernode.supernodeKey,
      clock: systemClock,
      random: testRandom,
      signatures: nodeSignatures,
      connect: async () => streamOf(await transport.connect(network, supernode)),
      connections: () => supernode.stats().connections - asides.length,
      async openMailbox(session) {
        const contact = await TestClient.connect(supernode);
        asides.push(contact);
        const mailbox = new TestMailbox();
        accepted(await mailbox.open({ session }));
        accepted(await mailbox.registerContact({ session }));
        return { id: mailbox.id, deliver: async (envelope) => void accepted(await mailbox.deliver(contact, envelope)) };
      },
      stop: () => supernode.stop(),
      async cleanUp() {
        for (const aside of asides) aside.close();
        await network.stop();
      },
    };
  });

function streamOf(stream: PausableStream): EdgeComplianceStream {
  const end: EdgeComplianceStream = {
    onMessage: () => {},
    onClose: () => {},
    send: (message) => stream.send(message),
    close: () => stream.close(CLOSE_NORMAL),
    stall: () => stream.pause(),
  };
  stream.handlers = {
    onMessage: (message) => end.onMessage(message),
    onText: () => stream.terminate(),
    onPing: () => true,
    onHeard: () => {},
    onBroken: () => {},
    onClosed: () => end.onClose("closed"),
  };
  return end;
}
