/** Puts the daemon together: state, HTTP, edge listener, STUN. */
import type { Server } from "node:http";
import { Admission, type Clock, HopOpener, NO_NETWORK_ID } from "@earshot/core";
import { createSigner, nodeAead, nodeSignatures, nodeX25519 } from "./crypto.ts";
import { EdgeListener } from "./edge/edge-listener.ts";
import type { EdgeServices } from "./edge/edge-services.ts";
import { type DescriptorFields, descriptorUrl, OwnDescriptor } from "./edge/own-descriptor.ts";
import { SendBuffers } from "./edge/send-buffers.ts";
import { WsUpgrades } from "./edge/ws-upgrades.ts";
import { removeRunFile, type RunFile, writeRunFile } from "./home/run-file.ts";
import { Access, bracketed, isLoopbackHost } from "./http/access.ts";
import { addressOf, createHttpServer, listen } from "./http/http-server.ts";
import { handleHttp, type RouteServices } from "./http/routes.ts";
import { WaitingSockets } from "./http/waiting-sockets.ts";
import { DEFAULT_LIMITS, type NodeLimits } from "./limits.ts";
import { createNodeLog, errorCodeOf, type NodeLog } from "./log.ts";
import { type LoopLag, watchLoopLag } from "./loop-lag.ts";
import { NodeMetrics } from "./metrics.ts";
import { NameResolver } from "./names/name-resolver.ts";
import { NodeNetwork } from "./node-network.ts";
import type { NodeOptions, NodeStats, RunningNode } from "./node-options.ts";
import { type NodeState, openState, sweepRegularly } from "./node-state.ts";
import { isPrivateAddress } from "./prefix.ts";
import { PrefixLimits } from "./prefix-limits.ts";
import { listenerPorts } from "./port-mapping/open-port-mapping.ts";
import { openRelay } from "./relay/open-relay.ts";
import { RelayDesk } from "./relay/relay-desk.ts";
import type { RelaySwitch } from "./relay/relay-switch.ts";
import { openRoles } from "./report/open-roles.ts";
import { type StunServer, startStun } from "./stun/stun-server.ts";
import { systemClock } from "./system-clock.ts";
import { TUNNEL_PATH, type Tunnels } from "./tunnel/tunnels.ts";
import { type NodeFront, openFront } from "./workers/node-front.ts";

interface Parts {
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
  readonly state: NodeState;
  readonly admission: Admission;
}

interface Addresses {
  readonly port: number;
  readonly appUrl: string;
  readonly edgeUrl: string;
  /** What others are told. */
  readonly publicUrl: string;
  readonly stunUrl: string;
}

interface ListenerParts {
  readonly host: string;
  readonly needsToken: boolean;
  readonly addresses: Addresses;
  readonly network: NodeNetwork | undefined;
  readonly relay: RelaySwitch;
}

/**
 * Starts the daemon. Rejects with EarshotError `port-in-use`, `port-not-allowed`, `host-unavailable`, `home-in-use`
 * (another daemon has this home open), `store-unavailable`, `home-unusable`, `file-not-private` or `file-damaged`; with a front
 * also as `startPublicFront` does; with a relay also `relay-unavailable`.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const host = options.host ?? "127.0.0.1";
  const clock = options.clock ?? systemClock;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const log = options.log ?? createNodeLog();
  const metrics = new NodeMetrics();
  const state = await openState(options.home, limits);
  const parts = { clock, limits, log, metrics, state, admission: new Admission(limits.handshakes, clock.now()) };
  const sockets = await openSockets(options, host, parts);
  const { server, port, network, front, stun, relay } = sockets;
  const addresses = addressesOf(options, host, port, { stun, front });
  const needsToken = asksForToken(options, host);
  const { listener, upgrades, prefixes, access, waiting, descriptor } = createListener(parts, options, {
    host,
    needsToken,
    addresses,
    network,
    relay,
  });
  front?.attach(listener);
  const lag = watchLoopLag((lagMs) => parts.admission.observeLag(lagMs));
  const stats = statsOf(parts, listener, lag.lagMs);
  const isOpen = front !== undefined || !needsToken;
  const ports = listenerPorts(isOpen, options.front?.host ?? host, sockets);
  const around = { network, isOpen, relay, ports, loopLagMs: lag.lagMs, descriptor, stats };
  const { roles, reporter, portMapping } = openRoles(options, parts, around);
  let stopping: Promise<void> | undefined;
  server.on("connection", (socket) => waiting.add(socket));
  const routes: RouteServices = {
    ...{ access, metrics, reporter, status: stats, keyHalf: state.secrets.keyHalf },
    app: needsToken ? { dir: options.appDir } : undefined,
    isHealthy: () => stopping === undefined,
    info: () => ({ ...describe(state, addresses), ...options.info?.() }),
    names: namesOf(options, clock),
  };
  serve(server, log, { upgrades, tunnels: network?.tunnels }, routes);
  const stopSweeping = sweepRegularly(state, clock, log, (now) => prefixes.forgetIdle(now));
  const { token, supernodeKey, hopKey } = state.secrets;
  const noted = options.runFile !== false;
  if (noted) leaveNote(log, port, { url: addresses.appUrl, token, pid: process.pid });
  log.info("started", { port });

  const stopFirst = () => {
    stopSweeping();
    roles?.stop();
    if (noted) removeRunFile(port, process.pid);
  };
  const stop = () => stopNode(parts, sockets, { listener, stopFirst, lag, portMapping });
  const url = `${addresses.appUrl}/#token=${token}`;
  const { edgeUrl, stunUrl } = addresses;
  return {
    url,
    edgeUrl,
    stunUrl,
    token,
    supernodeKey,
    hopKey,
    port,
    front,
    network,
    roles,
    relay,
    stop: () => (stopping ??= stop()),
    stats,
  };
}

interface Sockets {
  readonly server: Server;
  readonly port: number;
  readonly network: NodeNetwork | undefined;
  readonly front: NodeFront | undefined;
  readonly stun: StunServer | undefined;
  readonly relay: RelaySwitch;
}

/** All that is bound; where one cannot be, none is left. */
async function openSockets(options: NodeOptions, host: string, parts: Parts): Promise<Sockets> {
  const { limits, log, state } = parts;
  const server = createHttpServer(limits.maxConnections + limits.maxSpareSockets);
  const failed = async (error: unknown): Promise<never> => {
    server.close();
    await state.store.close();
    throw error;
  };
  const port = await listen(server, host, options.port ?? 0).catch(failed);
  const network = await networkOf(options, parts).catch(failed);
  const front = await frontOf(options, parts, network).catch(async (error: unknown) => {
    await network?.close();
    return failed(error);
  });
  const stun = await startStun(front?.host ?? host, front?.port ?? port, parts).catch((error: unknown) => {
    log.warn("stun-unavailable", { errorCode: errorCodeOf(error) });
    return undefined;
  });
  const relay = await openRelay(options, parts, network).catch(async (error: unknown) => {
    await Promise.all([network?.close(), front?.stop(), stun?.close()]);
    return failed(error);
  });
  return { server, port, network, front, stun, relay };
}

interface Stopping {
  readonly listener: EdgeListener;
  readonly stopFirst: () => void;
  readonly lag: LoopLag;
  readonly portMapping: { stop(): Promise<void> };
}

/** In the order in which the parts need each other. */
async function stopNode(
  { limits, log, state }: Parts,
  { server, front, network, stun, relay }: Sockets,
  { listener, stopFirst, lag, portMapping }: Stopping,
): Promise<void> {
  log.info("stopping", { connections: listener.count });
  stopFirst();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const drained = listener.close(limits.drainGraceMs, limits.drainRetryAfterMs);
  await Promise.all([network?.sayGoodbye(), drained, portMapping.stop()]);
  server.closeAllConnections();
  await Promise.all([closed, front?.stop()]);
  await network?.close();
  await Promise.all([stun?.close(), relay.close()]);
  lag.stop();
  await state.store.close();
  log.info("stopped");
}

async function networkOf({ network, role, home }: NodeOptions, parts: Parts): Promise<NodeNetwork | undefined> {
  return network && NodeNetwork.start(network, { home, dedicated: role === "dedicated" }, parts);
}

async function frontOf(
  { front, publicEdgeUrl, operator = "" }: NodeOptions,
  { state, ...parts }: Parts,
  network: NodeNetwork | undefined,
): Promise<NodeFront | undefined> {
  if (front === undefined) return undefined;
  const { supernodeKey } = state.secrets;
  return openFront(front, publicEdgeUrl, { ...parts, supernodeKey, operator, gateProtocol: network?.gate });
}

/** Other programs can be given the token by hand: without the note the daemon is of use all the same. */
function leaveNote(log: NodeLog, port: number, note: RunFile): void {
  try {
    writeRunFile(port, note);
  } catch (error) {
    log.warn("run-file-unavailable", { errorCode: errorCodeOf(error) });
  }
}

function createListener(
  parts: Parts,
  options: NodeOptions,
  { host, needsToken, addresses, network, relay }: ListenerParts,
): {
  listener: EdgeListener;
  upgrades: WsUpgrades;
  prefixes: PrefixLimits;
  access: Access;
  waiting: WaitingSockets;
  descriptor: () => Uint8Array;
} {
  const { extraHosts = [], extraOrigins = [], trustLocalProxy = false } = options;
  const { token } = parts.state.secrets;
  const access = new Access({ host, port: addresses.port, token, extraHosts, extraOrigins });
  const prefixes = new PrefixLimits({
    handshakes: parts.limits.handshakesPerPrefix,
    maxPrefixes: parts.limits.maxPrefixes,
    limitPrivate: parts.limits.limitPrivatePrefixes,
  });
  // Whose a trusted proxy's connections are shows only in their headers.
  const waiting = new WaitingSockets(parts.limits.maxSparePerPrefix, (address) =>
    trustLocalProxy && isPrivateAddress(address) ? undefined : prefixes.of(address, parts.clock.now()),
  );
  const services = edgeServices(parts, addresses, { ...options, host }, { network, relay });
  const listener = new EdgeListener(services, prefixes);
  const upgrades = new WsUpgrades({
    listener,
    access,
    waiting,
    metrics: parts.metrics,
    needsToken,
    gate: needsToken ? undefined : network?.gate,
    ...(network ? { onGateRefused: network.gateRefused } : {}),
    addressOf: (request) => addressOf(request, trustLocalProxy),
  });
  const relays = () => relay.current !== undefined;
  const desk = new RelayDesk(services);
  network?.attach({ listener, access, waiting, openListener: !needsToken, relays, desk }, services.descriptor);
  return { listener, upgrades, prefixes, access, waiting, descriptor: services.descriptor };
}

/** In a private network, domains may be private too. */
function namesOf({ network, names }: NodeOptions, clock: Clock): NameResolver {
  return new NameResolver({ clock, ...names, file: { allowPrivate: network?.private ?? false, ...names?.file } });
}

function serve(
  server: Server,
  log: NodeLog,
  { upgrades, tunnels }: { upgrades: WsUpgrades; tunnels: Tunnels | undefined },
  routes: RouteServices,
): void {
  server.on("request", (request, response) => {
    handleHttp(routes, request, response).catch(() => {
      log.error("failed");
      response.destroy();
    });
  });
  server.on("upgrade", (request, socket, head) => {
    const takes = tunnels && request.url?.startsWith(TUNNEL_PATH) ? tunnels : upgrades;
    takes.handleUpgrade(request, socket, head);
  });
}

function asksForToken({ edge }: NodeOptions, host: string): boolean {
  return (edge ?? (isLoopbackHost(host) ? "token" : "open")) === "token";
}

function addressesOf(
  options: NodeOptions,
  host: string,
  port: number,
  { stun, front }: { stun: StunServer | undefined; front: NodeFront | undefined },
): Addresses {
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : bracketed(host);
  const own = `ws://${shown}:${port}/edge`;
  const publicUrl = front?.edgeUrl ?? options.publicEdgeUrl ?? own;
  const stunUrl = stun ? `stun:${new URL(publicUrl).hostname}:${stun.port}` : "";
  return { port, appUrl: `http://${shown}:${port}`, edgeUrl: front ? own : publicUrl, publicUrl, stunUrl };
}

function edgeServices(
  { state, limits, ...parts }: Parts,
  { publicUrl, stunUrl }: Addresses,
  options: NodeOptions & { readonly host: string },
  { network, relay }: Pick<ListenerParts, "network" | "relay">,
): EdgeServices {
  const isOpen = options.front !== undefined || !asksForToken(options, options.host);
  const { secrets, mailboxes, records, store } = state;
  const { supernodeKey, hopKey } = secrets;
  const sign = createSigner(secrets.supernodeSeed);
  const url = network && !isOpen && options.publicEdgeUrl === undefined ? "" : descriptorUrl(publicUrl);
  const fields = (): DescriptorFields => ({
    networkId: network?.overlay.networkId ?? NO_NETWORK_ID,
    supernodeKey,
    hopKey,
    dedicated: network ? options.role === "dedicated" : isOpen,
    servesApp: options.front?.serveApp !== undefined,
    relays: relay.current !== undefined,
    clients: network?.serving?.roughClients ?? 0,
    maxClients: network ? (network.serving?.maxClients ?? 0) : isOpen ? limits.maxConnections : 0,
    url,
    dht: network?.backbone.address() ?? "",
    operator: options.operator ?? "",
  });
  const own = new OwnDescriptor(parts.clock, sign, fields);
  const hopOpener = new HopOpener({
    hopKeys: [{ secret: secrets.hopSecret, publicKey: secrets.hopKey }],
    x25519: nodeX25519,
    aead: nodeAead,
    maxCachedKeys: limits.maxHopSessions,
  });
  return {
    ...parts,
    limits,
    signatures: nodeSignatures,
    hopOpener,
    sendBuffers: new SendBuffers(limits),
    mailboxes,
    records,
    store,
    sign,
    supernodeKey,
    hopKey,
    descriptor: () => own.bytes(),
    iceUrls: () => (stunUrl ? [stunUrl] : []),
    relayPass: (mailboxId) => relay.pass(mailboxId),
    backbone: network?.backbone,
    overlay: network?.overlay,
  };
}

/** Reads the counters, and hooks them up to the metrics. */
function statsOf(parts: Parts, listener: EdgeListener, loopLagMs: () => number): () => NodeStats {
  const { mailboxes, records, budget } = parts.state;
  parts.metrics.watch({
    connections: () => listener.count,
    mailboxes: () => mailboxes.count,
    records: () => records.counts,
    storeBytes: () => budget.bytes,
    loopLagMs,
    admissionShare: () => parts.admission.share,
    envelopes: () => mailboxes.counters,
  });
  const startedAt = parts.clock.now();
  return () => ({
    connections: listener.count,
    mailboxes: mailboxes.count,
    ...records.counts,
    storeBytes: budget.bytes,
    ...parts.metrics.snapshot(),
    envelopes: { ...mailboxes.counters },
    loopLagMs: loopLagMs(),
    uptimeSeconds: Math.round((parts.clock.now() - startedAt) / 1000),
  });
}

function describe({ secrets }: NodeState, { edgeUrl, stunUrl }: Addresses): object {
  return {
    protocol: "earshot.edge.1",
    supernodeKey: Buffer.from(secrets.supernodeKey).toString("hex"),
    hopKey: Buffer.from(secrets.hopKey).toString("hex"),
    edgeUrl,
    stunUrl,
  };
}
