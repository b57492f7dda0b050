/** The numbers of the promotion policy. docs/promotion.md gives the reason of each, with the field data behind it. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const KIB = 1024;
const MIB = 1024 * KIB;

export interface PromotionParams {
  // the shell's rhythm
  /** Between two steps of the policy. */
  readonly stepEveryMs: number;
  /** Between two rounds of asking others to dial back. */
  readonly measureEveryMs: number;
  // fit to become one
  /** Independent supernodes (by prefix) that must have reached this node lately. */
  readonly minDialBacks: number;
  /** How long a dial-back's word counts. */
  readonly dialBackFreshMs: number;
  /** The address as others see it has not changed for this long. */
  readonly steadyAddressMs: number;
  readonly minUptimeMs: number;
  /** Earlier sessions at the same address, each of at least `minSessionMs`, that show a node which comes back. */
  readonly minPastSessions: number;
  readonly minSessionMs: number;
  /** Instead of earlier sessions: up this long without a break. */
  readonly newcomerUptimeMs: number;
  readonly minUplinkBytesPerSecond: number;
  /** Of one core. */
  readonly maxCpuShare: number;
  /** Of the machine, used by nobody. */
  readonly minIdleCores: number;
  readonly minFreeMemoryBytes: number;
  readonly maxLoopLagMs: number;
  /** Every criterion met for this long without a break. */
  readonly fitDwellMs: number;
  // the need for one
  /** Fewer supernodes than this to be seen: more are needed, whatever their load. */
  readonly minSupernodes: number;
  /** Clients per place over all supernodes seen, whichever one is left out, above which more are needed. */
  readonly highLoad: number;
  /** The need must have been there for this long. */
  readonly needDwellMs: number;
  /** Between draws: long enough for those promoted by the last draw to be seen by the others. */
  readonly drawEveryMs: number;
  /** Chance of the first draw, doubling with each while the need lasts, up to `maxDrawChance`. */
  readonly firstDrawChance: number;
  readonly maxDrawChance: number;
  // staying one
  /** Thresholds of pressure, well above those of becoming one. */
  readonly pressedCpuShare: number;
  readonly pressedFreeMemoryBytes: number;
  readonly pressedLoopLagMs: number;
  /** Pressure for this long halves the places, or, where they cannot shrink further, ends the service. */
  readonly pressedDwellMs: number;
  /** Unreachable, or too slow an uplink, for this long ends the service. */
  readonly unfitDwellMs: number;
  /** Steps further apart than this: the machine slept, and its clients have gone. */
  readonly sleptMs: number;
  /** Others could take over this node's clients and would still be below this load, whichever one of them is left out. */
  readonly lowLoad: number;
  /** And that many others are to be seen. */
  readonly enoughSupernodes: number;
  /** Unneeded for this long before the draws of stepping down begin. */
  readonly unneededDwellMs: number;
  readonly stepDownChance: number;
  /** Serves at least this long before it may step down as unneeded; hours must leave room for it. */
  readonly minServeMs: number;
  // places
  readonly startClients: number;
  /** Never more places than this on a volunteer's node, whatever its person allows. */
  readonly maxVolunteerClients: number;
  /** Without pressure, and at least `growAtLoad` in use, for this long: twice the places. */
  readonly growEveryMs: number;
  readonly growAtLoad: number;
  /** Part of the measured uplink that may be used. */
  readonly uplinkShare: number;
  readonly bytesPerSecondPerClient: number;
  readonly storeBytesPerClient: number;
  // stepping down
  /** Clients get this long to find another home; what is kept for them stays deliverable meanwhile. */
  readonly drainMs: number;
  /** The same where consent was withdrawn. */
  readonly withdrawnDrainMs: number;
  /** Even without clients: others may still be sending newcomers. */
  readonly minDrainMs: number;
  /** Rest after a service that ended by unfitness or lack of need, doubling each time up to `maxHoldMs`. */
  readonly holdMs: number;
  readonly maxHoldMs: number;
  /** A service this long makes the next rest a first one again. */
  readonly goodServiceMs: number;
  /** Rest after the person asked for it. */
  readonly askedHoldMs: number;
}

export const DEFAULT_PROMOTION: PromotionParams = {
  stepEveryMs: 10 * SECOND,
  measureEveryMs: 10 * MINUTE,
  minDialBacks: 2,
  dialBackFreshMs: 30 * MINUTE,
  steadyAddressMs: 2 * HOUR,
  minUptimeMs: 30 * MINUTE,
  minPastSessions: 2,
  minSessionMs: HOUR,
  newcomerUptimeMs: 24 * HOUR,
  minUplinkBytesPerSecond: 64 * KIB,
  maxCpuShare: 0.3,
  minIdleCores: 0.5,
  minFreeMemoryBytes: 256 * MIB,
  maxLoopLagMs: 30,
  fitDwellMs: 10 * MINUTE,
  minSupernodes: 4,
  highLoad: 0.7,
  needDwellMs: 10 * MINUTE,
  drawEveryMs: 5 * MINUTE,
  firstDrawChance: 1 / 32,
  maxDrawChance: 1 / 2,
  pressedCpuShare: 0.6,
  pressedFreeMemoryBytes: 96 * MIB,
  pressedLoopLagMs: 100,
  pressedDwellMs: MINUTE,
  unfitDwellMs: 15 * MINUTE,
  sleptMs: 5 * MINUTE,
  lowLoad: 0.35,
  enoughSupernodes: 8,
  unneededDwellMs: 6 * HOUR,
  stepDownChance: 1 / 16,
  minServeMs: HOUR,
  startClients: 25,
  maxVolunteerClients: 800,
  growEveryMs: HOUR,
  growAtLoad: 0.5,
  uplinkShare: 0.5,
  bytesPerSecondPerClient: 256,
  storeBytesPerClient: 256 * KIB,
  drainMs: 10 * MINUTE,
  withdrawnDrainMs: 2 * MINUTE,
  minDrainMs: 30 * SECOND,
  holdMs: 30 * MINUTE,
  maxHoldMs: 24 * HOUR,
  goodServiceMs: 24 * HOUR,
  askedHoldMs: 24 * HOUR,
};
