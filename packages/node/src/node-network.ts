/** The node in a network: its backbone, the other supernodes, its serving role, and its person's tunnels. Missing where it is alone. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  type Clock,
  edgeGateSubprotocol,
  networkIdOf,
  parseDhtAddress,
  type RandomSource,
  type SupernodeRef,
  toHex,
} from "@earshot/core";
import { Backbone } from "./backbone/backbone.ts";
import { DEDICATED_BACKBONE_LIMITS } from "./backbone/backbone-limits.ts";
import { nodeSignatures } from "./crypto.ts";
import type { EdgeListener } from "./edge/edge-listener.ts";
import type { NodeSecrets } from "./home/node-secrets.ts";
import type { Access } from "./http/access.ts";
import type { WaitingSockets } from "./http/waiting-sockets.ts";
import type { NodeLimits } from "./limits.ts";
import { errorCodeOf, type NodeLog } from "./log.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { NodeNetworkOptions } from "./node-options.ts";
import type { RelayDesk } from "./relay/relay-desk.ts";
import { NodeOverlay } from "./supernodes/node-overlay.ts";
import { OverlayMetrics } from "./supernodes/overlay-metrics.ts";
import { loadRemembered, MAX_REMEMBERED_SUPERNODES, saveRemembered } from "./supernodes/remembered.ts";
import { Serving } from "./supernodes/serving.ts";
import { refOf } from "./supernodes/supernode-table.ts";
import { Tunnels } from "./tunnel/tunnels.ts";

/** How long a node that stops waits for the DHT to hear of it. */
const GOODBYE_MS = 1_000;

const systemRandom: RandomSource = { bytes: (length) => new Uint8Array(randomBytes(length)) };

interface Parts {
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
  readonly state: { readonly secrets: NodeSecrets };
}

export interface AttachedTo {
  readonly listener: EdgeListener;
  readonly access: Access;
  readonly waiting: WaitingSockets;
  /** The node's own listener takes strangers. */
  readonly openListener: boolean;
  /** Whether it relays calls now, and who takes those who ask for that alone. */
  readonly relays: () => boolean;
  readonly desk: RelayDesk;
}

export class NodeNetwork {
  readonly config: NodeNetworkOptions;
  readonly backbone: Backbone;
  readonly overlay: NodeOverlay;
  readonly #parts: Parts;
  readonly #metrics: OverlayMetrics;
  readonly #remembered: { readonly path: string; readonly supernodes: readonly SupernodeRef[] };
  /** As it was written last. */
  #saved = "";
  #descriptor: () => Uint8Array = () => new Uint8Array();
  #relays: () => boolean = () => false;
  #serving: Serving | undefined;
  #tunnels: Tunnels | undefined;

  /** Rejects with EarshotError `port-in-use` or `host-unavailable`. */
  static async start(
    options: NodeNetworkOptions,
    { home, dedicated }: { home: string; dedicated: boolean },
    parts: Parts,
  ): Promise<NodeNetwork> {
    const { secrets } = parts.state;
    const path = join(home, "node", "supernodes.json");
    const remembered = loadRemembered(path, networkIdOf(options.key));
    if (remembered.damaged) parts.log.warn("supernodes-forgotten");
    const { dhtHost, dhtPort = 0, reachable = dedicated } = options;
    const backbone = await Backbone.start({
      network: options,
      supernodeSeed: secrets.supernodeSeed,
      clock: parts.clock,
      random: systemRandom,
      signatures: nodeSignatures,
      refused: (code) => parts.metrics.refused(code),
      ...(dhtHost === undefined ? {} : { host: dhtHost }),
      port: dhtPort,
      serving: dedicated,
      reachable,
      ...(dedicated ? { limits: DEDICATED_BACKBONE_LIMITS } : {}),
      remembered: remembered.supernodes.flatMap(({ dht }) => {
        const address = parseDhtAddress(dht);
        return address.ok ? [address.value] : [];
      }),
    });
    return new NodeNetwork(options, backbone, parts, { path, supernodes: remembered.supernodes });
  }

  private constructor(
    config: NodeNetworkOptions,
    backbone: Backbone,
    parts: Parts,
    remembered: { readonly path: string; readonly supernodes: readonly SupernodeRef[] },
  ) {
    const { clock, limits, state, metrics } = parts;
    const { supernodeKey, supernodeSeed } = state.secrets;
    this.config = config;
    this.backbone = backbone;
    this.#parts = parts;
    this.#metrics = new OverlayMetrics(metrics.registry);
    this.overlay = new NodeOverlay({
      network: config,
      backbone,
      clock,
      limits,
      metrics: this.#metrics,
      supernodeKey,
      supernodeSeed,
      tunnels: true,
      random: systemRandom,
      descriptor: () => this.#descriptor(),
      refused: (code) => metrics.refused(code),
      onRound: () => {
        this.#remember();
        void this.#serving?.setRelaying(this.#relays()).catch(() => {});
      },
    });
    this.#remembered = remembered;
  }

  /** Sub-protocol that strangers must offer to WebSocket listeners; undefined in an open network. */
  get gate(): string | undefined {
    const { config } = this;
    return config.private ? edgeGateSubprotocol(config.key, this.#parts.state.secrets.supernodeKey) : undefined;
  }
  readonly gateRefused = (): void => this.#metrics.gateRefused();

  get serving(): Serving | undefined {
    return this.#serving;
  }
  get tunnels(): Tunnels | undefined {
    return this.#tunnels;
  }

  /** Once: what the network's parts need of the node around them. */
  attach({ listener, access, waiting, openListener, relays, desk }: AttachedTo, descriptor: () => Uint8Array): void {
    const { clock, limits } = this.#parts;
    const { overlay, backbone } = this;
    const { drainGraceMs, drainRetryAfterMs } = limits;
    this.#descriptor = descriptor;
    this.#relays = relays;
    this.#serving = new Serving({ clock, backbone, listener, desk, openListener, drainGraceMs, drainRetryAfterMs });
    const tunnels = new Tunnels({
      access,
      waiting,
      clock,
      maxTunnels: limits.maxTunnels,
      prove: (ref) => overlay.prove(ref),
      dial: (ref) => overlay.dialer.dial(ref),
      onOutcome: this.#metrics.tunnel,
    });
    this.#tunnels = tunnels;
    this.#metrics.watch({
      peers: () => overlay.pool.count,
      tunnels: () => tunnels.count,
      supernodes: () => overlay.table.size,
      dht: () => backbone.stats,
    });
    overlay.discovery.start([...this.config.supernodes, ...this.#remembered.supernodes]);
    overlay.relayDiscovery.start();
  }

  /** Serves up to so many strangers, or none (0). Resolves when those there have been sent on. */
  async setServing(maxClients: number): Promise<void> {
    await this.#serving?.set(maxClients);
  }

  /** The newest proofs, where they have changed: a few each round at most. */
  #remember(): void {
    const known = this.overlay.table.entries().toReversed().map(refOf);
    const names = known.map(({ supernodeKey, dht, url }) => `${toHex(supernodeKey)} ${dht} ${url}`);
    const text = names.slice(0, MAX_REMEMBERED_SUPERNODES).sort().join();
    if (known.length === 0 || text === this.#saved) return;
    this.#saved = text;
    try {
      saveRemembered(this.#remembered.path, this.overlay.networkId, known);
    } catch (error) {
      this.#parts.log.warn("supernodes-not-saved", { errorCode: errorCodeOf(error) });
    }
  }

  /** Before the listener is drained: no newcomers. */
  async sayGoodbye(): Promise<void> {
    this.#tunnels?.close();
    const { backbone } = this;
    const said = Promise.all([backbone.unannounce(), backbone.unannounceRelay(), backbone.unlisten()]).catch(() => {});
    let cancel: () => void = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#parts.clock.setTimer(GOODBYE_MS, resolve);
    });
    await Promise.race([said, late]);
    cancel();
  }

  /** After it. */
  async close(): Promise<void> {
    this.overlay.close();
    await this.backbone.destroy();
  }
}
