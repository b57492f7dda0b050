/**
 * Which supernodes hold a client's mailboxes: how many, when one is given up, and whom to take instead. Pure: the time and the
 * random numbers are handed in. docs/protocol/edge.md section 6.
 *
 * Homes are guards (as Tor's): a hostile supernode becomes somebody's home only when one is chosen, so one that works is
 * kept, and one that is lost is kept beside its replacement for hours. docs/threat-model.md, "eclipse".
 */

export interface HomesParams {
  /** Homes that work. Two, so that the next call rings while any one of them is honest and reachable. */
  readonly wanted: number;
  /** One that comes back after it was replaced is kept up to this many: fewer moves, fewer publications. */
  readonly kept: number;
  /** Held at once, lost ones included: what a record has places for. */
  readonly open: number;
  /** Lost for this long, up to twice as long, a home is replaced. A restart or a change of network is over by then. */
  readonly lostMs: number;
  /** The same for one that was chosen and never took this client: nothing is there to come back to, and nobody was told of it. */
  readonly freshMs: number;
  /** The same where no home at all is left, or where it said that it goes: every second costs calls. */
  readonly urgentMs: number;
  /** Away for this long it is given up. A volunteer's machine that sleeps over night is back before. */
  readonly forgetMs: number;
  /** Candidates that are measured, of which the nearest is taken. More would send everybody near to the same few. */
  readonly sample: number;
  /** One that could not be reached is left out for so long. */
  readonly failedMs: number;
  /** One whose places are taken up to this share counts as full. */
  readonly fullShare: number;
}

export const DEFAULT_HOMES: HomesParams = {
  wanted: 2,
  kept: 3,
  open: 4,
  lostMs: 60_000,
  freshMs: 15_000,
  urgentMs: 3_000,
  forgetMs: 6 * 3_600_000,
  sample: 3,
  failedMs: 300_000,
  fullShare: 0.95,
};

/** What spreads homes: two that share any of it may fail, or be read, together. */
export interface Whereabouts {
  /** Host, or "" where it is not known. */
  readonly address: string;
  /** IPv4 /24, IPv6 /48, or the host's name. */
  readonly prefix: string;
  /** As it calls itself, or "". */
  readonly operator: string;
}

/** A supernode that is known and not held. */
export interface HomeCandidate extends Whereabouts {
  /** Hex. */
  readonly key: string;
  /** The person's own node. */
  readonly own: boolean;
  readonly trusted: boolean;
  /** Known by the word of a home that is going, and by nothing else. */
  readonly named: boolean;
  readonly clients: number;
  /** 0: it serves its own person only. */
  readonly maxClients: number;
  readonly roundTripMs?: number;
  /** When it could not be reached last. Unix milliseconds. */
  readonly failedAt?: number;
}

/** A home that this client has, times in Unix milliseconds. */
export interface HeldHome extends Whereabouts {
  readonly key: string;
  /** The own node that serves nobody else: others may not reach it, so it is home only while there is no other. */
  readonly fallback: boolean;
  /** Its mailboxes have never been open: it may have filled up, or gone, between being measured and being asked. */
  readonly fresh: boolean;
  /** When it was connected last; 0: never. */
  readonly since: number;
  /** Since when it is away; undefined: connected. */
  readonly lostAt?: number;
  /** When it said that it goes, or the person that it is to be left. */
  readonly leavingAt?: number;
  /** In [0, 1), drawn when it was lost: not everybody who lost it moves at one moment. */
  readonly unit: number;
}

export interface HomesPlan {
  /** How many to add now. */
  readonly need: number;
  /** To be left: first out of the record, then closed. */
  readonly drop: readonly string[];
  /** To be left where a replacement was found and `open` are held, one for each, in this order. Not before: it may be back sooner. */
  readonly yields: readonly string[];
  /** When something falls due without anything happening; undefined: never. */
  readonly againInMs: number | undefined;
}

/** What to do about the homes as they are now. */
export function planHomes(held: readonly HeldHome[], now: number, params: HomesParams = DEFAULT_HOMES): HomesPlan {
  const real = held.filter(({ fallback }) => !fallback);
  const up = real.filter(({ lostAt, leavingAt }) => lostAt === undefined && leavingAt === undefined);
  const due = new Map(real.map((home) => [home, dueAt(home, up.length > 0, params)]));
  const counted = real.filter((home) => (due.get(home) as number) > now);
  const need = Math.max(0, params.wanted - counted.length);
  const drop = new Set<HeldHome>();
  const isOver = (home: HeldHome) => isGone(home, up, now, params) || (home.fresh && (due.get(home) ?? now) <= now);
  if (up.length > 0) for (const home of held) if (home.fallback || isOver(home)) drop.add(home);
  for (const home of up.toSorted((a, b) => a.since - b.since).slice(params.kept)) drop.add(home);
  // Whoever is away longest goes first.
  const away = real.filter((home) => home.lostAt !== undefined && !drop.has(home) && !counted.includes(home));
  away.sort((a, b) => (a.lostAt as number) - (b.lostAt as number));
  const left = real.filter((home) => !drop.has(home)).length;
  const times = [...due.values(), ...real.map(({ lostAt }) => (lostAt ?? Infinity) + params.forgetMs)];
  const next = Math.min(...times.filter((at) => at > now));
  return {
    need: Math.min(need, Math.max(0, params.open - left) + away.length),
    drop: [...drop].map(({ key }) => key),
    yields: away.map(({ key }) => key),
    againInMs: Number.isFinite(next) ? next - now : undefined,
  };
}

/** From when on a home no longer counts, as things are. */
function dueAt({ lostAt, leavingAt, fresh, unit }: HeldHome, othersUp: boolean, params: HomesParams): number {
  const leave = leavingAt === undefined ? Infinity : leavingAt + unit * params.urgentMs;
  const patienceMs = fresh ? params.freshMs : params.lostMs;
  const lost = lostAt === undefined ? Infinity : lostAt + (1 + unit) * (othersUp ? patienceMs : params.urgentMs);
  return Math.min(leave, lost);
}

function isGone(home: HeldHome, up: readonly HeldHome[], now: number, params: HomesParams): boolean {
  if (home.leavingAt !== undefined) return up.length >= params.wanted;
  return home.lostAt !== undefined && now - home.lostAt >= params.forgetMs;
}

/**
 * Candidates for one more home: a random few of the best kind there is. Measure them, then {@link pickHome}. The kinds: the own
 * node where it serves; trusted; any; and only then those that nobody knows of but a home that goes, because a hostile home would
 * hand its client on to its own kind. Of each kind those first that are apart from the homes held by operator and prefix; then by
 * prefix; by address; any.
 */
export function sampleHomes(
  candidates: readonly HomeCandidate[],
  held: readonly HeldHome[],
  now: number,
  unit: () => number,
  params: HomesParams = DEFAULT_HOMES,
): readonly HomeCandidate[] {
  const others = held.filter(({ fallback, leavingAt }) => !fallback && leavingAt === undefined);
  const takes = candidates.filter(
    ({ key, maxClients, clients }) =>
      maxClients > 0 && clients < maxClients * params.fullShare && !held.some((home) => home.key === key),
  );
  const works = takes.filter(({ failedAt }) => failedAt === undefined || now - failedAt >= params.failedMs);
  // None works: it may have been this device that was cut off.
  const usable = works.length > 0 ? works : takes;
  const own = usable.filter((each) => each.own);
  const trusted = usable.filter((each) => each.trusted);
  const heardOf = usable.filter((each) => !each.named);
  const from = [own, trusted, heardOf, usable].find((some) => some.length > 0) ?? [];
  return randomFew(apart(from, others), params.sample, unit);
}

/** The nearest; those that were not measured come last. Of those equally near the one with most room. */
export function pickHome(sample: readonly HomeCandidate[]): HomeCandidate | undefined {
  const near = ({ roundTripMs }: HomeCandidate) => Math.floor((roundTripMs ?? 1e9) / NEAR_MS);
  return sample.toSorted((a, b) => near(a) - near(b) || a.clients / a.maxClients - b.clients / b.maxClients)[0];
}

/** Nearer by less than this is no nearer: measurements scatter. */
const NEAR_MS = 10;

/** The largest group that shares as little as can be with the homes there are. */
function apart<T extends Whereabouts>(candidates: readonly T[], others: readonly Whereabouts[]): readonly T[] {
  const differs = (key: keyof Whereabouts) => (each: T) =>
    each[key] === "" || others.every((other) => other[key] !== each[key]);
  const byAddress = candidates.filter(differs("address"));
  const byPrefix = byAddress.filter(differs("prefix"));
  const byOperator = byPrefix.filter(differs("operator"));
  return [byOperator, byPrefix, byAddress].find((some) => some.length > 0) ?? candidates;
}

/** `count` of them at random, in random order. */
export function randomFew<T>(items: readonly T[], count: number, unit: () => number): readonly T[] {
  const left = [...items];
  const few: T[] = [];
  while (few.length < count && left.length > 0) few.push(...left.splice(Math.floor(unit() * left.length), 1));
  return few;
}

/** How {@link pickScouts} is to pick. */
export interface ScoutWishes {
  readonly count: number;
  /** Keys of the homes. */
  readonly homes: readonly string[];
  /** Those there are already. */
  readonly kept: readonly HomeCandidate[];
}

/** Supernodes to look up through: not homes where there are enough others, and of different prefixes where there are. */
export function pickScouts(
  candidates: readonly HomeCandidate[],
  { count, homes, kept }: ScoutWishes,
  now: number,
  unit: () => number,
  params: HomesParams = DEFAULT_HOMES,
): readonly HomeCandidate[] {
  const works = ({ failedAt }: HomeCandidate) => failedAt === undefined || now - failedAt >= params.failedMs;
  const rank = (each: HomeCandidate) =>
    Number(!works(each)) * 4 + Number(homes.includes(each.key)) * 2 + Number(each.own);
  const picked = [...kept];
  while (picked.length < count) {
    const left = candidates.filter(({ key }) => picked.every((each) => each.key !== key));
    const best = Math.min(...left.map(rank));
    const equal = left.filter((each) => rank(each) === best);
    const [one] = randomFew(apart(equal, picked), 1, unit);
    // A home, or one that failed, only where there is no other at all.
    if (!one || (picked.length > 0 && best >= 2)) break;
    picked.push(one);
  }
  return picked;
}
