/**
 * A node's part in a network: it knows other supernodes, forwards to them, tunnels to them for its own person, and, in its
 * serving role, is one of them. Everything here is missing where the node is alone.
 */
import {
  type Clock,
  equalBytes,
  NO_SPREAD_LIMITS,
  networkIdOf,
  pickSpread,
  type Result,
  accept,
  refuse,
  SPREAD_LIMITS,
  type SupernodeDescriptor,
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
import { type Asker, Forwarder } from "./forwarder.ts";
import type { OverlayMetrics } from "./overlay-metrics.ts";
import { PeerPool, type PeerRequest } from "./peer-pool.ts";
import { verifySupernode, type VerifiedSupernode } from "./verify.ts";

/** Supernodes that have proved to be such: the table, as this needs it. */
export interface KnownSupernodes {
  find(supernodeKey: Uint8Array): SupernodeDescriptor | undefined;
  /** Newest proof first. */
  list(): readonly { readonly descriptor: SupernodeDescriptor; readonly bytes: Uint8Array }[];
  /** Somebody's word that there is one: looked into in its own time, or not. */
  consider(ref: SupernodeRef): void;
  /** A supernode that has just proved to be one. */
  add(verified: VerifiedSupernode): void;
}

export interface NodeOverlayOptions {
  readonly network: NetworkConfig;
  readonly backbone: Backbone;
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly metrics: OverlayMetrics;
  readonly supernodeKey: Uint8Array;
  readonly supernodeSeed: Uint8Array;
  /** This node has an endpoint for tunnels. */
  readonly tunnels: boolean;
  /** This node's own, signed. */
  descriptor(): Uint8Array;
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
  #known: KnownSupernodes | undefined;

  constructor(options: NodeOverlayOptions) {
    const { network, backbone, clock, limits, metrics, supernodeSeed } = options;
    this.#options = options;
    this.tunnels = options.tunnels;
    this.networkId = networkIdOf(network.key);
    const connectDht = (key: Uint8Array, hint: string, signal: AbortSignal) => backbone.connect(key, hint, { signal });
    this.dialer = createDialer(network, { clock, connectDht });
    const { descriptor } = options;
    this.pool = new PeerPool({ clock, dialer: this.dialer, descriptor, supernodeSeed }, limits);
    const known = (key: Uint8Array): SupernodeRef | undefined => this.#known?.find(key);
    const onOutcome = metrics.forwarded;
    this.#forwarder = new Forwarder({ clock, pool: this.pool, known, onOutcome }, limits.unknownDials);
    this.#dialBacks = new DialBacks(
      { clock, dialBack: (key, address, signal) => backbone.dialBack(key, address, { signal }) },
      limits,
    );
    this.#probes = new AddressBuckets(limits.probeBytesPerPrefix, limits.probeBytes, clock.now());
  }

  /** Once, before anything is asked: the table needs {@link verify}. */
  set known(known: KnownSupernodes) {
    this.#known = known;
  }

  forward(asker: Asker, ref: SupernodeRef, request: PeerRequest): Promise<Answer> {
    return this.#forwarder.forward(asker, ref, request);
  }

  async checkPeer(bytes: Uint8Array): Promise<Result<Uint8Array>> {
    const { clock } = this.#options;
    const verified = await verifyDescriptor(nodeSignatures, bytes, { networkId: this.networkId, now: clock.now() });
    if (!verified.ok) return verified;
    if (!this.isSupernode(verified.value.supernodeKey)) this.#known?.consider(refOf(verified.value));
    return accept(verified.value.supernodeKey);
  }

  isSupernode(key: Uint8Array): boolean {
    return this.#known?.find(key) !== undefined;
  }

  descriptors(most: number): readonly Uint8Array[] {
    const limits = this.#options.network.prefixLimits ? SPREAD_LIMITS : NO_SPREAD_LIMITS;
    const entries = (this.#known?.list() ?? []).map(({ descriptor, bytes }) => ({ ...descriptor, bytes }));
    return pickSpread(entries, most, { limits }).map(({ bytes }) => bytes);
  }

  takeProbe(host: string, bytes: number): number {
    return this.#probes.take(host, this.#options.clock.now(), bytes);
  }

  dialBack(host: string, dht: string, supernodeKey: Uint8Array): Promise<Answer> {
    return this.#dialBacks.answer(host, dht, supernodeKey);
  }

  /** Asks it for proof. For the table, which bounds how often. */
  verify(ref: SupernodeRef): ReturnType<typeof verifySupernode> {
    return verifySupernode({ dialer: this.dialer, clock: this.#options.clock, networkId: this.networkId }, ref);
  }

  /** Where a supernode is, once it has proved to be one; for tunnels. Never rejects. */
  async prove(ref: SupernodeRef): Promise<Result<SupernodeRef>> {
    if (equalBytes(ref.supernodeKey, this.#options.supernodeKey)) return refuse("not-allowed", "itself");
    const known = this.#known?.find(ref.supernodeKey);
    if (known) return accept(refOf(known));
    const verified = await this.verify(ref);
    if (!verified.ok) return verified;
    this.#known?.add(verified);
    // By the addresses that led there: a descriptor may name more than can be reached from here.
    return accept(ref);
  }

  close(): void {
    this.pool.close();
  }
}

function refOf({ supernodeKey, dht, url }: SupernodeRef): SupernodeRef {
  return { supernodeKey, dht, url };
}
