/** Calls between every two kinds of network, in namespaces of this machine: which are direct, and how soon. Needs root. */
import { setTimeout as delay } from "node:timers/promises";
import { canBeDirect, NAT_MODES, type NatMode } from "../test/nat/lib/nat-modes.ts";
import type { Cell } from "../test/nat/lib/cell.ts";
import { Matrix } from "../test/nat/lib/matrix.ts";
import { whyNoLab } from "../test/nat/lib/namespaces.ts";
import { monotonicNow } from "../test/nat/lib/person-protocol.ts";
import { Talk } from "../test/nat/lib/talk.ts";
import { type Measurement, median } from "./measurement.ts";

export const name = "nat";

interface Called extends Cell {
  readonly from: NatMode;
  readonly to: NatMode;
}

/** One call for each cell: two minutes where all connect; one that does not takes 20 s. */
export async function run(): Promise<Measurement[]> {
  const why = whyNoLab();
  if (why !== undefined) return [{ metric: "calls in the NAT lab", measured: Number.NaN, unit: "", note: why }];
  const matrix = await Matrix.start(NAT_MODES, NAT_MODES);
  const cells: Called[] = [];
  try {
    for (const from of NAT_MODES)
      for (const to of NAT_MODES) cells.push({ from, to, ...(await matrix.call(from, to)) });
  } finally {
    await matrix.stop();
  }
  for (const cell of cells) if (cell.path !== "") console.log(`${cell.from} to ${cell.to}: ${cell.path}`);
  console.log(table(cells));
  return [...rowsOf(cells), ...(await staying())];
}

const AWAY_MS = 30_000;
/** How long it is talked before, so that nothing of the set-up is left. */
const TALK_MS = 3_000;

/** What is done to a running call; resolves when the network is there again. */
const CHANGES: readonly { readonly metric: string; readonly change: (talk: Talk) => Promise<unknown> }[] = [
  { metric: "the caller moves to another network", change: ({ lab, caller, spare }) => lab.move(caller.site, spare) },
  { metric: "the callee moves to another network", change: ({ lab, callee, spare }) => lab.move(callee.site, spare) },
  { metric: "the caller's address changes", change: ({ lab, caller }) => lab.readdress(caller.site) },
  {
    metric: "the caller's line is away for 30 s",
    change: async ({ lab, caller }) => {
      await lab.setLine(caller.site, false);
      await delay(AWAY_MS);
      await lab.setLine(caller.site, true);
    },
  },
];

/** Milliseconds until both hear the other again. */
async function staying(): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const { metric, change } of CHANGES) {
    const talk = await Talk.start("port-restricted", "address-restricted");
    try {
      await talk.call();
      await delay(TALK_MS);
      await change(talk);
      const measured = await talk.heardAgainAfter(monotonicNow());
      rows.push({ metric: `${metric}: both heard again`, measured, unit: "ms", target: "2,000 ms or less" });
    } finally {
      await talk.stop();
    }
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
      measured: outcomeIs("direct").length,
      unit: `of ${direct.length} that UDP can carry directly`,
      target: "all",
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
