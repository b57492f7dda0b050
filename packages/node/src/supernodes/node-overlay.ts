/**
 * A node's part in a network: it knows other supernodes, forwards to them, tunnels to them for its own person, and, in its
 * serving role, is one of them. Everything here is missing where the node is alone.
 */
import {
  type Clock,
  decodeDescriptor,
  type EdgeSession,
  NO_SPREAD_LIMITS,
  networkIdOf,
  type RandomSource,
  type RefusalCode,
  type Result,
  accept,
  refuse,
  SPREAD_LIMITS,
  type SupernodeRef,
  verifyDescriptor,
} from "@earshot/core";
import type { Backbone } from "../backbone/backbone.ts";
import type { NetworkConfig } from "../backbone/network-config.ts";
import { nodeSignatures } from "../crypto.ts";
import type { EdgeOverlay } from "../edge/edge-services.ts";
import type { Answer } from "../edge/request-handlers.ts";
import type { NodeLimits } from "../limits.ts";
import { AddressBuckets } from "./address-buckets.ts";
import { DialBacks } from "./dial-backs.ts";
import { createDialer, type Dialer } from "./dialer.ts";
import { Discovery } from "./discovery.ts";
import { type Asker, Forwarder } from "./forwarder.ts";
import type { OverlayMetrics } from "./overlay-metrics.ts";
import { PeerPool, type PeerRequest } from "./peer-pool.ts";
import { refOf, SupernodeTable } from "./supernode-table.ts";
import { type AskPorts, listSupernodes, openSession, verifyRelay, verifySupernode } from "./verify.ts";

/** Nodes that relay and are no supernodes: as many are known as clients can make use of, and looked for without haste. */
const MAX_RELAYS_KNOWN = 64;
const RELAY_DISCOVERY = {
  ...{ roundMs: 10 * 60_000, emptyRoundMs: 2 * 60_000, verificationsPerRound: 8, verificationsAtOnce: 2 },
  ...{ renewalsPerRound: 8, listsPerRound: 0 },
};

export interface NodeOverlayOptions {
  readonly network: NetworkConfig;
  readonly backbone: Backbone;
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly metrics: OverlayMetrics;
  readonly random: RandomSource;
  readonly supernodeKey: Uint8Array;
  readonly supernodeSeed: Uint8Array;
  /** This node has an endpoint for tunnels. */
  readonly tunnels: boolean;
  /** This node's own, signed. */
  descriptor(): Uint8Array;
  /** Counts what was refused of others. */
  refused(code: RefusalCode): void;
  /** After each round of discovery. */
  onRound(): void;
}

export class NodeOverlay implements EdgeOverlay {
  readonly tunnels: boolean;
  readonly networkId: Uint8Array;
  readonly dialer: Dialer;
  readonly pool: PeerPool;
  readonly #options: NodeOverlayOptions;
  readonly #forwarder: Forwarder;
  readonly #dialBacks: DialBacks;
  readonly #probes: AddressBuckets;
  readonly table: SupernodeTable;
  readonly discovery: Discovery;
  /** Those that relay calls and are no supernodes: told to clients, and to be tunnelled to. */
  readonly relayTable: SupernodeTable;
  readonly relayDiscovery: Discovery;

  constructor(options: NodeOverlayOptions) {
    const { network, backbone, clock, limits, metrics, supernodeSeed } = options;
    this.#options = options;
    this.tunnels = options.tunnels;
    this.networkId = networkIdOf(network.key);
    const connectDht = (key: Uint8Array, hint: string, signal: AbortSignal) => backbone.connect(key, hint, { signal });
    this.dialer = createDialer(network, { clock, connectDht });
    const { descriptor } = options;
    this.pool = new PeerPool({ clock, dialer: this.dialer, descriptor, supernodeSeed }, limits);
    const spread = network.prefixLimits ? SPREAD_LIMITS : NO_SPREAD_LIMITS;
    this.table = new SupernodeTable({ ownKey: options.supernodeKey, limits: spread });
    backbone.raiseQuotas((host) => this.table.isAt(host));
    backbone.keepRecordsAt(() => this.table.provenDht());
    this.discovery = this.#createDiscovery(spread.perNear);
    this.relayTable = new SupernodeTable({ ownKey: options.supernodeKey, limits: spread, max: MAX_RELAYS_KNOWN });
    this.relayDiscovery = this.#createRelayDiscovery(spread.perNear);
    const known = (key: Uint8Array): SupernodeRef | undefined => this.table.refOf(key);
    const onOutcome = metrics.forwarded;
    const onLost = (key: Uint8Array) => this.discovery.doubt(key);
    this.#forwarder = new Forwarder({ clock, pool: this.pool, known, onOutcome, onLost }, limits.unknownDials);
    this.#dialBacks = new DialBacks(
      { clock, dialBack: (key, address, signal) => backbone.dialBack(key, address, { signal }) },
      limits,
    );
    this.#probes = new AddressBuckets(limits.probeBytesPerPrefix, limits.probeBytes, clock.now());
  }

  forward(asker: Asker, ref: SupernodeRef, request: PeerRequest): Promise<Answer> {
    return this.#forwarder.forward(asker, ref, request);
  }

  async checkPeer(bytes: Uint8Array): Promise<Result<Uint8Array>> {
    const { clock } = this.#options;
    const verified = await verifyDescriptor(nodeSignatures, bytes, { networkId: this.networkId, now: clock.now() });
    if (!verified.ok) return verified;
    this.discovery.suggest(refOf({ descriptor: verified.value }));
    return accept(verified.value.supernodeKey);
  }

  isSupernode(key: Uint8Array): boolean {
    return this.table.has(key);
  }

  isSupernodeAt(host: string): boolean {
    return this.table.isAt(host);
  }

  descriptors(most: number): readonly Uint8Array[] {
    return this.table.descriptors(most);
  }

  /** A few of those that relay and are no supernodes, others each time. */
  relayDescriptors(most: number): readonly Uint8Array[] {
    return this.relayTable.descriptors(most, this.#options.random);
  }

  takeProbe(host: string, bytes: number): number {
    return this.#probes.take(host, this.#options.clock.now(), bytes);
  }

  dialBack(host: string, dht: string, supernodeKey: Uint8Array): Promise<Answer> {
    return this.#dialBacks.answer(host, dht, supernodeKey);
  }

  /** Where a supernode, or a relay that is none, is, once it has proved to be one; for tunnels. Never rejects. */
  async prove(ref: SupernodeRef): Promise<Result<SupernodeRef>> {
    if (this.table.isOwn(ref.supernodeKey)) return refuse("not-allowed", "itself");
    const known = this.table.refOf(ref.supernodeKey) ?? this.relayTable.refOf(ref.supernodeKey);
    if (known) return accept(known);
    // By the addresses that led there: its descriptor may name others, which need not be reached from here.
    return (await this.discovery.verifyNow(ref)) ? accept(ref) : refuse("unknown-supernode");
  }

  /** A greeted session, for measuring: over HyperDHT alone, so that we are seen at our HyperDHT address. Rejects. */
  async openDhtSession(ref: SupernodeRef): Promise<EdgeSession> {
    return (await openSession(this.#asking, { ...ref, url: "" })).session;
  }

  close(): void {
    this.discovery.stop();
    this.relayDiscovery.stop();
    this.pool.close();
  }

  get #asking(): AskPorts {
    return { dialer: this.dialer, clock: this.#options.clock, networkId: this.networkId };
  }

  #createDiscovery(perNear: number): Discovery {
    const { clock, random, backbone, refused, onRound } = this.#options;
    return new Discovery({
      clock,
      random,
      signatures: nodeSignatures,
      table: this.table,
      networkId: this.networkId,
      perNear,
      lookup: () => backbone.lookupSupernodes(),
      verify: (ref) => verifySupernode(this.#asking, ref),
      list: async (ref) => this.#withoutRelays(await listSupernodes(this.#asking, ref)),
      refused,
      onRound,
    });
  }

  /** What a supernode names as no supernode is looked into as a relay. */
  #withoutRelays(list: readonly Uint8Array[]): readonly Uint8Array[] {
    return list.filter((bytes) => {
      const decoded = decodeDescriptor(bytes);
      if (!decoded.ok || decoded.value.descriptor.maxClients > 0) return true;
      if (decoded.value.descriptor.relays) this.relayDiscovery.suggest(refOf(decoded.value));
      return false;
    });
  }

  #createRelayDiscovery(perNear: number): Discovery {
    const { clock, random, backbone, refused } = this.#options;
    const ports = {
      ...{
        clock,
        random,
        refused,
        perNear,
        signatures: nodeSignatures,
        table: this.relayTable,
        networkId: this.networkId,
      },
      lookup: () => backbone.lookupRelays(),
      verify: (ref: SupernodeRef) => verifyRelay(this.#asking, ref),
      list: async () => [],
    };
    return new Discovery(ports, RELAY_DISCOVERY);
  }
}
