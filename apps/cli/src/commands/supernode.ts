/** `earshot supernode`: a dedicated supernode (`--dedicated`), or this person's node lent as a volunteer's. */
import { availableParallelism } from "node:os";
import { isIPv4 } from "node:net";
import {
  createNodeLog,
  formatNamedSupernode,
  isLoopbackHost,
  MAX_CONNECTIONS_PER_WORKER,
  MAX_WORKERS,
  type NodeOptions,
  type RunningNode,
  startNode,
} from "@earshot/node";
import { type CommonOptions, homeOf } from "../common-options.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { DEDICATED_DEFAULTS } from "../default-port.ts";
import { catchInterrupts } from "../interrupt.ts";
import type { Terminal } from "../terminal.ts";
import { networkOptions } from "../network-options.ts";
import { parsePort } from "../port-option.ts";
import { type RelayChoice, relayOptions } from "../relay-options.ts";
import { UsageError } from "../usage-error.ts";
import { lendNode } from "./lend.ts";
import { APP_FOLDER, explained } from "./start.ts";

export interface SupernodeOptions extends CommonOptions, RelayChoice {
  readonly dedicated?: boolean;
  readonly network?: string;
  readonly listen?: string;
  readonly port?: string;
  readonly ownPort?: string;
  readonly workers?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly trustProxy?: boolean;
  readonly publicUrl?: string;
  readonly operator?: string;
  readonly dhtHost?: string;
  readonly dhtPort?: string;
  readonly mapPorts?: boolean;
  readonly maxClients?: string;
  readonly serveApp?: boolean;
  readonly verbose?: boolean;
}

/** Mailboxes for each client: one of their own, and room for those who are away. */
const MAILBOXES_PER_CLIENT = 3;

/** With `--dedicated`, resolves once it has drained and closed. */
export async function runSupernode(options: SupernodeOptions, terminal: Terminal): Promise<ExitCode> {
  if (!options.dedicated) {
    refuseDedicatedOptions(options);
    await lendNode(options, terminal);
    return EXIT.ok;
  }
  const nodeOptions = dedicatedOptions(options);
  const interrupt = catchInterrupts(process, ["SIGINT", "SIGTERM"]);
  const log = createNodeLog(options.verbose || !terminal.interactive ? "info" : "warn");
  const running: { node?: RunningNode } = {};
  // Reads the certificate again. Heeded from now on: before it is up it must not end the start.
  process.on("SIGHUP", () => running.node?.front?.reload());
  const node = await startNode({ ...nodeOptions, log }).catch(async (error: unknown) => {
    throw await explained(error, nodeOptions.port, nodeOptions.home);
  });
  running.node = node;
  terminal.emit({
    event: "started",
    url: node.url,
    publicUrl: nodeOptions.publicEdgeUrl,
    port: node.front?.port,
    supernodeKey: Buffer.from(node.supernodeKey).toString("hex"),
    pid: process.pid,
  });
  tellStarted(node, nodeOptions, terminal);
  await interrupt.interrupted.catch(() => undefined);
  terminal.emit({ event: "stopping" });
  terminal.say("Stopping; clients are told where else to go. Ctrl-C again ends it at once.");
  await node.stop();
  terminal.emit({ event: "stopped" });
  return EXIT.ok;
}

/** Whoever forgot `--dedicated` must not lend the node on their desk instead, with none of what they typed. */
function refuseDedicatedOptions(options: SupernodeOptions): void {
  const { dedicated: _, home: _home, node: _node, json: _json, ...rest } = options;
  const [first] = Object.entries(rest).filter(([, value]) => value !== undefined);
  if (first === undefined) return;
  const option = `--${first[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError(
    `${option} is for a dedicated supernode: add --dedicated. To lend the node that runs here: earshot lend`,
  );
}

type DedicatedOptions = NodeOptions & { readonly port: number; readonly publicEdgeUrl: string };

/** What the daemon is started with. Throws UsageError for options that do not go together. */
export function dedicatedOptions(options: SupernodeOptions): DedicatedOptions {
  const { listen, port: portText, ownPort } = { ...DEDICATED_DEFAULTS, ...options };
  const port = parsePort(portText);
  const workers = count(options.workers ?? String(availableParallelism()), "--workers", MAX_WORKERS);
  const most = workers * MAX_CONNECTIONS_PER_WORKER;
  const maxClients = count(options.maxClients ?? String(most), "--max-clients", most);
  const tls = tlsOf(options);
  const publicEdgeUrl = publicUrlOf({ ...options, listen }, port, tls !== undefined);
  const dhtPort = options.dhtPort ?? String(port === 0 ? 0 : port + 1);
  return {
    home: homeOf(options),
    host: "127.0.0.1",
    port: parsePort(ownPort, "--own-port"),
    publicEdgeUrl,
    appDir: APP_FOLDER,
    ...networkOptions({ ...options, dhtPort }),
    ...relayOptions(options),
    role: "dedicated",
    limits: { maxConnections: maxClients, maxMailboxes: maxClients * MAILBOXES_PER_CLIENT },
    front: {
      host: listen,
      port,
      workers,
      ...(tls === undefined ? {} : { tls }),
      trustLocalProxy: options.trustProxy === true,
      ...(options.serveApp ? { serveApp: APP_FOLDER } : {}),
    },
  };
}

function tlsOf({ tlsCert, tlsKey, trustProxy }: SupernodeOptions): { certFile: string; keyFile: string } | undefined {
  if (tlsCert !== undefined && tlsKey !== undefined) return { certFile: tlsCert, keyFile: tlsKey };
  if (tlsCert !== undefined || tlsKey !== undefined)
    throw new UsageError("--tls-cert and --tls-key go together: the chain and the key, as PEM files.");
  if (!trustProxy)
    throw new UsageError(
      "Browsers need TLS: give --tls-cert and --tls-key, or --trust-proxy where a proxy on this machine has them.",
    );
  return undefined;
}

function publicUrlOf(
  { publicUrl, listen, trustProxy }: SupernodeOptions & { readonly listen: string },
  port: number,
  tls: boolean,
): string {
  if (publicUrl !== undefined) {
    const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
    if (url && /^wss?:$/.test(url.protocol) && url.pathname === "/edge" && url.search + url.hash === "")
      return url.href;
    throw new UsageError(`--public-url takes an address such as wss://calls.example/edge, not "${publicUrl}".`);
  }
  if (trustProxy || !isIPv4(listen) || listen === "0.0.0.0")
    throw new UsageError("Say what others reach it by: --public-url wss://calls.example/edge");
  return `${tls ? "wss" : "ws"}://${listen}:${port}/edge`;
}

function count(text: string, option: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
  throw new UsageError(`${option} takes a number from 1 to ${most}, not "${text}".`);
}

function tellStarted(node: RunningNode, { publicEdgeUrl, front, network }: DedicatedOptions, terminal: Terminal): void {
  terminal.say(`${terminal.good("Earshot is running")} as a dedicated supernode: ${terminal.bold(publicEdgeUrl)}`);
  terminal.say(
    `  listening  ${front?.host}, port ${node.front?.port}, ${front?.workers} ${front?.workers === 1 ? "worker" : "workers"}`,
  );
  terminal.say(`  network    ${networkText(network)}`);
  terminal.say(`  key        ${Buffer.from(node.supernodeKey).toString("hex")}`);
  const { supernodeKey } = node;
  terminal.say(`  for others --supernode ${formatNamedSupernode({ url: publicEdgeUrl, supernodeKey })}`);
  if (front?.serveApp !== undefined) terminal.say(`  app        served to anyone, labelled as hosted`);
  for (const url of node.relay.current?.urls ?? []) terminal.say(`  relay      ${url}`);
  const expires = node.front?.certificate()?.notAfter;
  if (expires !== undefined)
    terminal.say(`  TLS        until ${new Date(expires).toISOString().slice(0, 10)}; SIGHUP reads it anew`);
  if (isLoopbackHost(front?.host ?? ""))
    terminal.note(`It listens on this machine alone${front?.trustLocalProxy ? ": its proxy makes it reachable" : ""}.`);
  terminal.say();
  terminal.say(`Its own page, on this machine alone (the address holds your token):`);
  terminal.say(`  ${node.url}`);
  terminal.say(terminal.dim("Ctrl-C or SIGTERM moves its clients elsewhere, then stops it."));
}

function networkText(network: NodeOptions["network"]): string {
  if (network === undefined) return "none: it serves those who know its address";
  return network.private ? `"${network.name}", private` : "the open one";
}
