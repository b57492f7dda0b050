/** What the relay's core needs of the world: the way to a client, and UDP ports to relay through. */
import type { StunAddress } from "@earshot/core";

/** One client's way to the relay: what RFC 8656 calls the 5-tuple. */
export interface TurnClient {
  /** Unique among those who are there. */
  readonly key: string;
  readonly source: StunAddress;
  /** TCP or TLS: frames are padded. */
  readonly isStream: boolean;
  /** Never throws; drops what cannot be sent. */
  send(bytes: Uint8Array): void;
  /** Its allocation is gone, for whatever reason. */
  released(): void;
}

export type OnRelayed = (data: Uint8Array, from: string, port: number) => void;

/** A UDP port of the relay's. */
export interface RelaySocket {
  readonly address: StunAddress;
  /** Called with what comes to it; before, all of it is dropped. */
  onRelayed: OnRelayed | undefined;
  /** `to`: as the system writes it. */
  send(data: Uint8Array, to: string, port: number): void;
  close(): void;
}

export type RelayFamily = 4 | 6;

/** One port; or an even one and the next (RFC 8656 section 7.2). */
export type RelayPorts = "any" | "even" | "pair";

/** Opens UDP ports: one, or two for a pair. Rejects where there are none. */
export type OpenRelaySocket = (family: RelayFamily, ports: RelayPorts) => Promise<[RelaySocket, RelaySocket?]>;
