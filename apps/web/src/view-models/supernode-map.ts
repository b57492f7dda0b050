/**
 * Where each supernode stands on the map: you in the middle, farther out the longer the round trip, side by side with
 * those of the same operator or address prefix. Coordinates are in a square from -100 to 100.
 */
import type { Neighbour } from "@earshot/core";
import { roundTripText, shortKey } from "./quantities.ts";

/** Above so many, those that stand close together are drawn as one. */
const MAX_SINGLE = 48;
const SECTORS = 12;
const BANDS = 3;
/** Bubbles that do not overlap in such a grid have at most this radius. */
const MAX_BUBBLE = 6.4;
const INNERMOST = 26;
/** Outside stand those whose round trip is not known. */
const MEASURED = 82;
const UNMEASURED = 90;
/** Beside a home; the whole name is in the label and the table. */
const MAX_NAME_CHARS = 18;
/** Round trips spread over the logarithm: 5 and 10 ms are as far apart as 100 and 200. */
const NEAREST_MS = 2;
const FARTHEST_MS = 500;
const RING_MS = [10, 50, 250] as const;

export interface MapPoint {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly kind: "promoted" | "dedicated";
  /** How many supernodes it stands for. */
  readonly count: number;
  /** 0 to 1; of all that it stands for. */
  readonly load: number;
  readonly home: boolean;
  readonly peer: boolean;
  readonly measured: boolean;
  /** Stands beside it on the map: whose it is, for homes. */
  readonly name: string;
  /** All that the drawing shows, in words. */
  readonly label: string;
  readonly radius: number;
}

export interface MapRing {
  readonly radius: number;
  readonly label: string;
}

export interface SupernodeMap {
  /** In the order in which they are drawn and the arrow keys go through them: around the middle, homes last and on top. */
  readonly points: readonly MapPoint[];
  readonly rings: readonly MapRing[];
  readonly summary: string;
}

interface Placed {
  readonly neighbour: Neighbour;
  /** 0 to 1, clockwise from the top. */
  readonly turn: number;
  readonly radius: number;
}

/** Lays out what is known; `homes` are the keys of the client's own homes. */
export function layOutMap(neighbours: readonly Neighbour[], homes: ReadonlySet<string>): SupernodeMap {
  const others = neighbours.filter(({ self }) => !self).toSorted((a, b) => compareText(sectorOf(a), sectorOf(b)));
  const placed = others.map((neighbour, index) => ({
    neighbour,
    // Half a step on, so that the rings’ labels at the top stay free.
    turn: (index + 0.5) / others.length,
    radius: radiusOf(neighbour.roundTripMs),
  }));
  const points = placed.length <= MAX_SINGLE ? placed.map((one) => pointOf([one], homes)) : aggregated(placed, homes);
  return {
    points: points.toSorted((a, b) => Number(a.home) - Number(b.home)),
    rings: RING_MS.map((ms) => ({ radius: radiusOf(ms), label: `${ms} ms` })),
    summary: summaryOf(others, homes),
  };
}

/** Operators stand together, then prefixes. */
function sectorOf({ operator, prefix, key }: Neighbour): string {
  return `${operator === "" ? "\uffff" : operator}\u0000${prefix}\u0000${key}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function radiusOf(roundTripMs: number | null): number {
  if (roundTripMs === null) return UNMEASURED;
  const within = Math.min(FARTHEST_MS, Math.max(NEAREST_MS, roundTripMs));
  const share = Math.log(within / NEAREST_MS) / Math.log(FARTHEST_MS / NEAREST_MS);
  return INNERMOST + share * (MEASURED - INNERMOST);
}

/**
 * Own homes stay single: they are what a person looks for. The others go into the cells of a grid of sectors and bands, so
 * that no two bubbles overlap; dedicated ones and promoted ones have sectors of their own.
 */
function aggregated(placed: readonly Placed[], homes: ReadonlySet<string>): MapPoint[] {
  const groups = new Map<string, Placed[]>();
  for (const cell of inCells(placed)) {
    const { key, roundTripMs } = cell.neighbour;
    const isHome = homes.has(key);
    const id = isHome ? key : `${cell.turn} ${cell.radius}`;
    groups.set(id, [...(groups.get(id) ?? []), isHome ? { ...cell, radius: radiusOf(roundTripMs) } : cell]);
  }
  return [...groups.values()].map((group) => pointOf(group, homes));
}

function inCells(placed: readonly Placed[]): Placed[] {
  const ofKind = (kind: Neighbour["kind"]) => placed.filter(({ neighbour }) => neighbour.kind === kind);
  const [dedicated, promoted] = [ofKind("dedicated"), ofKind("promoted")];
  const share = Math.round((SECTORS * dedicated.length) / placed.length);
  const least = Math.min(1, dedicated.length);
  const most = SECTORS - Math.min(1, promoted.length);
  const forDedicated = Math.min(most, Math.max(least, share));
  return [...cellsOf(dedicated, 0, forDedicated), ...cellsOf(promoted, forDedicated, SECTORS - forDedicated)];
}

/** Spread evenly over `count` sectors from `first` on. */
function cellsOf(ones: readonly Placed[], first: number, count: number): Placed[] {
  return ones.map((one, index) => {
    const sector = first + Math.floor((index * count) / ones.length);
    const band = Math.min(BANDS - 1, Math.floor(((one.radius - INNERMOST) / (MEASURED - INNERMOST)) * BANDS));
    const radius = INNERMOST + ((band + 0.5) / BANDS) * (MEASURED - INNERMOST);
    return {
      neighbour: one.neighbour,
      // One sector more than there are: the one at the top is left to the rings’ labels.
      turn: (sector + 1) / (SECTORS + 1),
      radius: one.neighbour.roundTripMs === null ? UNMEASURED : radius,
    };
  });
}

function pointOf(group: readonly Placed[], homes: ReadonlySet<string>): MapPoint {
  const [first] = group;
  if (first === undefined) throw new Error("a point stands for at least one");
  const turn = mean(group.map((one) => one.turn));
  const radius = mean(group.map((one) => one.radius));
  const all = group.map((one) => one.neighbour);
  const angle = 2 * Math.PI * turn;
  const load = loadOf(all);
  return {
    id: first.neighbour.key,
    x: Number((radius * Math.sin(angle)).toFixed(2)),
    y: Number((-radius * Math.cos(angle)).toFixed(2)),
    kind: first.neighbour.kind,
    count: group.length,
    load,
    home: homes.has(first.neighbour.key),
    peer: all.some(({ peer }) => peer),
    measured: first.neighbour.roundTripMs !== null,
    name: shortened(first.neighbour.operator || shortKey(first.neighbour.key)),
    label: labelOf(all, load, homes),
    radius: group.length === 1 ? 4.2 : Math.min(MAX_BUBBLE, 4.2 + Math.sqrt(group.length) / 2),
  };
}

function shortened(name: string): string {
  return name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS - 1)}…` : name;
}

function loadOf(all: readonly Neighbour[]): number {
  const room = sum(all.map(({ maxClients }) => maxClients));
  return room === 0 ? 0 : Math.min(1, sum(all.map(({ clients }) => clients)) / room);
}

function labelOf(all: readonly Neighbour[], load: number, homes: ReadonlySet<string>): string {
  const [first] = all;
  if (first === undefined) return "";
  const full = `${Math.round(100 * load)} % full`;
  if (all.length > 1) {
    const times = all.flatMap(({ roundTripMs }) => (roundTripMs === null ? [] : [roundTripMs]));
    const span = times.length === 0 ? "round trip not measured" : `${roundTripText(Math.min(...times))} or more away`;
    return `${all.length} ${first.kind} supernodes, ${span}, ${full} together`;
  }
  const home = homes.has(first.key) ? "Your home. " : "";
  const peer = first.peer ? ", connected" : "";
  const whose = first.operator === "" ? shortKey(first.key) : first.operator;
  return `${home}${whose}, ${first.kind}, round trip ${roundTripText(first.roundTripMs)}, ${full}${peer}`;
}

function summaryOf(others: readonly Neighbour[], homes: ReadonlySet<string>): string {
  if (others.length === 0) return "No other supernode is known yet.";
  const dedicated = others.filter(({ kind }) => kind === "dedicated").length;
  const own = others.filter(({ key }) => homes.has(key)).length;
  const whose = own === 0 ? "" : own === 1 ? "; one of them is your home" : `; ${own} of them are your homes`;
  const supernodes = others.length === 1 ? "1 supernode is" : `${others.length} supernodes are`;
  return `${supernodes} known: ${others.length - dedicated} promoted, ${dedicated} dedicated${whose}.`;
}

/** The same as a table, the nearest first. */
export function tableRows(neighbours: readonly Neighbour[], homes: ReadonlySet<string>) {
  return neighbours
    .filter(({ self }) => !self)
    .toSorted((a, b) => (a.roundTripMs ?? Number.POSITIVE_INFINITY) - (b.roundTripMs ?? Number.POSITIVE_INFINITY))
    .map((one) => ({
      key: one.key,
      name: one.operator === "" ? `Supernode ${shortKey(one.key)}` : one.operator,
      kind: one.kind,
      prefix: one.prefix,
      roundTrip: roundTripText(one.roundTripMs),
      clients: `${one.clients} of ${one.maxClients}`,
      notes: [...(homes.has(one.key) ? ["your home"] : []), ...(one.peer ? ["connected"] : [])].join(", "),
    }));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
