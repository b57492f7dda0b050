/** What a lab tells the process of its supernodes, and what that answers. */

export interface OverlayStart {
  /** The network's file, which names nobody yet. */
  readonly network: string;
  readonly supernodes: readonly LabSupernode[];
}

export interface LabSupernode {
  readonly home: string;
  /** Of its edge, STUN and HyperDHT node, … */
  readonly host: string;
  /** … and of its relay, where it has one: both want port 443. */
  readonly relayHost?: string;
  readonly operator: string;
}

export interface OverlayAnswer {
  /** `host:port` of their HyperDHT nodes. */
  readonly bootstrap: readonly string[];
  readonly started: readonly { readonly key: string; readonly url: string }[];
}

/** Told each time: to so many clients something was given that opens the relay. */
export interface RelayPasses {
  readonly passes: number;
}
