/** A node's report as lines for a terminal. */
import { type NodeReport, portRuns, type ReportedCriterion } from "@earshot/core";
import { bytesText, limitsText } from "./lend-limits.ts";
import type { Terminal } from "./terminal.ts";

/** More would push everything else off the screen; `--json` has them all. */
const MAX_NEIGHBOURS = 12;
const MAX_REFUSALS = 6;
const SPANS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
] as const;

type Column = readonly [head: string, cells: readonly string[]];

/** Columns side by side, each as wide as its widest cell. */
export function table(columns: readonly Column[]): string[] {
  const widths = columns.map(([head, cells]) => Math.max(head.length, ...cells.map((cell) => cell.length)));
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd();
  const count = columns[0]?.[1].length ?? 0;
  const rows = Array.from({ length: count }, (_, index) => row(columns.map(([, cells]) => cells[index] ?? "")));
  return [row(columns.map(([head]) => head)), ...rows];
}

/** All that the node's own page says, but its map: role and why, lending, load and limits, criteria, neighbours, what it sees. */
export function tellReport(report: NodeReport, terminal: Terminal): void {
  const say = (label: string, text: string): void => {
    for (const line of wrapped(text, `  ${label.padEnd(11)}`, terminal.columns)) terminal.say(line);
  };
  terminal.say(`${terminal.bold("Node")}  ${roleText(report)}`);
  say("why", report.roleReason);
  say("network", networkText(report));
  if (report.network.state === "joining") say("", reachesOthers(report) ? BY_URL_ALONE : joiningText(report.network));
  say("lent", lentText(report));
  if (report.portMapping.state !== "off") say("router", routerText(report.portMapping));
  if (report.relay !== null) say("relay", relayText(report.relay));
  const trouble = relayTrouble(report.relayLending);
  if (trouble !== undefined) say("relay", `allowed, and not possible now: ${trouble}`);
  if (report.role !== "client") say("key", report.supernodeKey);
  if (report.role !== "client") say("clients", `${report.capacity.clients} of ${report.capacity.maxClients}`);
  for (const [label, text] of loadLines(report)) say(label, text);
  for (const [code, count] of report.refusals.slice(0, MAX_REFUSALS)) say("refused", `${count} × ${code}`);
  for (const line of criteriaLines(report.criteria, terminal)) terminal.say(line);
  tellNeighbours(report, terminal);
  tellSees(report, terminal);
}

/** `open network`, `private network "lab"`. */
export function networkName(network: Pick<NodeReport["network"], "name" | "private">): string {
  return network.private ? `private network "${network.name}"` : "open network";
}

const BY_URL_ALONE =
  "It reaches supernodes by their URLs alone, over TCP, and goes on trying to join: may this machine send UDP?";

function reachesOthers({ neighbours }: NodeReport): boolean {
  return neighbours.some(({ self }) => !self);
}

/** What a node that has not found its network can do meanwhile. */
export function joiningText(network: Pick<NodeReport["network"], "private">): string {
  const who = network.private ? "No node that its file names" : "No node of the open network";
  return `${who} answers yet: is this machine online, and may it send UDP? It goes on trying. Meanwhile only people on this very node reach each other.`;
}

function loadLines({ load, limits }: NodeReport): [label: string, text: string][] {
  const { envelopes } = load;
  const held = `${load.connections} of ${limits.maxConnections} connections, ${load.mailboxes} of ${limits.maxMailboxes} mailboxes`;
  return [
    ["holds", `${held}, ${load.peers} links to supernodes`],
    [
      "storage",
      `${bytesText(load.storeBytes)} of ${bytesText(limits.maxStoreBytes)}, ${load.records + load.dhtRecords} records`,
    ],
    ["traffic", `${bytesText(load.bytesIn)} in, ${bytesText(load.bytesOut)} out`],
    [
      "messages",
      `${envelopes.forwarded} passed on at once, ${envelopes.stored} kept, ${envelopes.acknowledged} fetched, ${envelopes.expired} too old`,
    ],
    [
      "machine",
      `${Math.round(load.cpuShare * 100)} % of a core, ${Math.round(load.loopLagMs)} ms late, ${bytesText(load.rssBytes)} of memory, up ${spanText(load.uptimeSeconds)}`,
    ],
  ];
}

/** `3 min`, `5 h`, `2 d`: the largest unit that fits. */
function spanText(seconds: number): string {
  for (const [unit, length] of SPANS) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

function roleText({ role, roleState }: NodeReport): string {
  if (roleState === "draining") return "stepping down";
  if (role === "dedicated") return "a dedicated supernode";
  if (role === "promoted") return "a supernode";
  return roleState === "measuring" ? "being measured; serves only you" : "serves only you";
}

function networkText({ network }: NodeReport): string {
  if (network.state === "alone") return "none: this node is alone";
  const address = network.dhtAddress === "" ? "" : `, at ${network.dhtAddress}`;
  return `${networkName(network)}, ${network.state}, ${network.dhtNodes} DHT nodes${address}`;
}

function lentText({ role, consent, network }: NodeReport): string {
  if (role === "dedicated") return "by its operator";
  if (consent.given) return limitsText(consent.limits);
  return network.state === "alone" || consent.askedBefore
    ? "no"
    : "not answered yet: earshot lend, or earshot lend --stop";
}

/** What came of asking it to let others in. */
function routerText({ state, way, externalAddress, externalPublic, ports }: NodeReport["portMapping"]): string {
  const named = (some: typeof ports) =>
    portRuns(some)
      .map(({ protocol, first, last }) => `${protocol}/${first === last ? first : `${first}-${last}`}`)
      .join(", ");
  if (state === "not-needed") return "none needed: this machine has a public address";
  if (state === "asking") return "asked to let others in";
  const byHand = `if others cannot reach this node, forward ${named(ports)} by hand`;
  if (state === "no-gateway") return `none answers when it is asked to let others in; ${byHand}`;
  if (state === "refused") return `refuses to let others in; ${byHand}`;
  const refused = ports.filter(({ mapped }) => !mapped);
  const open = `lets others in to ${named(ports.filter(({ mapped }) => mapped))} by ${way}`;
  const address = externalAddress === "" ? "" : `, at ${externalAddress}`;
  const vain = externalAddress === "" || externalPublic ? "" : ", which is not public: it does not help";
  return `${open}${address}${vain}${refused.length === 0 ? "" : `; refuses ${named(refused)}`}`;
}

/** Why calls are not relayed though the owner allows it in the app. */
function relayTrouble(lending: NodeReport["relayLending"]): string | undefined {
  const reasons = {
    off: undefined,
    on: undefined,
    "no-address": "no public address of this node is known yet",
    "behind-router":
      "not reachable: the router has not let others in to it, or the router's own address is not the one that others see",
    "port-taken": "another program uses port 3478",
    failed: "the relay could not be started; the log says why",
  };
  return lending?.given ? reasons[lending.state] : undefined;
}

function relayText({ urls, own, allocations, bytes, refused }: NonNullable<NodeReport["relay"]>): string {
  const load = own
    ? `${allocations} ends of calls now, ${bytesText(bytes)} so far, ${refused} refused; `
    : "another server of its operator's; ";
  return `${load}${urls.join(", ")}`;
}

const MARKS = { met: "met", notMet: "NOT MET", unknown: "not measured" } as const;

function criteriaLines(criteria: readonly ReportedCriterion[], terminal: Terminal): string[] {
  if (criteria.length === 0) return [];
  const { columns } = terminal;
  const marks = criteria.map(({ met }) => (met === null ? MARKS.unknown : met ? MARKS.met : MARKS.notMet));
  const lines = table([
    ["  To be a supernode", criteria.map(({ label }) => `  ${label}`)],
    ["", marks],
    ["measured", criteria.map(({ value }) => value)],
    ["needed", criteria.map(({ needed }) => needed)],
  ]);
  if (columns === 0 || lines.every((line) => line.length <= columns))
    return lines.map((line, index) => (index === 0 ? terminal.dim(line) : line));
  const width = Math.max(...marks.map((mark) => mark.length)) + 4;
  const told = criteria.flatMap(({ label, value, needed }, index) => {
    const about = [label, ...(value === "" ? [] : [`: ${value}`]), ...(needed === "" ? [] : [` (needed: ${needed})`])];
    return wrapped(about.join(""), `  ${marks[index]}`.padEnd(width), columns);
  });
  return [terminal.dim("  To be a supernode"), ...told];
}

function tellNeighbours({ neighbours }: NodeReport, terminal: Terminal): void {
  const others = neighbours
    .filter(({ self }) => !self)
    .toSorted((a, b) => (a.roundTripMs ?? Number.POSITIVE_INFINITY) - (b.roundTripMs ?? Number.POSITIVE_INFINITY));
  if (others.length === 0) return;
  const shown = others.slice(0, MAX_NEIGHBOURS);
  const [head = "", ...rows] = table([
    ["  Supernodes", shown.map(({ key, operator }) => `  ${operator || key.slice(0, 8)}`)],
    ["kind", shown.map(({ kind }) => kind)],
    ["network", shown.map(({ prefix }) => prefix)],
    ["round trip", shown.map(({ roundTripMs }) => (roundTripMs === null ? "?" : `${Math.round(roundTripMs)} ms`))],
    ["clients", shown.map(({ clients, maxClients }) => `${clients} of ${maxClients}`)],
  ]);
  terminal.say(terminal.dim(head));
  for (const row of rows) terminal.say(row);
  if (others.length > shown.length) terminal.say(terminal.dim(`  and ${others.length - shown.length} more (--json)`));
}

function tellSees({ sees, role }: NodeReport, terminal: Terminal): void {
  if (sees.can.length + sees.cannot.length === 0) return;
  const whom = role === "client" ? "other people" : "the people it serves";
  for (const [head, sentences] of [
    [`  What it can see of ${whom}`, sees.can],
    ["  What it cannot see", sees.cannot],
  ] as const) {
    terminal.say(terminal.dim(head));
    for (const sentence of sentences)
      for (const line of wrapped(sentence, "  - ", terminal.columns)) terminal.say(line);
  }
}

/** `first` and the text, in lines of at most so many columns, indented as `first` is wide; 0: one line. */
export function wrapped(text: string, first: string, columns: number): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && columns > 0 && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = " ".repeat(first.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
