import type { Candidate } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { LegRelays, type RelayRenewal } from "./leg-relays.ts";
import type { RelayOffer } from "./relay-source.ts";

const offer = (n: number, changes: Partial<RelayOffer> = {}): RelayOffer => ({
  ...{ key: new Uint8Array(32).fill(n), operator: `operator ${n}`, urls: [`turn:192.0.2.${n}:3478?transport=udp`] },
  ...{ username: "u", credential: "c", expiresAtMs: 0, trusted: false, ...changes },
});
const [ONE, TWO, THREE] = [offer(1, { roundTripMs: 45 }), offer(2), offer(3)] as [RelayOffer, RelayOffer, RelayOffer];
const relayed = (address: string): Candidate => ({
  ...{ foundation: "1", transport: "udp", priority: 1, address, port: 9, type: "relay" },
  ...{ relatedAddress: null, relatedPort: null, tcpType: null, relay: null },
});

let clock: VirtualClock;
let wanted: RelayRenewal | undefined;
let there: readonly RelayOffer[];
let relays: LegRelays;
beforeEach(() => {
  clock = new VirtualClock();
  there = [];
  relays = new LegRelays(clock, (asked) => {
    wanted = asked;
    return [...asked.kept, ...there];
  });
  begin([ONE, TWO]);
});

function begin(offers: readonly RelayOffer[], allowed = true): void {
  const consent = { relay: "any", video: true } as const;
  relays.begin({ stunServers: [], relays: offers, consent, relayOnly: false }, allowed);
  relays.gathering();
}

it("says on which relay a candidate is: by its URL, else by its address, else not where there are two", () => {
  const place = (address: string, url?: string) => relays.labelled(relayed(address), url).relay;
  expect(place("198.51.100.1", "turn:192.0.2.2:3478?transport=udp")).toBe(1);
  expect(place("192.0.2.1")).toBe(0);
  expect(place("198.51.100.1")).toBeNull();
  begin([TWO]);
  expect(place("198.51.100.1")).toBe(0);
  const direct = { ...relayed("192.0.2.1"), type: "host" as const };
  expect(relays.labelled(direct, undefined)).toBe(direct);
});

it("keeps the places that were named while one is given up, and knows paths over that one", () => {
  expect(relays.giveUp([ONE.key])).toBe(true);
  expect(relays.giveUp([THREE.key])).toBe(false);
  expect(relays.plan?.relays).toEqual([TWO]);
  expect(relays.labelled(relayed("192.0.2.2"), undefined).relay).toBe(1);
  expect(relays.isForbidden({ address: "192.0.2.1" })).toBe(true);
  expect(relays.isForbidden({ address: "192.0.2.2" })).toBe(false);
  expect(relays.isForbidden({})).toBe(true); // it may be
});

it("names another in place of one that gave no address in time, and none twice for being slow", async () => {
  relays.labelled(relayed("192.0.2.1"), undefined);
  there = [THREE];
  await clock.advance(2_999);
  relays.renew();
  expect([wanted?.kept, wanted?.spent]).toEqual([[ONE, TWO], []]);
  begin([ONE, TWO]);
  relays.labelled(relayed("192.0.2.1"), undefined);
  await clock.advance(3_000);
  expect(relays.renew()).toEqual([
    { key: ONE.key, operator: "operator 1", steps: 2 },
    { key: THREE.key, operator: "operator 3", steps: 25 },
  ]);
  expect([wanted?.kept, wanted?.spent]).toEqual([[ONE], [TWO.key]]);
});

it("takes none for gone where an address cannot be told apart", async () => {
  relays.labelled(relayed("198.51.100.1"), undefined);
  await clock.advance(60_000);
  relays.renew();
  expect(wanted?.spent).toEqual([]);
});

it("says nothing where they stay the same, though what opens them does not", () => {
  const fresh = new LegRelays(clock, ({ kept }) => kept.map((each) => ({ ...each, username: "fresh" })));
  const consent = { relay: "any", video: true } as const;
  fresh.begin({ stunServers: [], relays: [ONE], consent, relayOnly: false });
  fresh.gathering();
  expect(fresh.renew()).toBeNull();
  expect(fresh.plan?.relays[0]?.username).toBe("fresh");
});

it("names no refused one again, and none at all where the other side allows none", () => {
  relays.giveUp([ONE.key]);
  there = [ONE];
  expect(relays.renew()?.map(({ operator }) => operator)).toEqual(["operator 2"]);
  expect(wanted?.refused).toEqual([ONE.key]);
  expect(relays.giveUpAll()).toBe(true);
  expect(relays.renew()).toBeNull();
  expect(relays.plan?.relays).toEqual([]);
  begin([ONE], false);
  expect([relays.plan?.relays, relays.renew()]).toEqual([[], null]);
});

it("does not tell how far a relay is from an address that is hidden", () => {
  const consent = { relay: "any", video: true } as const;
  relays.begin({ stunServers: [], relays: [], consent, relayOnly: true });
  there = [ONE];
  expect(relays.renew()?.map(({ steps }) => steps)).toEqual([25]);
});
