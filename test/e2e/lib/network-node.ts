/** The process behind `OverlayNode`: is told over its channel what node to be, says where it is, and runs until it is ended. */
import { createNodeLog, type NodeOptions, parseNetworkConfig, type RunningNode, startNode } from "@earshot/node";
import { openFirewall, shutFirewall } from "./udp-firewall.ts";

export interface NetworkNodeOptions extends Omit<NodeOptions, "network"> {
  /** The network's file. */
  readonly network: string;
  readonly dhtHost: string;
  /** Default: any free one. */
  readonly dhtPort?: number;
  /** Serves so many strangers from the start, whatever its role; 0: as its role says. */
  readonly serve: number;
  /** Its operator's word that others reach it; without it they have to find out. Default true. */
  readonly reachable?: boolean;
  /** Default: the most talkative. */
  readonly logLevel?: Parameters<typeof createNodeLog>[0];
}

export interface NetworkNodeStarted {
  readonly url: string;
  readonly token: string;
  readonly port: number;
  /** At which strangers connect: of its workers, where it has some, else the same. */
  readonly edgePort: number;
  /** Hex. */
  readonly supernodeKey: string;
}

/**
 * `round`: looks for supernodes now rather than within a minute; `relays`: for nodes that relay and are none. `busy`, `idle`: its machine is busy with something else, or no
 * longer. `shut`, `open`: its firewall lets in only whom it has spoken to since, or everybody. Each is answered when it is done.
 */
export type NetworkNodeCommand =
  | { readonly start: NetworkNodeOptions }
  | "round"
  | "relays"
  | "busy"
  | "idle"
  | "shut"
  | "open";

/** A busy process has no time for so long, then for a moment, over and over. */
const BUSY_MS = 800;
const MOMENT_MS = 25;

let node: RunningNode | undefined;
let busy: NodeJS.Timeout | undefined;

/** As a program that takes the machine for itself does it: whatever is due has to wait. */
function beBusy(): void {
  const until = performance.now() + BUSY_MS;
  while (performance.now() < until);
  busy = setTimeout(beBusy, MOMENT_MS);
}

async function start({
  network,
  dhtHost,
  dhtPort = 0,
  serve,
  reachable = true,
  logLevel = "trace",
  ...options
}: NetworkNodeOptions): Promise<NetworkNodeStarted> {
  const log = createNodeLog(logLevel, process.stdout);
  const joined = { ...parseNetworkConfig(network), dhtHost, dhtPort, reachable };
  node = await startNode({ ...options, network: joined, runFile: false, log });
  if (serve > 0) await node.network?.setServing(serve);
  const { url, token, port, front, supernodeKey } = node;
  return { url, token, port, edgePort: front?.port ?? port, supernodeKey: Buffer.from(supernodeKey).toString("hex") };
}

/** Whoever the first round hears of is asked in the second. */
async function look(find: "discovery" | "relayDiscovery"): Promise<void> {
  for (let round = 0; round < 2; round++) await node?.network?.overlay[find].round();
}

process.on("message", (command: NetworkNodeCommand) => {
  if (command === "busy" || command === "idle") {
    clearTimeout(busy);
    if (command === "busy") busy = setTimeout(beBusy, MOMENT_MS);
    process.send?.({});
  } else if (command === "shut" || command === "open") {
    if (command === "shut") shutFirewall();
    else openFirewall();
    process.send?.({});
  } else if (command === "round" || command === "relays")
    void look(command === "round" ? "discovery" : "relayDiscovery").then(() => process.send?.({}));
  else
    start(command.start).then(
      (started) => process.send?.(started),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
});
process.on("SIGTERM", () => void node?.stop().then(() => process.exit(0)));
// The test is gone.
process.on("disconnect", () => process.exit(1));
