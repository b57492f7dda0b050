/** The table of supernodes with what keeps it filled and what it leaves on disk: one for each node in a network. */
import {
  type Clock,
  NO_SPREAD_LIMITS,
  networkIdOf,
  parseDhtAddress,
  type RandomSource,
  type RefusalCode,
  SPREAD_LIMITS,
  type SupernodeDescriptor,
  type SupernodeRef,
} from "@earshot/core";
import type { FoundSupernode } from "../backbone/dht-topic.ts";
import type { HostPort, NetworkConfig } from "../backbone/network-config.ts";
import { nodeSignatures } from "../crypto.ts";
import { askForSupernodes } from "./ask-list.ts";
import type { Dialer } from "./dialer.ts";
import { Discovery, type DiscoveryLimits } from "./discovery.ts";
import { saveRemembered } from "./remembered.ts";
import { type Proof, refOf, type SupernodeEntry, SupernodeTable } from "./supernode-table.ts";
import { verifySupernode } from "./verify.ts";

export interface KnownSupernodesOptions {
  readonly network: NetworkConfig;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly supernodeKey: Uint8Array;
  readonly dialer: Dialer;
  lookupSupernodes(): Promise<readonly FoundSupernode[]>;
  refused(code: RefusalCode): void;
  /** Where they are kept over a restart; nowhere if missing. */
  readonly path?: string;
  /** The disk did not take them. */
  onUnsaved?(error: unknown): void;
  readonly limits?: Partial<DiscoveryLimits>;
}

const SAVE_EVERY_MS = 5 * 60_000;

export class KnownSupernodes {
  readonly table: SupernodeTable;
  readonly discovery: Discovery;
  readonly #options: KnownSupernodesOptions;
  readonly #networkId: Uint8Array;
  #savedAt: number;

  constructor(options: KnownSupernodesOptions) {
    const { network, clock, random, dialer, supernodeKey } = options;
    const limits = network.prefixLimits ? SPREAD_LIMITS : NO_SPREAD_LIMITS;
    const networkId = networkIdOf(network.key);
    this.#options = options;
    this.#networkId = networkId;
    this.#savedAt = clock.now();
    this.table = new SupernodeTable({ ownKey: supernodeKey, limits });
    const ports = {
      clock,
      random,
      signatures: nodeSignatures,
      table: this.table,
      networkId,
      perNear: limits.perNear,
      lookup: () => options.lookupSupernodes(),
      verify: (ref: SupernodeRef) => verifySupernode({ dialer, clock, networkId }, ref),
      list: (ref: SupernodeRef) => askForSupernodes({ dialer, clock }, ref),
      refused: options.refused,
      onRound: () => this.#saveNowAndThen(),
    };
    this.discovery = new Discovery(ports, options.limits);
  }

  /** Goes on by itself from here. `remembered`: loadRemembered's. */
  start(remembered: readonly SupernodeRef[] = []): void {
    this.discovery.start(remembered);
  }

  /** Leaves those it knows for the next start. */
  stop(): void {
    this.discovery.stop();
    if (this.table.size > 0) this.#save();
  }

  find(supernodeKey: Uint8Array): SupernodeDescriptor | undefined {
    return this.table.get(supernodeKey)?.descriptor;
  }

  /** Newest proof first. */
  list(): readonly SupernodeEntry[] {
    return this.table.entries().toReversed();
  }

  /** Somebody's word that there is one: looked into in its own time. */
  consider(ref: SupernodeRef): void {
    this.discovery.suggest(ref);
  }

  /** One that has just proved to be one. */
  add(proof: Proof): void {
    this.table.add(proof, this.#options.clock.now());
  }

  #saveNowAndThen(): void {
    const now = this.#options.clock.now();
    if (this.table.size === 0 || now - this.#savedAt < SAVE_EVERY_MS) return;
    this.#savedAt = now;
    this.#save();
  }

  #save(): void {
    const { path, onUnsaved } = this.#options;
    if (path === undefined) return;
    try {
      saveRemembered(path, this.#networkId, this.list().map(refOf));
    } catch (error) {
      onUnsaved?.(error);
    }
  }
}

/** Their DHT nodes: to join through, next to the network's own. */
export function dhtAddressesOf(supernodes: readonly SupernodeRef[]): HostPort[] {
  return supernodes.flatMap(({ dht }) => {
    const address = parseDhtAddress(dht);
    return address.ok ? [address.value] : [];
  });
}
