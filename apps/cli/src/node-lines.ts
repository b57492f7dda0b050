/** A node's report as lines for a terminal. */
import type { NodeReport, ReportedCriterion } from "@earshot/core";
import { bytesText, limitsText } from "./lend-limits.ts";
import type { Terminal } from "./terminal.ts";

/** More would push everything else off the screen; `--json` has them all. */
const MAX_NEIGHBOURS = 12;

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

/** Role, lending, criteria, load and neighbours. */
export function tellReport(report: NodeReport, terminal: Terminal): void {
  terminal.say(`${terminal.bold("Node")}  ${roleText(report)}`);
  terminal.say(`  why        ${report.roleReason}`);
  terminal.say(`  network    ${networkText(report)}`);
  terminal.say(`  lent       ${lentText(report)}`);
  const { load, capacity } = report;
  if (report.role !== "client") terminal.say(`  clients    ${capacity.clients} of ${capacity.maxClients}`);
  terminal.say(
    `  load       ${load.connections} connections, ${load.mailboxes} mailboxes, ${bytesText(load.storeBytes)} stored, ${bytesText(load.bytesIn)} in, ${bytesText(load.bytesOut)} out`,
  );
  for (const line of criteriaLines(report.criteria, terminal)) terminal.say(line);
  tellNeighbours(report, terminal);
}

function roleText({ role, roleState }: NodeReport): string {
  if (roleState === "draining") return "stepping down";
  if (role === "dedicated") return "a dedicated supernode";
  if (role === "promoted") return "a supernode";
  return roleState === "measuring" ? "being measured; serves only you" : "serves only you";
}

function networkText({ network }: NodeReport): string {
  const which = network.private ? `private network "${network.name}"` : "open network";
  if (network.state === "alone") return "none: this node is alone";
  const address = network.dhtAddress === "" ? "" : `, at ${network.dhtAddress}`;
  return `${which}, ${network.state}, ${network.dhtNodes} DHT nodes${address}`;
}

function lentText({ role, consent, network }: NodeReport): string {
  if (role === "dedicated") return "by its operator";
  if (consent.given) return limitsText(consent.limits);
  return network.state === "alone" || consent.askedBefore
    ? "no"
    : "not answered yet: earshot lend, or earshot lend --stop";
}

const MARKS = { met: "met", notMet: "NOT MET", unknown: "not measured" } as const;

function criteriaLines(criteria: readonly ReportedCriterion[], terminal: Terminal): string[] {
  if (criteria.length === 0) return [];
  const marks = criteria.map(({ met }) => (met === null ? MARKS.unknown : met ? MARKS.met : MARKS.notMet));
  const lines = table([
    ["  To be a supernode", criteria.map(({ label }) => `  ${label}`)],
    ["", marks],
    ["measured", criteria.map(({ value }) => value)],
    ["needed", criteria.map(({ needed }) => needed)],
  ]);
  return lines.map((line, index) => (index === 0 ? terminal.dim(line) : line));
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
