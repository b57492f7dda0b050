import { deferred, VirtualClock } from "@earshot/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { EXPIRY_MARGIN_MS, HIDDEN_WAIT_MS, RELAY_WAIT_MS, RelayPool } from "./relay-pool.ts";
import type { RelayOffer } from "./relay-source.ts";

let clock: VirtualClock;
let asked: number;
let problems: string[];
beforeEach(() => {
  clock = new VirtualClock();
  asked = 0;
  problems = [];
});

function offer(n: number, changes: Partial<RelayOffer> = {}): RelayOffer {
  return {
    key: new Uint8Array(32).fill(n),
    operator: `operator ${n}`,
    urls: [`turn:192.0.2.${n}`],
    username: "u",
    credential: "c",
    expiresAtMs: clock.now() + 3_600_000,
    trusted: false,
    ...changes,
  };
}

function pool(
  answer: (without: readonly Uint8Array[]) => Promise<readonly RelayOffer[]>,
  trustedKeys?: () => readonly Uint8Array[],
): RelayPool {
  const offers = (without: readonly Uint8Array[] = []) => {
    asked++;
    return answer(without);
  };
  return new RelayPool({ offers, ...(trustedKeys ? { trustedKeys } : {}) }, clock, (detail) => problems.push(detail));
}

const operators = (offers: readonly RelayOffer[]) => offers.map(({ operator }) => operator);

it("takes two, trusted ones first, none twice, and only trusted ones where that is the person's level", async () => {
  const relays = pool(async () => [offer(1), offer(1), offer(2), offer(3, { trusted: true })]);
  expect(operators(await relays.choose("any"))).toEqual(["operator 3", "operator 1"]);
  expect(operators(await relays.choose("trusted"))).toEqual(["operator 3"]);
  expect(asked).toBe(1);
});

it("takes the nearest of strangers', and of those that are trusted", async () => {
  const far = { roundTripMs: 90 };
  const relays = pool(async () => [
    ...[offer(1), offer(2, far), offer(3, { roundTripMs: 9 })],
    ...[offer(4, { trusted: true, ...far }), offer(5, { trusted: true, roundTripMs: 80 })],
  ]);
  expect(operators(await relays.choose("any"))).toEqual(["operator 5", "operator 4"]);
  const strangers = pool(async () => [offer(1), offer(2, far), offer(3, { roundTripMs: 9 })]);
  expect(operators(await strangers.choose("any"))).toEqual(["operator 3", "operator 2"]);
});

it("offers nobody a stranger's relay that is one of their homes, by key or operator", async () => {
  const relays = pool(async () => [offer(1), offer(2), offer(3), offer(4, { trusted: true })]);
  const homes = [
    { key: offer(1).key, operator: "" },
    { key: offer(9).key, operator: "operator 2" },
    { key: offer(4).key, operator: "" },
  ];
  expect(operators(await relays.choose("any", RELAY_WAIT_MS, homes))).toEqual(["operator 4", "operator 3"]);
});

describe("for a restart", () => {
  const wanted = { kept: [], spent: [], refused: [] };

  it("opens what is kept by what opens it now, and adds others, but for those refused and what they refuse", async () => {
    const relays = pool(async () => [offer(1, { username: "fresh" }), offer(2), offer(3), offer(4)]);
    await relays.choose("any");
    const kept = [offer(1)];
    const renew = (refused: readonly RelayOffer[], homes: readonly RelayOffer[] = []) =>
      relays.renew("any", { ...wanted, kept, refused: refused.map(({ key }) => key) }, homes);
    expect(renew([]).map(({ username }) => username)).toEqual(["fresh", "u"]);
    expect(operators(renew([]))).toEqual(["operator 1", "operator 2"]);
    expect(operators(renew([offer(2)]))).toEqual(["operator 1", "operator 3"]);
    expect(operators(renew([offer(2)], [offer(3)]))).toEqual(["operator 1", "operator 4"]);
    expect(relays.renew("never", { ...wanted, kept })).toEqual([]);
    expect(asked).toBe(1);
  });

  it("has others looked for where one is gone, says when they are there, and offers the gone one to no call", async () => {
    let told = 0;
    const without: number[][] = [];
    const relays = pool(async (keys) => {
      without.push(keys.map((key) => key[0] as number));
      return asked === 1 ? [offer(1)] : [offer(2)];
    });
    await relays.choose("any");
    relays.onFound(() => told++);
    await clock.advance(1_000);
    expect(relays.renew("any", { ...wanted, spent: [offer(1).key] })).toEqual([]);
    await clock.advance(0);
    expect([told, without]).toEqual([1, [[], [1]]]);
    expect(operators(relays.renew("any", wanted))).toEqual(["operator 2"]);
    expect(operators(await relays.choose("any"))).toEqual(["operator 2"]);
    // Where nobody has another, it is not asked for again and again, and nothing is told.
    for (let i = 0; i < 5; i++) relays.renew("any", { ...wanted, kept: [offer(2)] });
    await clock.advance(0);
    expect([told, asked]).toEqual([1, 2]);
  });

  it("drops what can no longer be opened", async () => {
    const relays = pool(async () => []);
    const kept = [offer(1, { expiresAtMs: clock.now() })];
    expect(relays.renew("any", { ...wanted, kept })).toEqual([]);
  });
});

it("asks nobody where no relay may be used", async () => {
  const relays = pool(async () => [offer(1)]);
  relays.keepReady(() => "never");
  await clock.advance(600_000);
  expect(await relays.choose("never")).toEqual([]);
  expect(asked).toBe(0);
  relays.stop();
});

it("is ready for calls at any time once it is kept so, asked no more than it takes, and not once it is stopped", async () => {
  let there = false;
  const relays = pool(async () => (there ? [offer(1)] : []));
  relays.keepReady(() => "any");
  await clock.advance(25_000);
  expect(asked).toBe(3);
  there = true;
  await clock.advance(10_000);
  for (let minute = 0; minute < 180; minute++) {
    expect(await Promise.race([relays.choose("any"), Promise.resolve("waits")])).toHaveLength(1);
    await clock.advance(60_000);
  }
  expect(asked).toBe(4 + 3);
  relays.stop();
  expect(clock.pending).toBe(0);
});

it("is asked between calls once, and again shortly before what there is expires", async () => {
  const relays = pool(async () => [offer(1)]);
  for (let i = 0; i < 5; i++) expect(await relays.choose("any")).toHaveLength(1);
  await clock.advance(3_600_000 - EXPIRY_MARGIN_MS - 1);
  await relays.choose("any");
  expect(asked).toBe(1);
  await clock.advance(1);
  const [fresh] = await relays.choose("any");
  expect([asked, fresh?.expiresAtMs]).toEqual([2, clock.now() + 3_600_000]);
});

it("keeps no call waiting for longer than is not noticed; the next call has what came late", async () => {
  const late = deferred<readonly RelayOffer[]>();
  const relays = pool(() => late.promise);
  let first: readonly RelayOffer[] | undefined;
  void relays.choose("any").then((found) => (first = found));
  await clock.advance(RELAY_WAIT_MS - 1);
  expect(first).toBeUndefined();
  await clock.advance(1);
  expect(first).toEqual([]);
  late.resolve([offer(1)]);
  expect(operators(await relays.choose("any"))).toEqual(["operator 1"]);
  expect(asked).toBe(1);
});

it("waits longer where there is no call without a relay, but not for ever", async () => {
  const relays = pool(() => new Promise(() => {}));
  let found: readonly RelayOffer[] | undefined;
  void relays.choose("any", HIDDEN_WAIT_MS).then((offers) => (found = offers));
  await clock.advance(HIDDEN_WAIT_MS - 1);
  expect(found).toBeUndefined();
  await clock.advance(1);
  expect(found).toEqual([]);
  expect(clock.pending).toBe(0);
});

it("asks again meanwhile where there is no call without a relay: they may become known just then", async () => {
  const relays = pool(async () => (asked < 4 ? [] : [offer(1)]));
  expect(await relays.choose("any")).toEqual([]);
  let found: readonly RelayOffer[] | undefined;
  void relays.choose("any", HIDDEN_WAIT_MS).then((offers) => (found = offers));
  await clock.advance(HIDDEN_WAIT_MS - 1);
  expect([found?.length, asked]).toEqual([1, 4]);
});

it.each<[string, () => Promise<readonly RelayOffer[]>]>([
  ["has none", async () => []],
  ["fails", () => Promise.reject(new Error("no supernode"))],
  [
    "throws at once",
    () => {
      throw new Error("no supernode");
    },
  ],
  ["gives what is no list", async () => undefined as never],
])("goes on without relays where the source %s, and does not ask at every call", async (_, answer) => {
  const relays = pool(answer);
  for (let i = 0; i < 5; i++) expect(await relays.choose("any")).toEqual([]);
  expect(asked).toBe(1);
  await clock.advance(10_000);
  await relays.choose("any");
  expect(asked).toBe(2);
  expect(problems.length).toBe(_ === "has none" ? 0 : 2);
});

it("asks anew where an answer never comes", async () => {
  const relays = pool(() => (asked === 1 ? new Promise(() => {}) : Promise.resolve([offer(1)])));
  const waiting = relays.choose("any");
  await clock.advance(RELAY_WAIT_MS);
  expect(await waiting).toEqual([]);
  await clock.advance(20_000);
  expect(await relays.choose("any")).toHaveLength(1);
});

it("knows the relays of contacts, offered or told", async () => {
  const told = new Uint8Array(32).fill(9);
  const relays = pool(
    async () => [offer(1), offer(2, { trusted: true })],
    () => [told],
  );
  await relays.choose("any");
  expect(relays.trustedKeys()).toEqual([offer(2).key, told]);
});
