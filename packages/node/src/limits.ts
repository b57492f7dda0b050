/** Every bound of the daemon in one place. docs/operating.md explains each; docs/protocol/edge.md section 4 the protocol's. */
import type { Rate } from "@earshot/core";

const KIB = 1024;
const HOUR_MS = 3_600_000;

export interface NodeLimits {
  // connections
  /** Edge connections held at once; more are turned away before the upgrade. */
  readonly maxConnections: number;
  /** TCP connections beyond the edge's, for pages and for handshakes under way. */
  readonly maxSpareSockets: number;
  readonly maxConnectionsPerPrefix: number;
  /** Of the spare ones: not upgraded, or not yet. */
  readonly maxSparePerPrefix: number;
  /** Handshakes admitted when the event loop is not late; admission lowers it while it is. */
  readonly handshakes: Rate;
  readonly handshakesPerPrefix: Rate;
  /** A connection that has not said hello by then is closed. */
  readonly helloTimeoutMs: number;
  /** Nothing heard for this long, pings included: closed. */
  readonly idleTimeoutMs: number;
  /** Sent and not yet taken by the peer's kernel; beyond it the connection is closed as a slow consumer. */
  readonly maxBufferedBytes: number;
  /** The same over all connections; beyond it those that hold most are closed. */
  readonly maxBufferedTotalBytes: number;
  readonly framesPerConnection: Rate;
  readonly deliverBytesPerConnection: Rate;
  /** Refused frames after which a connection is closed. */
  readonly maxRefusalsPerConnection: number;
  readonly maxMailboxesPerConnection: number;
  /** Address prefixes (/24, /48) that are remembered for their rates. */
  readonly maxPrefixes: number;
  /** Counts loopback and private addresses like any other. Off: they share one address among many, legitimately. */
  readonly limitPrivatePrefixes: boolean;
  // mailboxes
  readonly maxMailboxes: number;
  readonly maxMailboxesPerPrefix: number;
  /** A mailbox that nobody opened for this long is deleted. */
  readonly mailboxIdleDays: number;
  /** Bytes of envelopes into one mailbox: far below a call. */
  readonly bytesPerMailbox: Rate;
  /**
   * Under today's token; other days' cost four times as much. A contact holds two secrets at most and three days' tokens of
   * each, so it gets three times this: three quarters of the mailbox's rate, whatever it does.
   */
  readonly bytesPerToken: Rate;
  readonly requestsPerMailbox: Rate;
  readonly maxTokensPerMailbox: number;
  /** Tokens whose meters are kept in memory. */
  readonly maxMeteredTokens: number;
  readonly maxStoredPerMailbox: number;
  /** Under one token. Within 48 hours a contact can use ten: five days' of two secrets. */
  readonly maxStoredPerToken: number;
  readonly maxStoredBytesPerToken: number;
  readonly maxStoredRequestsPerMailbox: number;
  readonly maxStoredBytesPerMailbox: number;
  /** Envelopes and tokens. */
  readonly maxStoredBytesPerPrefix: number;
  /** Envelopes, tokens, records and bundles together. */
  readonly maxStoreBytes: number;
  readonly retentionMs: number;
  /** For a new mailbox; up to 8 more from half of maxMailboxes on. */
  readonly mailboxWorkBits: number;
  readonly requestWorkBits: number;
  // records and bundles
  readonly recordLifetimeMs: number;
  readonly maxRecords: number;
  readonly maxRecordsPerPrefix: number;
  readonly maxBundles: number;
  readonly maxBundlesPerPrefix: number;
  // hop keys
  readonly maxHopSessions: number;
  // stun
  readonly stunPerAddress: Rate;
  readonly stunTotal: Rate;
  readonly maxStunAddresses: number;
  // other supernodes
  /** Streams to other supernodes, held and being opened. */
  readonly maxPeers: number;
  /** Streams to other supernodes that are being opened. */
  readonly maxPeerDials: number;
  /** Requests that one of them has not answered yet. */
  readonly maxPendingPerPeer: number;
  /** One that nothing is asked of for this long is hung up on. */
  readonly peerIdleMs: number;
  /** Dials to supernodes that nothing is known of, on clients' word: all together. */
  readonly unknownDials: Rate;
  /** The same, for one client's connection. */
  readonly unknownDialsPerConnection: Rate;
  /** From a supernode that has proved to be one. */
  readonly framesPerPeer: Rate;
  readonly deliverBytesPerPeer: Rate;
  /** Bytes that newcomers may send to measure their uplink: of one prefix, and all together. */
  readonly probeBytesPerPrefix: Rate;
  readonly probeBytes: Rate;
  /** Dialling back whoever wants to know whether it can be reached: one prefix, and all together. */
  readonly dialBacksPerPrefix: Rate;
  readonly dialBacks: Rate;
  /** Tunnels of the node's own person, open and being opened. */
  readonly maxTunnels: number;
  // shutdown
  readonly drainGraceMs: number;
  readonly drainRetryAfterMs: number;
}

export const DEFAULT_LIMITS: NodeLimits = {
  maxConnections: 15_000,
  maxSpareSockets: 1_000,
  maxConnectionsPerPrefix: 256,
  maxSparePerPrefix: 64,
  handshakes: { perSecond: 1_000, burst: 2_000 },
  handshakesPerPrefix: { perSecond: 20, burst: 200 },
  helloTimeoutMs: 5_000,
  idleTimeoutMs: 60_000,
  maxBufferedBytes: 1024 * KIB,
  maxBufferedTotalBytes: 256 * 1024 * KIB,
  framesPerConnection: { perSecond: 50, burst: 500 },
  deliverBytesPerConnection: { perSecond: 32 * KIB, burst: 512 * KIB },
  maxRefusalsPerConnection: 100,
  maxMailboxesPerConnection: 8,
  maxPrefixes: 50_000,
  limitPrivatePrefixes: false,
  maxMailboxes: 100_000,
  maxMailboxesPerPrefix: 512,
  mailboxIdleDays: 30,
  bytesPerMailbox: { perSecond: 512, burst: 192 * KIB },
  bytesPerToken: { perSecond: 128, burst: 48 * KIB },
  requestsPerMailbox: { perSecond: 1 / 30, burst: 20 },
  maxTokensPerMailbox: 18 * 512,
  maxMeteredTokens: 100_000,
  maxStoredPerMailbox: 1_024,
  maxStoredPerToken: 64,
  maxStoredBytesPerToken: 64 * KIB,
  maxStoredRequestsPerMailbox: 50,
  maxStoredBytesPerMailbox: 1024 * KIB,
  maxStoredBytesPerPrefix: 64 * 1024 * KIB,
  maxStoreBytes: 1024 * 1024 * KIB,
  retentionMs: 48 * HOUR_MS,
  mailboxWorkBits: 14,
  requestWorkBits: 18,
  recordLifetimeMs: 48 * HOUR_MS,
  maxRecords: 100_000,
  maxRecordsPerPrefix: 2_048,
  maxBundles: 50_000,
  maxBundlesPerPrefix: 2_048,
  maxHopSessions: 100_000,
  stunTotal: { perSecond: 5_000, burst: 5_000 },
  stunPerAddress: { perSecond: 10, burst: 50 },
  maxStunAddresses: 20_000,
  maxPeers: 256,
  maxPeerDials: 32,
  maxPendingPerPeer: 128,
  peerIdleMs: 60_000,
  unknownDials: { perSecond: 10, burst: 100 },
  unknownDialsPerConnection: { perSecond: 0.1, burst: 10 },
  framesPerPeer: { perSecond: 2_000, burst: 8_000 },
  deliverBytesPerPeer: { perSecond: 4 * 1024 * KIB, burst: 16 * 1024 * KIB },
  probeBytesPerPrefix: { perSecond: (16 * 1024 * KIB) / 3_600, burst: 16 * 1024 * KIB },
  probeBytes: { perSecond: 1024 * KIB, burst: 64 * 1024 * KIB },
  dialBacksPerPrefix: { perSecond: 1 / 60, burst: 10 },
  dialBacks: { perSecond: 5, burst: 50 },
  maxTunnels: 64,
  drainGraceMs: 1_000,
  drainRetryAfterMs: 2_000,
};
