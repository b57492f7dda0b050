/** Every bound of the relay. docs/relay.md explains each. */
import type { Rate } from "@earshot/core";

export interface TurnLimits {
  /** Allocations at once, each a UDP port. */
  readonly maxAllocations: number;
  /** Of one credential: one for each of a device's interfaces and each way to the relay. */
  readonly maxAllocationsPerUser: number;
  /** Addresses that one allocation may exchange packets with. */
  readonly maxPeersPerAllocation: number;
  readonly maxChannelsPerAllocation: number;
  /** Longest that one may be kept alive. */
  readonly maxAllocationMs: number;
  /** Both directions together; then the allocation ends. */
  readonly maxBytesPerAllocation: number;
  /** Both directions together; packets beyond it are dropped. */
  readonly bytesPerAllocation: Rate;
  /** All allocations together. */
  readonly bytesTotal: Rate;
  /** Requests without an allocation, of one address (IPv6: /64). */
  readonly requestsPerAddress: Rate;
  readonly maxAddresses: number;
  /** TCP and TLS connections, all together and of one address. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** A connection that has no allocation by then is closed. */
  readonly connectionDueMs: number;
  /** Not taken by a TCP client's kernel yet; beyond it packets are dropped, as UDP would. */
  readonly maxBufferedBytes: number;
  /** A credential's life. */
  readonly credentialMs: number;
}

const MEBI = 1024 * 1024;

export const DEFAULT_TURN_LIMITS: TurnLimits = {
  maxAllocations: 400,
  maxAllocationsPerUser: 8,
  maxPeersPerAllocation: 4,
  maxChannelsPerAllocation: 16,
  maxAllocationMs: 8 * 3_600_000,
  maxBytesPerAllocation: 8 * 1024 * MEBI,
  bytesPerAllocation: { perSecond: 512 * 1024, burst: MEBI },
  bytesTotal: { perSecond: 4 * MEBI, burst: 8 * MEBI },
  requestsPerAddress: { perSecond: 20, burst: 100 },
  maxAddresses: 16_384,
  maxConnections: 1_000,
  maxConnectionsPerAddress: 32,
  connectionDueMs: 10_000,
  maxBufferedBytes: 256 * 1024,
  credentialMs: 3_600_000,
};
