/** A node's report in sentences and rows: everything that its page says, without the page. */
import type { ConsentLimits, NodeReport, ReportedCriterion } from "@earshot/core";
import { bytesText, countText, percentText, shortKey, spanText } from "./quantities.ts";

/** Which node this is, for an operator who has several open. */
export function nodeName({ operator, supernodeKey }: NodeReport): string {
  return operator === "" ? `Node ${shortKey(supernodeKey)}` : operator;
}

/** What stands at the top of the page. */
export function roleTitle({ role, roleState }: NodeReport): string {
  if (roleState === "draining") return "This supernode is stepping down";
  switch (role) {
    case "dedicated":
      return "This is a dedicated supernode";
    case "promoted":
      return "This node is a supernode";
    case "client":
      return roleState === "measuring" ? "This node is being measured" : "This node serves only you";
  }
}

/** What that means for whoever reads it. */
export function roleMeaning({ role, roleState, relay }: NodeReport): string {
  if (roleState === "draining") return "The people it served are moving to other supernodes; nobody’s call is cut off.";
  if (role !== "client") {
    const serves = "It keeps other people’s mailboxes and passes their sealed messages on.";
    return relay?.own
      ? `${serves} Sound and picture pass through it only where it relays a call, encrypted.`
      : `${serves} It never carries sound or picture.`;
  }
  return roleState === "measuring"
    ? "It serves only you for now. Others measure whether it can be reached and has capacity to spare."
    : "Nobody else’s messages pass through it.";
}

export function networkText({ network, neighbours }: NodeReport): string {
  const which = network.private ? `the private network “${network.name}”` : "the open network";
  switch (network.state) {
    case "alone":
      return "Not part of a network: this node is its only supernode.";
    case "joining":
      return neighbours.some(({ self }) => !self)
        ? `Joining ${which}… Supernodes are reached by their URLs alone: UDP may be blocked where this machine is.`
        : `Joining ${which}…`;
    case "joined":
      return `Part of ${which}; ${countText(network.dhtNodes)} nodes are in its routing table.`;
  }
}

export type CriterionState = "met" | "not-met" | "not-measured";

export function criterionState({ met }: ReportedCriterion): CriterionState {
  if (met === null) return "not-measured";
  return met ? "met" : "not-met";
}

const CRITERION_WORDS: Readonly<Record<CriterionState, string>> = {
  met: "Met",
  "not-met": "Not met",
  "not-measured": "Not measured yet",
};

/** What was measured, unless that is the same again in other words. */
export function criterionText(criterion: ReportedCriterion): string {
  const state = criterionState(criterion);
  const words = CRITERION_WORDS[state];
  const told = state === "not-measured" && criterion.value.startsWith("not ");
  return criterion.value === "" || told ? words : `${words}: ${criterion.value}`;
}

/** What is not met comes first, then what is not known: that is what one looks for. */
export function criteriaInOrder(criteria: readonly ReportedCriterion[]): readonly ReportedCriterion[] {
  const place = ({ met }: ReportedCriterion) => (met === false ? 0 : met === null ? 1 : 2);
  return criteria.toSorted((a, b) => place(a) - place(b));
}

/** How far along, in one sentence. */
export function criteriaSummary(criteria: readonly ReportedCriterion[]): string {
  const met = criteria.filter((one) => one.met === true).length;
  const unknown = criteria.filter((one) => one.met === null).length;
  const rest = unknown === 0 ? "" : ` ${unknown} not measured yet.`;
  return met === criteria.length ? `All ${criteria.length} are met.` : `${met} of ${criteria.length} are met.${rest}`;
}

export type Row = readonly [label: string, value: string];

/** Something that fills up towards a limit. */
export interface Gauge {
  readonly name: string;
  readonly label: string;
  readonly value: number;
  readonly max: number;
  readonly text: string;
}

/** What has a limit, each with how much of it is used. */
export function gauges({ capacity, load, limits, role }: NodeReport): Gauge[] {
  const used = (name: string, label: string, value: number, max: number, text = countText): Gauge => ({
    name,
    label,
    value: Math.min(value, max),
    max,
    text: `${text(value)} of ${text(max)}`,
  });
  return [
    ...(role === "client" ? [] : [used("clients", "Clients", capacity.clients, capacity.maxClients)]),
    used("connections", "Connections", load.connections, limits.maxConnections),
    used("mailboxes", "Mailboxes", load.mailboxes, limits.maxMailboxes),
    used("storage", "Storage kept for others", load.storeBytes, limits.maxStoreBytes, bytesText),
  ];
}

/** Counters and readings. */
export function loadRows({ load }: NodeReport): Row[] {
  const { envelopes } = load;
  return [
    ["Traffic in, out", `${bytesText(load.bytesIn)}, ${bytesText(load.bytesOut)}`],
    ["Sealed messages passed on at once", countText(envelopes.forwarded)],
    ["Kept for people who were away", countText(envelopes.stored)],
    ["Fetched by them", countText(envelopes.acknowledged)],
    ["Given up as too old", countText(envelopes.expired)],
    ["Records held", countText(load.records + load.dhtRecords)],
    ["Bundles of prekeys held", countText(load.bundles)],
    ["Connections to supernodes", countText(load.peers)],
    ["Tunnels of your own apps", countText(load.tunnels)],
    ["Processor, of one core", percentText(load.cpuShare)],
    ["Late in answering by", `${Math.round(load.loopLagMs)} ms`],
    ["Memory", bytesText(load.rssBytes)],
    ["Running for", spanText(load.uptimeSeconds)],
  ];
}

/** `from 22:00 to 7:00`, or `at any hour`. */
export function hoursText({ fromHour, toHour }: ConsentLimits): string {
  return isAlways(fromHour, toHour) ? "at any hour" : `from ${fromHour}:00 to ${toHour}:00`;
}

/** No hour is left out. */
export function isAlways(fromHour: number, toHour: number): boolean {
  return fromHour === 0 && toHour === 24;
}

export function consentText({ consent, role }: NodeReport): string {
  if (role === "dedicated") return "A dedicated supernode serves because its operator started it so.";
  if (!consent.given) return "You do not lend this node: it stays yours alone, whatever is measured.";
  const { limits } = consent;
  return `You lend this node: at most ${countText(limits.maxClients)} people, ${bytesText(limits.maxBytesPerSecond)} a second and ${bytesText(limits.maxStoreBytes)} of storage, ${hoursText(limits)}.`;
}
