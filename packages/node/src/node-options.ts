/** What starting a daemon takes and gives. */
import type { Clock, PromotionParams, RefusalCode } from "@earshot/core";
import type { NetworkConfig } from "./backbone/network-config.ts";
import type { NodeLimits } from "./limits.ts";
import type { NodeLog } from "./log.ts";
import type { NameFileOptions } from "./names/name-file.ts";
import type { NameResolverParts } from "./names/name-resolver.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { GatewayPlace } from "./port-mapping/open-port-mapping.ts";
import type { AutoRelayOptions, RelayRoleOptions } from "./relay/relay-role.ts";
import type { RelaySwitch } from "./relay/relay-switch.ts";
import type { NodeRoles } from "./roles/node-roles.ts";
import type { FrontOptions, PublicFront } from "./workers/public-front.ts";

/** The network to join, and where its DHT node listens. */
export interface NodeNetworkOptions extends NetworkConfig {
  /** IPv4 address to bind. Default: all. */
  readonly dhtHost?: string;
  /** UDP. Default: any free one. */
  readonly dhtPort?: number;
  /** The operator's word that the DHT node is reached at its address and port. Default: of a dedicated supernode. */
  readonly reachable?: boolean;
}

export interface NodeOptions {
  /** Folder for keys and the store; made if missing. */
  readonly home: string;
  /** Default 127.0.0.1. Anything that is not loopback makes this a public supernode, which serves no app. */
  readonly host?: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** The built web app. */
  readonly appDir?: string;
  /** `token` (default on loopback): clients need the node's token. `open` (default otherwise): anyone, within the limits. */
  readonly edge?: "token" | "open";
  /** URL under which others reach the edge listener, if it is not the local one (behind a proxy): `wss://…/edge`. */
  readonly publicEdgeUrl?: string;
  /** Further names of this node, `host` or `host:port`, as they stand in the Host header. */
  readonly extraHosts?: readonly string[];
  /** Further origins whose pages may connect, such as `https://calls.example`. */
  readonly extraOrigins?: readonly string[];
  /** Takes the client's address from the last entry of X-Forwarded-For where the peer is this machine: a proxy on it. */
  readonly trustLocalProxy?: boolean;
  /**
   * A public listener besides, of several processes: what makes a dedicated supernode. `publicEdgeUrl` is then its address, and this
   * node's own stays with its person.
   */
  readonly front?: FrontOptions;
  /** Who runs this supernode, as others are told: at most 48 bytes. */
  readonly operator?: string;
  /** Absent: the node is alone, and serves its own person and whoever knows its address. */
  readonly network?: NodeNetworkOptions;
  /** In a network. `client`, the default: serves nobody else; `volunteer`: may be promoted; `dedicated`: a supernode for good. */
  readonly role?: "client" | "volunteer" | "dedicated";
  /**
   * Asks the gateway (a home router) to let others in, in a network that is more than this machine: always, never, or, by default,
   * while its person lends it.
   */
  readonly mapPorts?: boolean;
  /** For tests, which have a gateway of their own. */
  readonly gateway?: GatewayPlace;
  /** Relays calls that find no direct path. Absent: does not. */
  readonly relay?: RelayRoleOptions | AutoRelayOptions;
  /** UDP and TCP, of a relay that a volunteer's owner turns on while the node runs. Default 3478. */
  readonly lentRelayPort?: number;
  /** Of a volunteer: other numbers than docs/promotion.md's. */
  readonly promotion?: Partial<PromotionParams>;
  readonly limits?: Partial<NodeLimits>;
  readonly clock?: Clock;
  readonly log?: NodeLog;
  /** Extra fields of `/api/info`, such as Echo's card. */
  readonly info?: () => object;
  /** How names at a domain are looked up; for tests, which have a domain of their own. */
  readonly names?: Pick<NameResolverParts, "txt"> & { readonly file?: Partial<NameFileOptions> };
  /** Leaves the note for other programs of this OS user. Default true. */
  readonly runFile?: boolean;
}

export interface NodeStats {
  readonly connections: number;
  readonly mailboxes: number;
  readonly records: number;
  readonly bundles: number;
  /** Kept for others. */
  readonly storeBytes: number;
  /** Of edge frames. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly envelopes: {
    readonly forwarded: number;
    readonly stored: number;
    readonly acknowledged: number;
    readonly expired: number;
  };
  readonly refusals: readonly (readonly [RefusalCode, number])[];
  readonly loopLagMs: number;
  readonly uptimeSeconds: number;
}

export interface RunningNode {
  /** For a person: the app's address with the token in its fragment. */
  readonly url: string;
  /** `ws://…/edge`, or the public one. */
  readonly edgeUrl: string;
  /** `stun:host:port`; empty where no UDP port could be had. */
  readonly stunUrl: string;
  readonly token: string;
  readonly supernodeKey: Uint8Array;
  readonly hopKey: Uint8Array;
  readonly port: number;
  /** The public listener, where there is one. */
  readonly front: PublicFront | undefined;
  /** What a volunteer or dedicated node in a network makes of its role. */
  readonly roles: NodeRoles | undefined;
  /** What relays at present, if anything. */
  readonly relay: RelaySwitch;
  /** The node's part in its network; undefined where it is alone. */
  readonly network: NodeNetwork | undefined;
  /** Tells clients to move, gives them the grace time, then closes everything. Safe to call twice. */
  stop(): Promise<void>;
  stats(): NodeStats;
}
