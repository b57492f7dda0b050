/** The backbone's limits and times. docs/protocol/backbone.md gives them to operators. */
import type { Rate } from "@earshot/core";

export interface BackboneLimits {
  // DHT requests of others, all kinds together
  readonly dhtRequestsPerPrefix: Rate;
  readonly dhtRequests: Rate;
  /** Prefixes whose rate is remembered; the least recently heard gives way. */
  readonly maxDhtPrefixes: number;
  // what is kept for others
  /** Per kind and generation; HyperDHT keeps two generations. A record takes about 1.2 KB. */
  readonly maxDhtRecords: number;
  readonly maxDhtRecordsPerPrefix: number;
  /** Of an address at which a supernode has proved to be: it puts the records of thousands of clients, not its own. */
  readonly maxDhtRecordsPerSupernode: number;
  readonly dhtRecordLifetimeMs: number;
  /** Of nodes announcing themselves so that they can be connected to, and of keys under topics, all together. */
  readonly maxAnnouncesPerPrefix: number;
  /** Under one topic: as many supernodes as tables take, twice over. */
  readonly maxTopicAnnouncesPerPrefix: number;
  // streams
  readonly maxDhtStreams: number;
  readonly maxDhtStreamsPerPrefix: number;
  readonly dhtHandshakes: Rate;
  readonly dhtHandshakesPerPrefix: Rate;
  /** That one prefix sends or relays, for whomever it says: an unproven word. A relay speaks for several. */
  readonly dhtHandshakesPerSender: Rate;
  readonly gateTimeoutMs: number;
  readonly streamKeepAliveMs: number;
  /** Nothing heard, not even a sign of life. */
  readonly streamTimeoutMs: number;
  // our own look-ups
  readonly lookupDeadlineMs: number;
  /** After the first valid answer, for a later one. */
  readonly lookupGraceMs: number;
  readonly putDeadlineMs: number;
  readonly connectDeadlineMs: number;
  /** Records being looked for or put, those included that go on after their answer. */
  readonly maxLookups: number;
  readonly maxFoundSupernodes: number;
  // announcing and joining
  readonly announceEveryMs: number;
  readonly joinCheckMs: number;
}

export const DEFAULT_BACKBONE_LIMITS: BackboneLimits = {
  dhtRequestsPerPrefix: { perSecond: 200, burst: 1_000 },
  dhtRequests: { perSecond: 5_000, burst: 10_000 },
  maxDhtPrefixes: 20_000,
  maxDhtRecords: 16_384,
  maxDhtRecordsPerPrefix: 4_096,
  // A quarter of what is kept: four of them that lie are needed to push everybody else's out.
  maxDhtRecordsPerSupernode: 8_192,
  dhtRecordLifetimeMs: 48 * 3_600_000,
  maxAnnouncesPerPrefix: 256,
  maxTopicAnnouncesPerPrefix: 4,
  maxDhtStreams: 2_048,
  maxDhtStreamsPerPrefix: 64,
  dhtHandshakes: { perSecond: 100, burst: 400 },
  dhtHandshakesPerPrefix: { perSecond: 5, burst: 50 },
  // A supernode is reached through at most three relays by those who have no hint.
  dhtHandshakesPerSender: { perSecond: 20, burst: 100 },
  gateTimeoutMs: 5_000,
  streamKeepAliveMs: 20_000,
  streamTimeoutMs: 60_000,
  lookupDeadlineMs: 3_000,
  lookupGraceMs: 50,
  putDeadlineMs: 5_000,
  connectDeadlineMs: 10_000,
  maxLookups: 1_024,
  maxFoundSupernodes: 256,
  announceEveryMs: 8 * 60_000,
  joinCheckMs: 30_000,
};

/** A dedicated supernode's, which has the memory: about 300 MB when all is taken, of which one supernode may take a quarter. */
export const DEDICATED_BACKBONE_LIMITS: Partial<BackboneLimits> = {
  maxDhtRecords: 131_072,
  maxDhtRecordsPerSupernode: 65_536,
};
