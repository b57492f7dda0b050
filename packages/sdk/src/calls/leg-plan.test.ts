import { expect, it } from "vitest";
import { relayInUse } from "./call-stats.ts";
import { configurationOf, type LegPlan } from "./leg-plan.ts";
import type { RelayOffer } from "./relay-source.ts";

const offer = (host: string, key: number): RelayOffer => ({
  ...{ key: new Uint8Array(32).fill(key), operator: "", urls: [`turn:${host}:443?transport=udp`] },
  ...{ username: "u", credential: "c", expiresAtMs: 1, trusted: false },
});
const plan: LegPlan = {
  stunServers: [{ urls: "stun:192.0.2.1" }],
  relays: [offer("192.0.2.10", 1), offer("192.0.2.20", 2)],
  consent: { relay: "any", video: true },
  relayOnly: false,
};

/** Statistics of a path by such a candidate of this side's. */
function pathBy(candidateType: string, address: string): RTCStatsReport {
  const entries = [
    { id: "T", type: "transport", selectedCandidatePairId: "P" },
    { id: "P", type: "candidate-pair", localCandidateId: "L" },
    { id: "L", type: "local-candidate", candidateType, address },
  ];
  return new Map(entries.map((entry) => [entry.id, entry])) as unknown as RTCStatsReport;
}

const urlsFor = (report: RTCStatsReport) =>
  configurationOf(plan, relayInUse(report)).iceServers?.map(({ urls }) => String(urls));

it("puts the relay that a path is on behind the others, and leaves the order alone where it is on none", () => {
  const [stun, first, second] = configurationOf(plan).iceServers?.map(({ urls }) => String(urls)) ?? [];
  expect(urlsFor(pathBy("relay", "192.0.2.10"))).toEqual([stun, second, first]);
  expect(urlsFor(pathBy("relay", "192.0.2.20"))).toEqual([stun, first, second]);
  expect(urlsFor(pathBy("host", "192.0.2.10"))).toEqual([stun, first, second]);
});
