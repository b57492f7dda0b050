/** One storm: what is done to a network in which everybody is at home, and how it heals. */
import type { OverlayNetwork, OverlayNode } from "../../test/e2e/lib/network.ts";
import type { Measurement } from "../measurement.ts";
import { type Crowd, type Peaks, type Steady, watchPeaks } from "./processes.ts";

const POLL_MS = 500;
const HEALED_LIMIT_MS = 600_000;
/** How often it is told how things are. */
const TELL_EVERY_MS = 20_000;

export interface StormParts {
  readonly name: string;
  readonly network: OverlayNetwork;
  readonly crowd: Crowd;
  /** Clients of those that live on; undefined where none does. */
  readonly steady: Steady | undefined;
  /** It lives on, too, and is watched apart. */
  readonly promoted?: OverlayNode;
  /** Resolves to those that have gone, and do not come back by themselves. */
  strike(): Promise<readonly OverlayNode[]>;
  /** After those who were homed there have noticed. */
  afterwards?(): Promise<void>;
}

/** Resolves once every member of the crowd has two homes again. */
export async function weather(parts: StormParts): Promise<Measurement[]> {
  const { crowd, steady, network, promoted } = parts;
  const before = await steady?.ask({ op: "report" });
  const lives = [...network.supernodes, ...(promoted ? [promoted] : [])];
  await crowd.reset();
  const shedBefore = await shedBy(lives);
  const watch = watchPeaks(() => network.supernodes.map(({ pid }) => pid));
  const promotedBefore = promoted && (await shedBy([promoted]));
  const watchPromoted = promoted && watchPeaks(() => [promoted.pid]);
  const started = performance.now();
  const gone = await parts.strike();
  const goneKeys = gone.map(({ supernodeKey }) => supernodeKey);
  // Nobody thinks any more to have a home where there is none.
  const noticed = await until(crowd, ({ at }) => goneKeys.every((key) => (at[key] ?? 0) === 0));
  await parts.afterwards?.();
  await until(crowd, ({ homed, members }) => homed === members, parts.name);
  const seconds = (performance.now() - started) / 1_000;
  const peaks = watch();
  const state = await crowd.state();
  const survivors = lives.filter(({ supernodeKey }) => !goneKeys.includes(supernodeKey));
  const shed = survivors.length > 0 ? (await shedBy(survivors)) - shedBefore : undefined;
  const dropped = survivors.reduce((total, { supernodeKey }) => total + (state.drops[supernodeKey] ?? 0), 0);
  const after = await steady?.ask({ op: "report" });
  console.log(`${parts.name}: problems ${JSON.stringify(state.problems)}, at ${JSON.stringify(state.at)}`);
  return [
    ...healing(
      parts.name,
      seconds,
      { lost: noticed.members - noticed.homed, cut: noticed.members - noticed.reachable },
      state,
    ),
    ...shedding(parts.name, state, shed),
    ...serving(parts.name, dropped, before, after),
    ...taken(parts.name, "a supernode", peaks),
    ...(watchPromoted ? taken(parts.name, "the promoted one", watchPromoted()) : []),
    ...(promoted
      ? [
          {
            metric: `${parts.name}: turned away by the promoted one`,
            measured: (await shedBy([promoted])) - (promotedBefore ?? 0),
            unit: "tries",
          },
        ]
      : []),
    { metric: `${parts.name}: mailboxes lost`, measured: state.lostMailboxes, unit: "", target: "0" },
  ];
}

type State = Awaited<ReturnType<Crowd["state"]>>;

/** Asks the crowd until it is so; rejects after ten minutes. */
export async function until(crowd: Crowd, holds: (state: State) => boolean, tell?: string): Promise<State> {
  const started = performance.now();
  let told = started;
  for (;;) {
    const state = await crowd.state();
    if (holds(state)) return state;
    const now = performance.now();
    if (now - started > HEALED_LIMIT_MS)
      throw new Error(`it does not heal: ${JSON.stringify({ ...state, twoAgainMs: 0, oneAgainMs: 0 })}`);
    if (tell && now - told > TELL_EVERY_MS) {
      told = now;
      console.log(
        `${tell}: ${state.homed} of ${state.members} have two homes after ${((now - started) / 1_000).toFixed(0)} s`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Over HTTP, from their own metrics. */
async function shedBy(nodes: readonly OverlayNode[]): Promise<number> {
  const all = await Promise.all(nodes.map((node) => node.metrics()));
  return all.reduce((sum, metrics) => sum + (metrics.get('earshot_edge_handshakes_total{outcome="shed"}') ?? 0), 0);
}

function healing(
  name: string,
  seconds: number,
  { lost, cut }: { lost: number; cut: number },
  state: State,
): Measurement[] {
  const one =
    state.oneAgainMs.length === 0 ? "" : `: ${at(state.oneAgainMs, 0.5)} s p50, ${at(state.oneAgainMs, 1)} s at most`;
  return [
    {
      metric: `${name}: every client has two homes again after`,
      measured: seconds,
      unit: "s",
      note: `${lost} of ${state.members} had fewer: half of them ${at(state.twoAgainMs, 0.5)} s, 99 % ${at(state.twoAgainMs, 0.99)} s`,
    },
    {
      metric: `${name}: clients that had no home for a while`,
      measured: Math.max(cut, state.oneAgainMs.length),
      unit: `of ${state.members}`,
      note: `until they had one${one}`,
    },
  ];
}

function shedding(name: string, { shed, failed }: State, byMetrics: number | undefined): Measurement[] {
  const told = byMetrics === undefined ? "" : `${byMetrics} by the survivors' own count; `;
  return [
    {
      metric: `${name}: tries turned away with retry-after`,
      measured: shed,
      unit: "",
      note: `${told}${failed} tries failed otherwise`,
    },
  ];
}

type Report = Awaited<ReturnType<Steady["ask"]>> | undefined;

function serving(name: string, dropped: number, before: Report, after: Report): Measurement[] {
  if (!after) return [];
  const { latenciesMs, lost, drops } = after;
  const calm = before ? `before the storm ${ms(before.latenciesMs, 0.5)} and ${ms(before.latenciesMs, 0.99)} ms` : "";
  return [
    {
      metric: `${name}: clients of the survivors dropped`,
      measured: dropped + drops,
      unit: "",
      target: "0",
    },
    {
      metric: `${name}: envelopes between survivors' clients, p50`,
      measured: ms(latenciesMs, 0.5),
      unit: "ms",
      note: `p99 ${ms(latenciesMs, 0.99)} ms; ${calm}`,
    },
    { metric: `${name}: of those lost`, measured: lost, unit: `of ${latenciesMs.length + lost}`, target: "0" },
  ];
}

function taken(name: string, whose: string, { residentBytes, cores }: Peaks): Measurement[] {
  return [
    { metric: `${name}: peak memory of ${whose}`, measured: residentBytes / 1e6, unit: "MB" },
    { metric: `${name}: peak CPU of ${whose} within a second`, measured: cores, unit: "cores" },
  ];
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const at = (valuesMs: readonly number[], share: number): string => (quantile(valuesMs, share) / 1_000).toFixed(1);
const ms = (valuesMs: readonly number[], share: number): number => Math.round(10 * quantile(valuesMs, share)) / 10;
