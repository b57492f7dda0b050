/** Supernodes at the lab's public addresses. Is told over IPC what to be, and the network's file; runs until it is killed. */
import { createNodeLog, type NetworkConfig, parseNetworkConfig, type RelayRole, startNode } from "@earshot/node";
import type { LabSupernode, OverlayAnswer, OverlayStart, RelayPasses } from "./overlay-protocol.ts";

type HostPort = NetworkConfig["bootstrap"][number];

/** What the strictest networks let through. */
const PORT = 443;
const DHT_PORT = 444;
/** Strangers that each serves. */
const CLIENTS = 100;
/** The work protects mailboxes from strangers; here it would only be waited for. */
const LIMITS = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0, maxConnections: CLIENTS };

async function start({ network, supernodes }: OverlayStart): Promise<OverlayAnswer> {
  const bootstrap: HostPort[] = [];
  const started: OverlayAnswer["started"][number][] = [];
  for (const one of supernodes) {
    started.push(await startOne(one, network, bootstrap));
    bootstrap.push({ host: one.host, port: DHT_PORT });
  }
  return { bootstrap: bootstrap.map(({ host, port }) => `${host}:${port}`), started };
}

async function startOne({ home, host, relayHost, operator }: LabSupernode, file: string, bootstrap: HostPort[]) {
  const node = await startNode({
    ...{ home, host, port: PORT, operator, edge: "open", role: "dedicated", runFile: false, limits: LIMITS },
    network: { ...parseNetworkConfig(file), bootstrap: [...bootstrap], dhtHost: host, dhtPort: DHT_PORT },
    ...(relayHost === undefined
      ? {}
      : { relay: { addresses: [{ host: relayHost, announced: relayHost }], port: PORT } }),
    log: createNodeLog("warn", process.stderr),
  });
  await node.network?.setServing(CLIENTS);
  if (node.relay.current) tellPasses(node.relay.current);
  return { key: Buffer.from(node.supernodeKey).toString("hex"), url: node.edgeUrl };
}

function tellPasses(relay: RelayRole): void {
  const { pass } = relay;
  let passes = 0;
  const told = (mailboxId: Uint8Array) => {
    const message: RelayPasses = { passes: ++passes };
    process.send?.(message);
    return pass(mailboxId);
  };
  Object.assign(relay, { pass: told });
}

process.once("message", (message: OverlayStart) => {
  start(message).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ failure: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
