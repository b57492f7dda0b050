/** Calls between every two kinds of network, in namespaces of this machine: which are direct, and how soon. Needs root. */
import { canBeDirect, NAT_MODES, type NatMode } from "../test/nat/lib/nat-modes.ts";
import type { Cell } from "../test/nat/lib/cell.ts";
import { leaveOutCoturn } from "../test/nat/lib/lab-coturn.ts";
import { Matrix } from "../test/nat/lib/matrix.ts";
import { whyNoLab } from "../test/nat/lib/namespaces.ts";
import { type Measurement, median } from "./measurement.ts";
import { chromiumCells } from "./nat/chromium-cells.ts";
import { staying } from "./nat/staying.ts";

export const name = "nat";

interface Called extends Cell {
  readonly from: NatMode;
  readonly to: NatMode;
}

/** Only what matches is measured: `EARSHOT_BENCH_ONLY=sleeps npm run bench -- nat`. `cells` are the calls between all networks. */
const ONLY = new RegExp(process.env.EARSHOT_BENCH_ONLY ?? "");
const COTURN_CALLERS = ["symmetric", "only-443"] as const;
const COTURN_CALLEES = ["symmetric"] as const;

/** Many minutes; the cells alone take one. */
export async function run(): Promise<Measurement[]> {
  const why = whyNoLab();
  if (why !== undefined) return [{ metric: "calls in the NAT lab", measured: Number.NaN, unit: "", note: why }];
  const isWanted = (metric: string) => ONLY.test(metric);
  return [
    ...(isWanted("cells") ? await everyCell() : []),
    ...(isWanted("through coturn") ? await throughCoturn() : []),
    ...(isWanted("two Chromiums") ? await chromiumCells() : []),
    ...(await staying(isWanted)),
  ];
}

/** One call for each cell: a minute where all connect; one that does not takes 20 s. */
async function everyCell(): Promise<Measurement[]> {
  const matrix = await Matrix.start(NAT_MODES, NAT_MODES);
  const cells: Called[] = [];
  try {
    for (const from of NAT_MODES)
      for (const to of NAT_MODES) cells.push({ from, to, ...(await matrix.call(from, to)) });
  } finally {
    await matrix.stop();
  }
  for (const { from, to, path, relayedForMs } of cells) {
    const first = relayedForMs > 0 ? `, relayed for the first ${relayedForMs.toFixed(0)} ms` : "";
    if (path !== "") console.log(`${from} to ${to}: ${path}${first}`);
  }
  console.log(table(cells));
  return rowsOf(cells);
}

/** Through an operator's coturn, where that is installed. */
async function throughCoturn(): Promise<Measurement[]> {
  if (leaveOutCoturn("calls through coturn")) return [];
  const [to] = COTURN_CALLEES;
  const matrix = await Matrix.start(COTURN_CALLERS, COTURN_CALLEES, "coturn");
  const rows: Measurement[] = [];
  try {
    for (const from of COTURN_CALLERS) {
      const { outcome, connectedMs } = await matrix.call(from, to);
      const metric = `through coturn, ${from} to ${to}: dial to connected`;
      rows.push({ metric, measured: connectedMs, unit: "ms", target: "connected", note: outcome });
    }
  } finally {
    await matrix.stop();
  }
  return rows;
}

function rowsOf(cells: readonly Called[]): Measurement[] {
  const outcomeIs = (outcome: string) => cells.filter((cell) => cell.outcome === outcome);
  const connected = [...outcomeIs("direct"), ...outcomeIs("relayed")];
  const direct = cells.filter(({ from, to }) => canBeDirect(from, to));
  const timesOf = (some: readonly Cell[]) => median(some.map(({ connectedMs }) => connectedMs));
  return [
    { metric: "calls that connected", measured: connected.length, unit: `of ${cells.length}`, target: "all" },
    {
      metric: "calls that were direct",
      measured: direct.filter(({ outcome }) => outcome === "direct").length,
      unit: `of ${direct.length} that UDP can carry directly`,
      target: "all",
      note: `${direct.filter(({ relayedForMs }) => relayedForMs > 0).length} of them over a relay at first`,
    },
    { metric: "dial to connected, direct, p50", measured: timesOf(outcomeIs("direct")), unit: "ms" },
    { metric: "dial to connected, relayed, p50", measured: timesOf(outcomeIs("relayed")), unit: "ms" },
    {
      metric: "dial to connected, slowest",
      measured: Math.max(...connected.map(({ connectedMs }) => connectedMs)),
      unit: "ms",
    },
  ];
}

/** Callers in rows, callees in columns: `D 250` direct after 250 ms, `R` relayed, or the word that it ended with. */
function table(cells: readonly Called[]): string {
  const text = ({ outcome, connectedMs }: Called) => {
    if (outcome === "direct" || outcome === "relayed") return `${outcome[0]?.toUpperCase()} ${connectedMs.toFixed(0)}`;
    return outcome;
  };
  const width = Math.max(...NAT_MODES.map(({ length }) => length)) + 1;
  const line = (first: string, rest: readonly string[]) => [first, ...rest].map((each) => each.padEnd(width)).join(" ");
  return [
    line("from \\ to", NAT_MODES),
    ...NAT_MODES.map((from) => line(from, cells.filter((cell) => cell.from === from).map(text))),
  ].join("\n");
}
