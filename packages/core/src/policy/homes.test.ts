import { SeededRandom, VirtualClock } from "@earshot/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unitFromBytes } from "./backoff.ts";
import {
  DEFAULT_HOMES,
  type HeldHome,
  type HomeCandidate,
  pickHome,
  pickScouts,
  planHomes,
  sampleHomes,
} from "./homes.ts";
import { whereaboutsOf } from "./homes-whereabouts.ts";

const NOW = 1_760_000_000_000;
const MINUTE = 60_000;

function held(key: string, over: Partial<HeldHome> = {}): HeldHome {
  return {
    key,
    address: key,
    prefix: key,
    operator: "",
    fallback: false,
    fresh: false,
    since: NOW - 1,
    unit: 0,
    ...over,
  };
}
function candidate(key: string, over: Partial<HomeCandidate> = {}): HomeCandidate {
  const plain = { own: false, trusted: false, named: false, clients: 0, maxClients: 100, roundTripMs: 20 };
  return { key, address: key, prefix: key, operator: "", ...plain, ...over };
}
const unitOf = (seed: number) => {
  const random = new SeededRandom(seed);
  return () => unitFromBytes(random.bytes(4));
};
const keys = (list: readonly { readonly key: string }[]) => list.map(({ key }) => key);

describe("how many", () => {
  it("wants two, and leaves those that work alone", () => {
    expect(planHomes([], NOW).need).toBe(2);
    expect(planHomes([held("a")], NOW).need).toBe(1);
    expect(planHomes([held("a"), held("b")], NOW)).toEqual({ need: 0, drop: [], yields: [], againInMs: undefined });
    expect(planHomes([held("a"), held("b"), held("c")], NOW)).toMatchObject({ need: 0, drop: [] });
  });

  it("replaces a lost one after a minute or two, beside it, and says when to look again", () => {
    const lost = (unit: number) => [held("a"), held("b", { lostAt: NOW, unit })];
    expect(planHomes(lost(0), NOW + MINUTE - 1)).toMatchObject({ need: 0, drop: [], againInMs: 1 });
    expect(planHomes(lost(0), NOW + MINUTE)).toMatchObject({ need: 1, drop: [] });
    expect(planHomes(lost(0.5), NOW + 1.5 * MINUTE - 1).need).toBe(0);
    expect(planHomes(lost(0.5), NOW + 1.5 * MINUTE).need).toBe(1);
  });

  it("gives one up soon that never took this client: it may have filled up meanwhile", () => {
    const never = (unit: number) => [held("a"), held("b", { lostAt: NOW, since: 0, fresh: true, unit })];
    expect(planHomes(never(0), NOW + 15_000 - 1)).toMatchObject({ need: 0, drop: [], againInMs: 1 });
    expect(planHomes(never(0), NOW + 15_000)).toMatchObject({ need: 1, drop: ["b"] });
    expect(planHomes(never(0.9), NOW + 15_000)).toMatchObject({ need: 0, drop: [] });
    // With no other home it stays beside the next one.
    expect(planHomes([held("b", { lostAt: NOW, fresh: true })], NOW + 15_000)).toMatchObject({ need: 2, drop: [] });
  });

  it("leaves none of those that are away before another is found, and then the one that is away longest", () => {
    const away = ["a", "b", "c", "d"].map((key, i) => held(key, { lostAt: NOW - (i + 1) * MINUTE }));
    const plan = planHomes(away, NOW);
    expect(plan).toMatchObject({ need: 2, drop: [] });
    expect(plan.yields.slice(0, 2)).toEqual(["d", "c"]);
  });

  it("hurries where no home is left", () => {
    const both = [held("a", { lostAt: NOW }), held("b", { lostAt: NOW - 5 * MINUTE })];
    expect(planHomes(both, NOW + DEFAULT_HOMES.urgentMs - 1).need).toBe(1);
    expect(planHomes(both, NOW + DEFAULT_HOMES.urgentMs).need).toBe(2);
  });

  it("replaces one that says that it goes at once, and lets go of it when two others work", () => {
    const goes = held("a", { leavingAt: NOW });
    expect(planHomes([goes, held("b")], NOW)).toMatchObject({ need: 1, drop: [] });
    expect(planHomes([goes, held("b"), held("c")], NOW)).toMatchObject({ need: 0, drop: ["a"] });
  });

  it("gives one up that stays away for hours, but never the last", () => {
    const away = held("a", { lostAt: NOW - DEFAULT_HOMES.forgetMs });
    expect(planHomes([away, held("b"), held("c")], NOW).drop).toEqual(["a"]);
    expect(planHomes([away], NOW).drop).toEqual([]);
  });

  it("keeps a third that came back, and of four that work leaves the one that came last", () => {
    const four = [held("a", { since: 1 }), held("b", { since: 9 }), held("c", { since: 3 }), held("d", { since: 4 })];
    expect(planHomes(four, NOW)).toMatchObject({ need: 0, drop: ["b"] });
  });

  it("is at home at the own node only while there is no other", () => {
    const own = held("own", { fallback: true });
    expect(planHomes([own], NOW)).toMatchObject({ need: 2, drop: [] });
    expect(planHomes([own, held("a")], NOW)).toMatchObject({ need: 1, drop: ["own"] });
  });

  it("never holds more than four, nor drops the last that works, whatever happens", () => {
    const event = fc.record({
      at: fc.nat(7),
      kind: fc.constantFrom("lose", "return", "drain"),
      afterMs: fc.nat(600_000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.nat(), (events, seed) => {
        const unit = unitOf(seed);
        let now = NOW;
        let homes: HeldHome[] = [];
        let made = 0;
        const carryOut = () => {
          const upBefore = homes.some(({ lostAt, leavingAt }) => lostAt === undefined && leavingAt === undefined);
          const plan = planHomes(homes, now);
          homes = homes.filter(({ key }) => !plan.drop.includes(key));
          if (upBefore) expect(homes.some(({ lostAt }) => lostAt === undefined)).toBe(true);
          const yielding = plan.yields.values();
          for (let i = 0; i < plan.need; i++) {
            const goes = homes.length < DEFAULT_HOMES.open ? undefined : yielding.next().value;
            homes = homes.filter(({ key }) => key !== goes);
            const never = unit() < 0.3;
            const state = never ? { since: 0, fresh: true, lostAt: now } : { since: now };
            homes.push(held(`n${made++}`, { ...state, unit: unit() }));
          }
          expect(homes.length).toBeLessThanOrEqual(DEFAULT_HOMES.open);
        };
        carryOut();
        for (const { at, kind, afterMs } of events) {
          now += afterMs;
          homes = homes.map((home, i): HeldHome => {
            if (i !== at % Math.max(1, homes.length)) return home;
            const { lostAt, leavingAt: _, ...rest } = { ...home, fresh: false };
            if (kind === "lose") return { ...home, lostAt: lostAt ?? now, unit: unit() };
            return kind === "drain" ? { ...home, leavingAt: now } : { ...rest, since: now };
          });
          carryOut();
        }
      }),
    );
  });

  it("does not flap: one that comes and goes for a day costs two homes more, once", async () => {
    const clock = new VirtualClock(NOW);
    let homes = [held("a", { since: 1 }), held("b", { since: 2 })];
    let added = 0;
    for (let i = 0; i < 288; i++) {
      await clock.advance(5 * MINUTE);
      const { lostAt, ...b } = homes.find(({ key }) => key === "b") ?? held("gone");
      homes = homes.filter(({ key }) => key !== "b");
      if (b.key === "b")
        homes.push(lostAt === undefined ? { ...b, lostAt: clock.now() } : { ...b, since: clock.now() });
      for (const at of [0, 2.5 * MINUTE]) {
        const plan = planHomes(homes, clock.now() + at);
        homes = homes.filter(({ key }) => !plan.drop.includes(key));
        for (let n = 0; n < plan.need; n++) homes.push(held(`n${added++}`, { since: clock.now() }));
      }
    }
    expect(added).toBeLessThanOrEqual(2);
  }, 20_000);
});

describe("which", () => {
  it("takes the own node where it serves, then trusted ones, and what only a home that goes knows of last", () => {
    const all = [candidate("x"), candidate("t", { trusted: true }), candidate("n", { named: true })];
    const sample = (list: HomeCandidate[]) => keys(sampleHomes(list, [], NOW, unitOf(1)));
    expect(sample([...all, candidate("o", { own: true })])).toEqual(["o"]);
    expect(sample([...all, candidate("o", { own: true, maxClients: 0 })])).toEqual(["t"]);
    expect(sample(all.filter(({ trusted }) => !trusted))).toEqual(["x"]);
    expect(sample([candidate("n", { named: true })])).toEqual(["n"]);
  });

  it("spreads over operators, then prefixes, then addresses, as far as there are others", () => {
    const home = held("h", { address: "192.0.2.1", prefix: "192.0.2.0/24", operator: "Op" });
    const same = candidate("same", { address: "192.0.2.1", prefix: "192.0.2.0/24", operator: "Op" });
    const near = candidate("near", { address: "192.0.2.9", prefix: "192.0.2.0/24", operator: "Op" });
    const theirs = candidate("theirs", { address: "198.51.100.1", prefix: "198.51.100.0/24", operator: "Op" });
    const apart = candidate("apart", { address: "203.0.113.1", prefix: "203.0.113.0/24", operator: "Other" });
    const sample = (list: HomeCandidate[]) => keys(sampleHomes(list, [home], NOW, unitOf(2)));
    expect(sample([same, near, theirs, apart])).toEqual(["apart"]);
    expect(sample([same, near, theirs])).toEqual(["theirs"]);
    expect(sample([same, near])).toEqual(["near"]);
    expect(sample([same])).toEqual(["same"]);
  });

  it("leaves out full ones, homes, and for a while those that did not answer", () => {
    const full = candidate("full", { clients: 95 });
    const failed = candidate("failed", { failedAt: NOW - 1 });
    const sample = (list: HomeCandidate[], now = NOW) => keys(sampleHomes(list, [held("h")], now, unitOf(3)));
    expect(sample([full, failed, candidate("h"), candidate("x")])).toEqual(["x"]);
    expect(sample([failed, candidate("x")], NOW + DEFAULT_HOMES.failedMs)).toHaveLength(2);
    expect(sample([full, failed])).toEqual(["failed"]);
    expect(sample([full])).toEqual([]);
  });

  it("picks the nearest of the few, and of those about as near the emptiest", () => {
    const near = candidate("near", { roundTripMs: 11, clients: 50 });
    const emptier = candidate("emptier", { roundTripMs: 19, clients: 10 });
    const far = candidate("far", { roundTripMs: 80 });
    const { roundTripMs: _, ...unknown } = candidate("unknown");
    expect(pickHome([unknown, far, near, emptier])?.key).toBe("emptier");
    expect(pickHome([unknown, far])?.key).toBe("far");
    expect(pickHome([])).toBeUndefined();
  });

  it("does not send everybody who loses a home to the same place, nor at the same time", () => {
    const supernodes = Array.from({ length: 20 }, (_, i) => candidate(`s${i}`, { roundTripMs: 5 + 15 * i }));
    const counts = new Map<string, number>();
    const seconds = new Map<number, number>();
    for (let client = 0; client < 2_000; client++) {
      const unit = unitOf(client);
      const choice = pickHome(sampleHomes(supernodes, [held("left")], NOW, unit))?.key ?? "";
      counts.set(choice, (counts.get(choice) ?? 0) + 1);
      const homes = [held("left"), held("gone", { lostAt: NOW, unit: unit() })];
      const second = Math.floor((planHomes(homes, NOW).againInMs ?? 0) / 1_000);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    // The best of all would get 2,000; the best of three random ones gets 3 in 20.
    expect(Math.max(...counts.values())).toBeLessThan(2_000 * 0.2);
    expect(Math.max(...seconds.values())).toBeLessThan(2_000 * 0.04);
  });
});

describe("scouts", () => {
  const wishes = { count: 2, homes: ["h1", "h2"], kept: [] };
  it("are not homes while there are others, and apart from each other", () => {
    const all = [
      candidate("h1"),
      candidate("h2"),
      candidate("a", { prefix: "p" }),
      candidate("b", { prefix: "p" }),
      candidate("c", { prefix: "q" }),
    ];
    for (let seed = 0; seed < 20; seed++) {
      const picked = pickScouts(all, wishes, NOW, unitOf(seed));
      expect(new Set(picked.map(({ prefix }) => prefix))).toEqual(new Set(["p", "q"]));
    }
  });

  it("are one where there is one besides the homes, and a home only where there is nobody else", () => {
    expect(keys(pickScouts([candidate("h1"), candidate("a")], wishes, NOW, unitOf(1)))).toEqual(["a"]);
    expect(keys(pickScouts([candidate("h1"), candidate("h2")], wishes, NOW, unitOf(1)))).toHaveLength(1);
    expect(pickScouts([], wishes, NOW, unitOf(1))).toEqual([]);
  });

  it("are kept, and one that failed is the last to be taken", () => {
    const failed = candidate("failed", { failedAt: NOW });
    const kept = candidate("kept");
    const all = [failed, kept, candidate("a")];
    expect(keys(pickScouts(all, { ...wishes, kept: [kept] }, NOW, unitOf(1)))).toEqual(["kept", "a"]);
    expect(keys(pickScouts([failed], wishes, NOW, unitOf(1)))).toEqual(["failed"]);
  });
});

it("knows where a supernode is by its HyperDHT address, or else by its URL", () => {
  const at = (url: string, dht = "") => {
    const { address, prefix } = whereaboutsOf({ url, dht, operator: "" });
    return [address, prefix];
  };
  expect(at("wss://a.example/edge", "192.0.2.7:9")).toEqual(["192.0.2.7", "192.0.2.0/24"]);
  expect(at("wss://A.example:443/edge")).toEqual(["a.example", "a.example"]);
  expect(at("wss://[2001:db8:1:2::3]/edge")).toEqual(["2001:db8:1:2::3", "2001:db8:1::/48"]);
  expect(at("", "[2001:db8:1::9]:7")).toEqual(["2001:db8:1::9", "2001:db8:1::/48"]);
  expect(at("")).toEqual(["", ""]);
});
