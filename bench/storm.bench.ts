/**
 * What happens to the supernodes that are left, and to their clients, when others die: six supernode processes in a network of their own, and a
 * crowd with mailboxes at two of them each, which choose homes, wait and come back by the SDK's own code. Two are killed at once;
 * then all of them, and started again; then two of six of which one is a promoted volunteer's with the places that it begins with.
 * All on one machine: times are those of a machine that does both sides.
 */
import type { PromotionParams } from "@earshot/core";
import { OverlayNetwork, type OverlayNode } from "../test/e2e/lib/network.ts";
import { knowsOf, reports } from "../test/e2e/lib/network-volunteer.ts";
import type { Measurement } from "./measurement.ts";
import { Crowd, startSteady, type Steady } from "./storm/processes.ts";
import type { Where } from "./storm/steady-main.ts";
import { until, weather } from "./storm/storm.ts";

export const name = "storm";

/** `EARSHOT_BENCH_CLIENTS` for another size; four connections each. */
const CLIENTS = Number(process.env.EARSHOT_BENCH_CLIENTS ?? 2_000);
const SUPERNODES = 6;
const CROWD_PROCESSES = 2;
const JOINING_AT_ONCE = 64;
/** A contact may send 512 bytes as often as that, and no oftener for long. */
const STEADY_EVERY_MS = 5_000;
const PAIRS = 60;
/** What the storm is compared with. */
const CALM_MS = 30_000;
/** One machine does the work for all clients' mailboxes; admission and all else stay as in use. */
const LIMITS = { mailboxWorkBits: 4, maxConnections: 15_000 };
/** Others' numbers than in use: times before it is promoted, how many supernodes are too few, and what a machine with a crowd on it cannot show. */
const PROMOTION: Partial<PromotionParams> = {
  stepEveryMs: 1_000,
  measureEveryMs: 5_000,
  steadyAddressMs: 1_000,
  minUptimeMs: 1_000,
  newcomerUptimeMs: 2_000,
  fitDwellMs: 1_000,
  needDwellMs: 1_000,
  drawEveryMs: 1_000,
  firstDrawChance: 1,
  maxDrawChance: 1,
  minSupernodes: 2 * SUPERNODES,
  minIdleCores: 0,
  maxCpuShare: 8,
  maxLoopLagMs: 10_000,
};

export async function run(): Promise<Measurement[]> {
  return [...(await ofDedicated()), ...(await withPromoted())];
}

async function ofDedicated(): Promise<Measurement[]> {
  const network = newNetwork(SUPERNODES + 1);
  const [crowd, steady] = [new Crowd(CROWD_PROCESSES), startSteady()];
  try {
    await startDedicated(network, SUPERNODES);
    const victims = [network.supernodes[0], network.supernodes[3]] as OverlayNode[];
    const lives = network.supernodes.filter((node) => !victims.includes(node)).map(whereIs);
    const joined = await settle(network, crowd, steady, lives, CLIENTS);
    const third = await weather({
      ...{ name: "a third of six killed", network, crowd, steady },
      strike: () => killAll(victims),
    });
    // All of them again, for the next storm.
    await Promise.all(victims.map((node) => network.restart(node)));
    await network.allKnown();
    await steady.stop();
    const fleet = network.supernodes;
    const restart = await weather({
      ...{ name: "all six killed and started again", network, crowd, steady: undefined },
      strike: () => killAll(fleet),
      afterwards: async () => void (await Promise.all(fleet.map((node) => network.restart(node)))),
    });
    return [...joined, ...third, ...restart];
  } finally {
    await Promise.all([crowd.stop(), steady.stop(), network.stop()]);
  }
}

async function withPromoted(): Promise<Measurement[]> {
  const network = newNetwork(SUPERNODES + 1);
  const [crowd, steady] = [new Crowd(1), startSteady()];
  try {
    await startDedicated(network, SUPERNODES - 1);
    const promoted = await promote(network);
    const [, two, three, four, five] = network.supernodes as OverlayNode[];
    const victims = [two, five] as OverlayNode[];
    const dht = (await promoted.report()).network.dhtAddress;
    const there = { supernodeKey: promoted.supernodeKey, dht, url: "" };
    const others = [three, four].map((node) => whereIs(node as OverlayNode));
    await settle(network, crowd, steady, others, CLIENTS / 4, there);
    const rows = await weather({
      ...{ name: "two of five killed, a promoted one beside them", network, crowd, steady, promoted },
      strike: () => killAll(victims),
    });
    const { capacity, roleState } = await promoted.report();
    return [...rows, ...ofPromoted(capacity, roleState)];
  } finally {
    await Promise.all([crowd.stop(), steady.stop(), network.stop()]);
  }
}

function ofPromoted({ clients, maxClients }: { clients: number; maxClients: number }, state: string): Measurement[] {
  return [
    {
      metric: "the promoted one: connections of clients after the storm",
      measured: clients,
      unit: `of ${maxClients} places`,
      target: "no more than its places",
      note: `it is ${state}`,
    },
  ];
}

function newNetwork(nodes: number): OverlayNetwork {
  return new OverlayNetwork({ nodes, limits: LIMITS, prefixLimits: false });
}

/** And a node that stands for everybody's own. */
async function startDedicated(network: OverlayNetwork, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await network.start("dedicated", { serve: LIMITS.maxConnections, limits: LIMITS, logLevel: "warn" });
  await network.start("client", { logLevel: "warn" });
  await network.allKnown();
}

/** A volunteer's node, once it serves by what was measured and everybody knows. */
async function promote(network: OverlayNetwork): Promise<OverlayNode> {
  const options = { role: "volunteer", promotion: PROMOTION, reachable: false, logLevel: "warn" } as const;
  const volunteer = await network.start("client", options);
  await volunteer.api("PUT", "/api/consent", { given: true });
  await reports(volunteer, "the volunteer is promoted", ({ roleState }) => roleState === "serving");
  await Promise.all(network.nodes.filter((node) => node !== volunteer).map((node) => knowsOf(node, volunteer)));
  return volunteer;
}

/** The steady ones first, the crowd after them, and a while of calm. `promoted`: has steady ones too. */
async function settle(
  network: OverlayNetwork,
  crowd: Crowd,
  steady: Steady,
  lives: readonly Where[],
  clients: number,
  promoted?: Where,
): Promise<Measurement[]> {
  const around = { networkFile: network.file };
  const own = network.clients[0] as OverlayNode;
  await steady.ask({
    op: "begin",
    ...around,
    host: "127.97.0.1",
    pairs: pairsOf(lives, promoted),
    everyMs: STEADY_EVERY_MS,
  });
  const started = performance.now();
  const state = await crowd.join(clients, JOINING_AT_ONCE, { ...around, node: { url: own.url } });
  const seconds = (performance.now() - started) / 1_000;
  console.log(
    `${state.homed} of ${state.members} have two homes after ${seconds.toFixed(0)} s: ${JSON.stringify(state.at)}`,
  );
  await until(crowd, ({ homed, members }) => homed === members, "joining");
  await steady.ask({ op: "report" });
  await new Promise((resolve) => setTimeout(resolve, CALM_MS));
  const note = `joined in ${seconds.toFixed(0)} s`;
  return [{ metric: "clients with two homes of six", measured: (await crowd.state()).homed, unit: "", note }];
}

/** Around all of them, and where there is a promoted one, a few of its places. */
function pairsOf(lives: readonly Where[], promoted: Where | undefined): { from: Where; to: Where }[] {
  const around = Array.from({ length: PAIRS }, (_, i) => ({
    from: lives[i % lives.length] as Where,
    to: lives[(i + 1) % lives.length] as Where,
  }));
  if (!promoted) return around;
  return [
    ...around,
    ...Array.from({ length: 6 }, (_, i) => ({ from: lives[i % lives.length] as Where, to: promoted })),
  ];
}

function whereIs({ supernodeKey, host, port }: OverlayNode): Where {
  return { supernodeKey, dht: "", url: `ws://${host}:${port}/edge` };
}

async function killAll(nodes: readonly OverlayNode[]): Promise<readonly OverlayNode[]> {
  await Promise.all(nodes.map((node) => node.kill9()));
  return nodes;
}
