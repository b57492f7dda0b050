/**
 * A private network of real node processes on loopback. Every node has its DHT socket and its listener at an address in a /24 of
 * its own, so that the limits on addresses and prefixes hold as they do between strangers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeReport } from "@earshot/core";
import { createNetworkConfig, formatNetworkConfig, type NetworkConfig } from "@earshot/node";
import { parseMetrics } from "./daemon.ts";
import type { NetworkNodeCommand, NetworkNodeOptions, NetworkNodeStarted } from "./network-node.ts";

const MAIN = fileURLToPath(new URL("network-node.ts", import.meta.url));
const APP_FOLDER = fileURLToPath(new URL("../../../apps/web/dist/", import.meta.url));
/** Long enough for a busy machine; what is waited for comes within a second or two. */
const WAIT_LIMIT_MS = 60_000;
const POLL_MS = 100;
const STOP_LIMIT_MS = 15_000;
/** Of one supernode here. */
const CLIENTS = 200;
/** A stranger's request costs its sender a second at most; the mailbox as much as always. */
const LIMITS = { requestWorkBits: 8 };

/** `promoted`: reached over HyperDHT only, and pinned to serving; `client`: serves its own person. */
export type NodeKind = "dedicated" | "promoted" | "client";

export interface OverlayNode extends NetworkNodeStarted {
  readonly kind: NodeKind;
  readonly host: string;
  readonly pid: number;
  readonly running: boolean;
  /** Everything it has logged, at the most talkative level. */
  output(): string;
  report(): Promise<NodeReport>;
  metrics(): Promise<Map<string, number>>;
  /** Sends to its person's API. */
  api(method: string, path: string, body?: object): Promise<Response>;
  /** Looks for supernodes now. */
  findOthers(): Promise<void>;
  /** Looks now for nodes that relay and are no supernodes. */
  findRelays(): Promise<void>;
  /** Its machine is busy with something else, or no longer. */
  setBusy(busy: boolean): Promise<void>;
  /** Its machine's firewall lets everybody's datagrams in, or only those of whom the node has spoken to since. */
  setFirewall(shut: boolean): Promise<void>;
  kill9(): Promise<void>;
  /** As the init system does it: SIGTERM, and time to drain. */
  stop(): Promise<void>;
}

type Truthy<T> = Exclude<T, false | undefined | null | 0 | "">;

/** Resolves once `holds` gives something true, asked again and again; rejects with `what` after a minute. */
export async function eventually<T>(
  what: string,
  holds: () => T | Promise<T>,
  limitMs = WAIT_LIMIT_MS,
): Promise<Truthy<T>> {
  const until = performance.now() + limitMs;
  for (;;) {
    const value = await holds();
    if (value) return value as Truthy<T>;
    if (performance.now() > until) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** A process that is loaded and waits to be told what to be. */
class Loaded {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly log: string[] = [];

  constructor() {
    // Built, it starts in a third of the time: what a test run of `npm test` has made sure of.
    const source = process.env.EARSHOT_BUILT === "1" ? [] : ["--conditions=earshot-source"];
    this.child = spawn(process.execPath, ["--import", "tsx", ...source, MAIN], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.exited = once(this.child, "exit");
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => this.log.push(text));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async ask(command: NetworkNodeCommand): Promise<unknown> {
    const gone = this.exited.then(() => Promise.reject(new Error(`a node ended:\n${this.log.join("")}`)));
    const answered = once(this.child, "message");
    this.child.send(command);
    const [answer] = (await Promise.race([answered, gone])) as [{ error?: string }];
    if (answer.error !== undefined) throw new Error(`a node did not start: ${answer.error}`);
    return answer;
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (!this.running) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_LIMIT_MS);
    await this.exited;
    clearTimeout(timer);
  }
}

export interface OverlayOptions {
  /** As many nodes as will be started, so that their programs load at once. */
  readonly nodes: number;
  readonly limits?: NetworkNodeOptions["limits"];
  /** Default true. False: many come from one address here who would come from as many. */
  readonly prefixLimits?: boolean;
}

export class OverlayNetwork {
  readonly nodes: OverlayNode[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "earshot-network-"));
  readonly #config: NetworkConfig;
  readonly #loaded: Loaded[];
  readonly #all: Loaded[];
  readonly #limits: NetworkNodeOptions["limits"];
  readonly #startedWith = new Map<string, NetworkNodeOptions>();
  #count = 0;
  #bootstrap: string[] = [];

  constructor({ nodes, limits = {}, prefixLimits = true }: OverlayOptions) {
    this.#config = createNetworkConfig({ name: "e2e", prefixLimits });
    this.#loaded = Array.from({ length: nodes }, () => new Loaded());
    this.#all = [...this.#loaded];
    this.#limits = { ...LIMITS, ...limits };
  }

  /** The network's file, as things are. */
  get file(): string {
    return formatNetworkConfig({ ...this.#config, bootstrap: this.#bootstrap.map(hostPort) });
  }
  get supernodes(): OverlayNode[] {
    return this.nodes.filter(({ kind, running }) => kind !== "client" && running);
  }
  get clients(): OverlayNode[] {
    return this.nodes.filter(({ kind, running }) => kind === "client" && running);
  }

  /**
   * One more node, once it is in the network; a supernode, once it is announced in it. `workers`: a dedicated one's processes that take
   * strangers in; 0: it does so itself.
   */
  async start(
    kind: NodeKind,
    { workers = 0, ...options }: Partial<NetworkNodeOptions> & { readonly workers?: number } = {},
  ): Promise<OverlayNode> {
    const at = ++this.#count;
    const host = `127.${64 + (at >> 7)}.${at & 127}.1`;
    const full: NetworkNodeOptions = {
      home: join(this.#folder, String(at)),
      host,
      dhtHost: host,
      network: this.file,
      operator: `${kind} ${at}`,
      serve: kind === "client" ? 0 : CLIENTS,
      role: kind === "dedicated" ? "dedicated" : "client",
      edge: kind === "dedicated" ? "open" : "token",
      ...(kind === "client" ? { appDir: APP_FOLDER } : {}),
      ...(workers > 0 ? { edge: "token", front: { host, port: 0, workers } } : {}),
      ...options,
      limits: { ...this.#limits, ...(kind === "dedicated" ? { maxConnections: CLIENTS } : {}), ...options.limits },
    };
    const { node, dhtAddress } = await this.#launch(kind, full);
    this.nodes.push(node);
    const dhtPort = dhtAddress === "" ? {} : { dhtPort: hostPort(dhtAddress).port };
    const front = full.front ? { front: { ...full.front, port: node.edgePort } } : {};
    this.#startedWith.set(host, { ...full, port: node.port, ...dhtPort, ...front });
    // Not through one alone: that one may be killed.
    if (kind !== "client") this.#bootstrap = [...this.#bootstrap, dhtAddress].slice(-3);
    return node;
  }

  /** One that has ended, in a new process: its home, its addresses and ports, and what it was told of the network, as before. */
  async restart({ kind, host }: OverlayNode): Promise<OverlayNode> {
    const at = this.nodes.findIndex((node) => node.host === host);
    const { node } = await this.#launch(kind, this.#startedWith.get(host) as NetworkNodeOptions);
    this.nodes[at] = node;
    return node;
  }

  /** The supernodes one after the other, so that each finds those before it, and then the rest. */
  async startAll(kinds: readonly NodeKind[]): Promise<void> {
    for (const kind of kinds.filter((each) => each !== "client")) await this.start(kind);
    await Promise.all(kinds.filter((each) => each === "client").map((kind) => this.start(kind)));
    await this.allKnown();
  }

  /** Waits until every node knows every supernode that runs. */
  async allKnown(): Promise<void> {
    const keys = this.supernodes.map(({ supernodeKey }) => supernodeKey);
    await Promise.all(this.nodes.filter(({ running }) => running).map((node) => knows(node, keys)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((loaded) => loaded.end("SIGKILL")));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Resolves once it is in the network. */
  async #launch(kind: NodeKind, options: NetworkNodeOptions): Promise<{ node: OverlayNode; dhtAddress: string }> {
    const loaded = this.#loaded.pop() ?? this.#load();
    const host = options.dhtHost;
    const node = handleOf(kind, host, loaded, (await loaded.ask({ start: options })) as NetworkNodeStarted);
    const { network } = await eventually(`${host} joins`, async () => {
      const report = await node.report();
      return report.network.state === "joined" && (kind === "client" || report.network.dhtAddress !== "") && report;
    });
    return { node, dhtAddress: network.dhtAddress };
  }

  #load(): Loaded {
    const loaded = new Loaded();
    this.#all.push(loaded);
    return loaded;
  }
}

async function knows(node: OverlayNode, keys: readonly string[]): Promise<void> {
  await eventually(`${node.host} knows ${keys.length} supernodes`, async () => {
    const known = (await node.report()).neighbours.map(({ key }) => key);
    if (keys.every((key) => known.includes(key))) return true;
    await node.findOthers();
    return false;
  });
}

function hostPort(address: string): { host: string; port: number } {
  const [host = "", port] = address.split(":");
  return { host, port: Number(port) };
}

function handleOf(kind: NodeKind, host: string, loaded: Loaded, started: NetworkNodeStarted): OverlayNode {
  const api = (method: string, path: string, body?: object) =>
    fetch(new URL(path, started.url), {
      method,
      headers: { authorization: `Bearer ${started.token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    ...started,
    kind,
    host,
    pid: loaded.child.pid ?? 0,
    get running() {
      return loaded.running;
    },
    output: () => loaded.log.join(""),
    api,
    report: async () => (await (await api("GET", "/api/node")).json()) as NodeReport,
    metrics: async () => parseMetrics(await (await api("GET", "/metrics")).text()),
    findOthers: async () => void (await loaded.ask("round")),
    findRelays: async () => void (await loaded.ask("relays")),
    setBusy: async (busy) => void (await loaded.ask(busy ? "busy" : "idle")),
    setFirewall: async (shut) => void (await loaded.ask(shut ? "shut" : "open")),
    kill9: () => loaded.end("SIGKILL"),
    stop: () => loaded.end("SIGTERM"),
  };
}
