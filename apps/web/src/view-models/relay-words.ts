/** What a node does for calls that find no direct path, in sentences and rows. */
import type { NodeReport, RelayLending } from "@earshot/core";
import type { Row } from "./node-words.ts";
import { bytesText, countText } from "./quantities.ts";

/** The first sentence: whether it relays, and by whose word. */
export function relayTitle({ relay, relayLending }: NodeReport): string {
  if (relay !== null && !relay.own) return "Another server of its operator’s relays calls for it.";
  if (relayLending === null)
    return relay === null ? "It relays no calls." : "It relays calls: it was started as a relay.";
  if (!relayLending.given) return "Off: nobody else’s calls pass through your connection.";
  return relayLending.state === "on"
    ? "On: calls without a direct path may pass through your connection."
    : "Allowed, and not possible now.";
}

const WHY_NOT: Readonly<Record<RelayLending["state"], string | undefined>> = {
  off: undefined,
  on: undefined,
  "no-address":
    "Nobody has told your node a public address of its own yet: it may still be joining, or the connection has none. It is tried again by itself.",
  "behind-router":
    "Not reachable: your router has not let others in to it, or another router stands before that one. It takes UPnP, PCP or NAT-PMP in the router, or an address that the router hands on to this machine: see “earshot start --help”, --relay.",
  "port-taken": "Another program uses the relay’s port, 3478. It is tried again by itself.",
  failed: "The relay could not be started. It is tried again by itself; the node’s log says why.",
};

/** Why it does not run though it may. */
export function relayTrouble({ relayLending }: NodeReport): string | undefined {
  return relayLending?.given ? WHY_NOT[relayLending.state] : undefined;
}

/** What it is allowed, does now and has done. */
export function relayRows({ relay, relayLending, portMapping }: NodeReport): Row[] {
  const rows: Row[] = [];
  if (relayLending?.given) {
    const { maxAllocations, maxBytesPerSecond } = relayLending.limits;
    const opened = portMapping.ports.filter(({ use, mapped }) => use === "relayed" && mapped).length;
    const ends = opened > 0 ? Math.min(opened, maxAllocations) : maxAllocations;
    rows.push(["At most", `${countText(ends)} ends of calls, ${bytesText(maxBytesPerSecond)} a second`]);
  }
  if (relay === null) return rows;
  if (relay.own) {
    rows.push(["Now", relay.allocations === 0 ? "no call" : `${countText(relay.allocations)} ends of calls`]);
    rows.push(["So far", bytesText(relay.bytes)]);
    rows.push(["Refused", relay.refused === 1 ? "1 request" : `${countText(relay.refused)} requests`]);
  }
  rows.push(["Reached at", placesText(relay.urls)]);
  return rows;
}

/** `198.51.100.20, port 3478, by UDP and TCP; turn.example, port 443, by TLS`. */
function placesText(urls: readonly string[]): string {
  const ways = new Map<string, string[]>();
  for (const url of urls) {
    const [, scheme = "", place = url, transport = "udp"] = /^(turns?):([^?]+)(?:\?transport=(\w+))?$/.exec(url) ?? [];
    ways.set(place, [...(ways.get(place) ?? []), scheme === "turns" ? "TLS" : transport.toUpperCase()]);
  }
  return [...ways].map(([place, by]) => `${place.replace(/:(\d+)$/, ", port $1")}, by ${by.join(" and ")}`).join("; ");
}
