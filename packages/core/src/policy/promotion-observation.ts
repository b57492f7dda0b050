/** What the promotion policy is told about the node, its person's consent and the network. All of it is data. */
import type { ConsentLimits } from "../overlay/node-report.ts";

/** What one supernode said when it dialled back. */
export interface DialBack {
  readonly supernode: string;
  /** Its address prefix: two within one are one opinion. */
  readonly prefix: string;
  readonly at: number;
  readonly reached: boolean;
}

/** An earlier run of this node. */
export interface PastSession {
  readonly startedAt: number;
  readonly endedAt: number;
  /** As others saw it; "" where nobody said. */
  readonly address: string;
}

/** Another supernode's places, as its fresh descriptor has them: its own word. */
export interface VisibleSupernode {
  readonly clients: number;
  readonly maxClients: number;
}

export interface PromotionObservation {
  /** Unix time in milliseconds; the policy has no clock of its own. */
  readonly now: number;
  /** Local time of day, 0 up to 24, with fractions. */
  readonly hour: number;
  readonly consent: { readonly given: boolean; readonly givenAt: number; readonly limits: ConsentLimits };
  /** Dedicated: serves as long as it runs. */
  readonly pinned: boolean;
  /** When the person last asked to step down; 0 for never. */
  readonly askedAt: number;
  readonly startedAt: number;
  readonly pastSessions: readonly PastSession[];
  readonly dialBacks: readonly DialBack[];
  /** As others see it; "" while nobody has said. */
  readonly address: string;
  readonly addressSince: number;
  /** Null until measured. */
  readonly uplinkBytesPerSecond: number | null;
  readonly cpuShare: number;
  /** Cores of the machine that nobody uses; null where that cannot be told. */
  readonly idleCores: number | null;
  readonly freeMemoryBytes: number;
  readonly loopLagMs: number;
  /** Strangers' connections held. */
  readonly clients: number;
  /** Newcomers for whom there was no place, since the node was started. */
  readonly turnedAway: number;
  readonly others: readonly VisibleSupernode[];
  /** A random number in [0, 1). */
  readonly unit: number;
}

const DAY_HOURS = 24;
const HOUR_MS = 3_600_000;

/** Milliseconds until the allowed hours end: 0 outside of them, Infinity where they never do. */
export function allowedMsLeft(hour: number, { fromHour, toHour }: ConsentLimits): number {
  if (fromHour === 0 && toHour === DAY_HOURS) return Number.POSITIVE_INFINITY;
  const length = windowHours(fromHour, toHour);
  const into = (hour - fromHour + DAY_HOURS) % DAY_HOURS;
  return into < length ? (length - into) * HOUR_MS : 0;
}

/** How long the allowed hours are, in milliseconds. */
export function allowedMs({ fromHour, toHour }: ConsentLimits): number {
  return windowHours(fromHour, toHour) * HOUR_MS;
}

function windowHours(fromHour: number, toHour: number): number {
  if (fromHour === 0 && toHour === DAY_HOURS) return DAY_HOURS;
  return (toHour - fromHour + DAY_HOURS) % DAY_HOURS;
}

/** How many independent supernodes say yes, and how many no, each by its latest word. */
export function dialBackOpinions(
  dialBacks: readonly DialBack[],
  now: number,
  freshMs: number,
): { reached: number; failed: number } {
  const latest = new Map<string, DialBack>();
  for (const one of dialBacks) {
    // One from the future is from before the clock was set back.
    if (Math.abs(now - one.at) > freshMs) continue;
    const known = latest.get(one.prefix);
    if (known === undefined || known.at <= one.at) latest.set(one.prefix, one);
  }
  const reached = [...latest.values()].filter((one) => one.reached).length;
  return { reached, failed: latest.size - reached };
}

/** Clients per place, 0 where there are no places and no clients, 1 where there are only clients. */
export function loadOf({ clients, maxClients }: { clients: number; maxClients: number }): number {
  if (maxClients <= 0) return clients > 0 ? 1 : 0;
  return clients / maxClients;
}

/**
 * The load of all of them, and the least and the most that it comes to where any single one is left out: what one of them says, or
 * that it may be gone in a moment, decides nothing. `more`: clients that they would have to take besides.
 */
export function loadsOf(
  others: readonly VisibleSupernode[],
  more = 0,
): { readonly load: number; readonly least: number; readonly most: number } {
  const sums = { clients: more, maxClients: 0 };
  const held = ({ clients, maxClients }: VisibleSupernode) => Math.min(clients, maxClients);
  for (const other of others) {
    sums.clients += held(other);
    sums.maxClients += other.maxClients;
  }
  const load = loadOf(sums);
  const without = others.map((one) =>
    loadOf({ clients: sums.clients - held(one), maxClients: sums.maxClients - one.maxClients }),
  );
  return { load, least: Math.min(load, ...without), most: Math.max(load, ...without) };
}
