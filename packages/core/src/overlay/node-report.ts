/** What a node tells its own person about itself: the JSON of `GET /api/node`. docs/operating.md, "HTTP". */

export type NodeRole = "client" | "promoted" | "dedicated";
export type SupernodeKind = "promoted" | "dedicated";

/** How much of the node its owner lends. Hours are the machine's local ones, 0 to 24; 0 to 24 is always. */
export interface ConsentLimits {
  readonly maxClients: number;
  readonly maxBytesPerSecond: number;
  readonly maxStoreBytes: number;
  readonly fromHour: number;
  readonly toHour: number;
}

export interface NodeConsent {
  readonly given: boolean;
  /** The owner has answered once, either way: never ask again. */
  readonly askedBefore: boolean;
  readonly limits: ConsentLimits;
}

/** One thing that a node must show to be promoted; `met` is null where it has not been measured. */
export interface ReportedCriterion {
  readonly name: string;
  readonly label: string;
  readonly met: boolean | null;
  readonly value: string;
  readonly needed: string;
}

/** A supernode that this node knows, or the node itself. */
export interface Neighbour {
  /** Hex. */
  readonly key: string;
  readonly operator: string;
  readonly kind: SupernodeKind;
  readonly url: string;
  readonly dht: string;
  /** The address prefix it counts under. */
  readonly prefix: string;
  readonly roundTripMs: number | null;
  readonly clients: number;
  readonly maxClients: number;
  readonly lastSeenAt: number;
  readonly self: boolean;
  /** A pooled connection to it is open. */
  readonly peer: boolean;
}

export interface NodeLoad {
  readonly connections: number;
  readonly mailboxes: number;
  readonly records: number;
  readonly bundles: number;
  readonly dhtRecords: number;
  readonly storeBytes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly envelopes: {
    readonly forwarded: number;
    readonly stored: number;
    readonly acknowledged: number;
    readonly expired: number;
  };
  readonly peers: number;
  readonly tunnels: number;
  readonly loopLagMs: number;
  readonly cpuShare: number;
  readonly rssBytes: number;
  readonly uptimeSeconds: number;
}

/** What a port is for. `relay`: where clients come to a relay; `relayed`: by which it passes calls on. */
export type PortUse = "dht" | "edge" | "stun" | "relay" | "relayed";

/** What came of asking the gateway to let others in; docs/operating.md, "Behind a home router". */
export interface PortMapping {
  /**
   * `off`: not asked for. `not-needed`: this machine has a public address. `no-gateway`: nobody whom one could ask answers.
   * `refused`: it answers, and gives none of the ports, or gives them other numbers.
   */
  readonly state: "off" | "not-needed" | "asking" | "mapped" | "no-gateway" | "refused";
  readonly way: "" | "pcp" | "nat-pmp" | "upnp";
  /** IPv4; "" where none is known. */
  readonly gateway: string;
  /** IPv4, as the gateway says, whom nobody checks; "" where it does not. Where none is needed, this machine's own. */
  readonly externalAddress: string;
  /** It is one that the Internet can reach: otherwise another gateway stands before this one, and the mapping does not help. */
  readonly externalPublic: boolean;
  /** At most 40. */
  readonly ports: readonly {
    readonly use: PortUse;
    readonly protocol: "udp" | "tcp";
    readonly port: number;
    readonly mapped: boolean;
  }[];
}

/** How a node relays calls that find no direct path; docs/relay.md. */
export interface RelayReport {
  /** `turn:` and `turns:`. */
  readonly urls: readonly string[];
  /** Its own TURN server; otherwise another of its operator's, of which it knows nothing else. */
  readonly own: boolean;
  /** Ends of calls that it relays now, bytes so far, and requests it has refused: too many, malformed, or for addresses it does not send to. */
  readonly allocations: number;
  readonly bytes: number;
  readonly refused: number;
}

/** How much of a volunteer's node its owner lends to calls that find no direct path. */
export interface RelayLimits {
  /** Ends of calls at once. */
  readonly maxAllocations: number;
  /** All together, both directions. */
  readonly maxBytesPerSecond: number;
}

/** Whether a volunteer's node may relay calls, which its owner says apart from lending it as a supernode; docs/relay.md. */
export interface RelayLending {
  readonly given: boolean;
  /** It was started so (`--relay auto`): there is nothing to say about it while it runs. */
  readonly byOperator?: true;
  readonly limits: RelayLimits;
  /**
   * `off`: not allowed. `on`: it relays. Otherwise allowed, and not possible now: `no-address`: nobody has told it its address yet;
   * `behind-router`: this machine does not have the address that others see; `port-taken`; `failed`. It is tried again by itself.
   */
  readonly state: "off" | "on" | "no-address" | "behind-router" | "port-taken" | "failed";
}

export interface NodeReport {
  readonly version: 1;
  readonly network: {
    readonly name: string;
    readonly private: boolean;
    readonly state: "alone" | "joining" | "joined";
    readonly dhtAddress: string;
    readonly dhtNodes: number;
    readonly publicAddress: boolean;
  };
  readonly portMapping: PortMapping;
  /** Null where it relays no calls. */
  readonly relay: RelayReport | null;
  /** Null where its owner has nothing to say about that while it runs: it was started as a relay, or is no volunteer's. */
  readonly relayLending: RelayLending | null;
  /** Hex. */
  readonly supernodeKey: string;
  readonly operator: string;
  readonly role: NodeRole;
  readonly roleState: "off" | "measuring" | "serving" | "draining";
  /** One plain sentence. */
  readonly roleReason: string;
  readonly criteria: readonly ReportedCriterion[];
  readonly consent: NodeConsent;
  readonly capacity: { readonly clients: number; readonly maxClients: number };
  readonly load: NodeLoad;
  readonly refusals: readonly (readonly [string, number])[];
  readonly limits: { readonly maxConnections: number; readonly maxMailboxes: number; readonly maxStoreBytes: number };
  /** At most 512. */
  readonly neighbours: readonly Neighbour[];
  /** Plain sentences: what this node can and cannot see of the people it serves. */
  readonly sees: { readonly can: readonly string[]; readonly cannot: readonly string[] };
}
