/** What the ways of asking a gateway for a port have in common. */
import type { PortMapping, PortUse } from "@earshot/core";

export type PortProtocol = "udp" | "tcp";
export type MappingWay = Exclude<PortMapping["way"], "">;

/** A port of ours that is to be reached from outside, under the same number. */
export interface WantedPort {
  readonly use: PortUse;
  readonly protocol: PortProtocol;
  readonly port: number;
}

export interface Mapped {
  readonly type: "mapped";
  readonly externalPort: number;
  /** IPv4, as the gateway says; "" where it does not. */
  readonly externalAddress: string;
  readonly lifetimeSeconds: number;
  /** How long the gateway has kept its mappings; undefined where it does not say. */
  readonly epochSeconds: number | undefined;
}

/** `silent`: nobody answers there, or not in this way. */
export type MapAnswer = Mapped | { readonly type: "refused" | "silent" };

/** One gateway, asked in one way. Nothing of it rejects. An aborted signal ends what is under way with `silent`. */
export interface GatewaySession {
  readonly way: MappingWay;
  map(port: WantedPort, lifetimeSeconds: number, signal: AbortSignal): Promise<MapAnswer>;
  /** Gives whether the gateway has heard it. */
  unmap(port: WantedPort, signal: AbortSignal): Promise<boolean>;
}
