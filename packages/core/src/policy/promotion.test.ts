import { expect, test } from "vitest";
import { dialBackOpinions } from "./promotion-observation.ts";
import { DEFAULT_PROMOTION } from "./promotion-params.ts";
import { alike, DAY, HOUR, LIMITS, MINUTE, REACHED, SECOND, START, TracedNode } from "./testing/promotion-trace.ts";

test("a fit node with consent serves once the network needs one, and starts small", () => {
  const node = new TracedNode(1);
  node.run(HOUR);
  expect(node.state.role).toBe("measuring");
  node.runUntilServing();
  expect(node.now - START).toBeGreaterThan(2 * HOUR);
  expect(node.now - START).toBeLessThan(4 * HOUR);
  expect(node.state.maxClients).toBe(DEFAULT_PROMOTION.startClients);
});

test.each([
  ["consent", (node: TracedNode) => (node.seen = { ...node.seen, consent: { ...node.seen.consent, given: false } })],
  ["one dial-back", (node: TracedNode) => (node.opinions = node.opinions.slice(0, 1))],
  [
    "dial-backs of one prefix",
    (node: TracedNode) => (node.opinions = [0, 1].map(() => ({ prefix: "a", reached: true }))),
  ],
  ["a slow uplink", (node: TracedNode) => (node.seen = { ...node.seen, uplinkBytesPerSecond: 20_000 })],
  ["an uplink not measured", (node: TracedNode) => (node.seen = { ...node.seen, uplinkBytesPerSecond: null })],
  ["a busy machine", (node: TracedNode) => (node.seen = { ...node.seen, cpuShare: 0.4 })],
  ["little memory", (node: TracedNode) => (node.seen = { ...node.seen, freeMemoryBytes: 1024 })],
  ["no need", (node: TracedNode) => (node.seen = { ...node.seen, others: alike(6, 500, 1_000) })],
  [
    "the need that one supernode claims to see",
    (node: TracedNode) =>
      (node.seen = { ...node.seen, others: [...alike(6, 500, 1_000), { clients: 1e9, maxClients: 1e9 }] }),
  ],
  ["a machine that has no core to spare", (node: TracedNode) => (node.seen = { ...node.seen, idleCores: 0.1 })],
  [
    "as many that cannot reach it as can",
    (node: TracedNode) =>
      (node.opinions = [...REACHED, { prefix: "c", reached: false }, { prefix: "d", reached: false }]),
  ],
  ["no places allowed", (node: TracedNode) => (node.seen = withLimits(node, { maxClients: 0 }))],
  ["no bytes allowed", (node: TracedNode) => (node.seen = withLimits(node, { maxBytesPerSecond: 100 }))],
])("it never serves with %s", (_, change) => {
  const node = new TracedNode(2);
  change(node);
  node.run(3 * DAY);
  expect(node.actions).toEqual([]);
});

function withLimits(node: TracedNode, limits: Partial<typeof LIMITS>) {
  return { ...node.seen, consent: { ...node.seen.consent, limits: { ...LIMITS, ...limits } } };
}

test("a newcomer needs a day without a break, one that came back before does not", () => {
  const node = new TracedNode(3);
  node.seen = { ...node.seen, pastSessions: node.seen.pastSessions.map((one) => ({ ...one, address: "elsewhere" })) };
  node.runUntilServing();
  expect(node.now - START).toBeGreaterThan(DAY);
});

test("an address that changes every hour is never promoted", () => {
  const node = new TracedNode(4);
  node.run(5 * DAY, (at) => {
    const addressSince = at.now - ((at.now - START) % HOUR);
    at.seen = { ...at.seen, address: `a${addressSince}`, addressSince };
  });
  expect(node.actions).toEqual([]);
});

test("an address that changes every five hours makes few services, further and further apart", () => {
  const node = new TracedNode(5);
  node.run(10 * DAY, (at) => {
    const addressSince = at.now - ((at.now - START) % (5 * HOUR));
    at.seen = { ...at.seen, address: `a${addressSince}`, addressSince, startedAt: START - DAY };
  });
  const serves = node.actions.filter(({ action }) => action.type === "serve");
  expect(serves.length).toBeGreaterThan(2);
  expect(serves.length).toBeLessThanOrEqual(14);
  expect(node.state.holdUntil - node.now).toBeLessThanOrEqual(DEFAULT_PROMOTION.maxHoldMs + DEFAULT_PROMOTION.drainMs);
});

test("a load that swings around the threshold changes no role", () => {
  const node = new TracedNode(6);
  const swing = (at: TracedNode) => {
    const load = 0.7 + 0.15 * Math.sin(((at.now - START) / (40 * MINUTE)) * 2 * Math.PI);
    at.seen = { ...at.seen, others: alike(12, Math.round(10_000 * load), 10_000) };
  };
  node.run(DAY, swing);
  expect(node.count("serve")).toBeLessThanOrEqual(1);
  expect(node.count("drain")).toBe(0);
});

test("a load that swings from one day to the next makes a bounded number of services", () => {
  const node = new TracedNode(7);
  node.run(10 * DAY, (at) => {
    const load = 0.5 + 0.45 * Math.sin(((at.now - START) / DAY) * 2 * Math.PI);
    at.seen = { ...at.seen, others: alike(12, Math.round(10_000 * load), 10_000) };
  });
  expect(node.count("serve")).toBeLessThanOrEqual(10);
});

test("places double while they are used and all is calm, up to what the person allows", () => {
  const node = new TracedNode(8);
  node.runUntilServing();
  const sizes = new Set<number>();
  node.run(8 * HOUR, (at) => {
    sizes.add(at.state.maxClients);
    at.seen = { ...at.seen, clients: Math.round(at.state.maxClients * 0.8) };
  });
  expect([...sizes]).toEqual([25, 50, 100, 200]);
});

test("places that nobody uses do not grow", () => {
  const node = new TracedNode(9);
  node.runUntilServing();
  node.run(10 * HOUR);
  expect(node.state.maxClients).toBe(25);
});

test("places never go beyond what the uplink carries", () => {
  const node = new TracedNode(10);
  node.seen = { ...node.seen, uplinkBytesPerSecond: 64 * 1024 };
  node.runUntilServing();
  node.run(10 * HOUR, (at) => {
    at.seen = { ...at.seen, clients: at.state.maxClients };
  });
  expect(node.state.maxClients).toBe((64 * 1024 * 0.5) / 256);
});

test("under pressure places halve, and at the smallest it steps down; the rest doubles", () => {
  const node = new TracedNode(11);
  const rests: number[] = [];
  for (let round = 0; round < 3; round++) {
    node.runUntilServing();
    node.run(2.5 * HOUR, (at) => {
      at.seen = { ...at.seen, clients: at.state.maxClients };
    });
    expect(node.state.maxClients).toBe(100);
    node.seen = { ...node.seen, loopLagMs: 500 };
    node.run(75 * SECOND);
    expect(node.state).toMatchObject({ role: "serving", maxClients: 50 });
    node.run(3 * MINUTE);
    expect(node.state.role).toBe("draining");
    expect(node.actions.at(-1)?.action).toMatchObject({ type: "drain", cause: "pressed" });
    rests.push(node.state.holdUntil - node.state.drainUntil);
    node.seen = { ...node.seen, loopLagMs: 1, clients: 0 };
  }
  expect(rests).toEqual([30 * MINUTE, HOUR, 2 * HOUR]);
});

test("under the pressure of a crowd that it turns away it goes on, with few places, and may step down when the crowd has gone", () => {
  const node = new TracedNode(11);
  node.runUntilServing();
  node.seen = { ...node.seen, cpuShare: 0.95, loopLagMs: 500 };
  // As many as it has places come back every 50 s.
  node.run(30 * MINUTE, (at) => {
    at.seen = { ...at.seen, turnedAway: Math.floor((at.now - START) / (50 * SECOND)) * DEFAULT_PROMOTION.startClients };
  });
  expect(node.state).toMatchObject({ role: "serving", maxClients: DEFAULT_PROMOTION.startClients, ended: null });
  node.run(4 * MINUTE);
  expect(node.state.ended).toBe("pressed");
});

test("a few newcomers that it turns away are no crowd", () => {
  const node = new TracedNode(11);
  node.runUntilServing();
  node.seen = { ...node.seen, loopLagMs: 500 };
  node.run(3 * MINUTE, (at) => {
    at.seen = { ...at.seen, turnedAway: Math.floor((at.now - START) / (20 * SECOND)) };
  });
  expect(node.state.ended).toBe("pressed");
});

test("a short spike changes nothing", () => {
  const node = new TracedNode(12);
  node.runUntilServing();
  node.run(6 * HOUR, (at) => {
    const spike = (at.now - START) % (10 * MINUTE) < 30 * SECOND;
    at.seen = { ...at.seen, loopLagMs: spike ? 900 : 2, cpuShare: spike ? 1 : 0.1 };
  });
  expect(node.count("drain")).toBe(0);
});

test("it drains until its clients have gone", () => {
  const node = new TracedNode(13);
  node.runUntilServing();
  node.seen = { ...node.seen, clients: 20, askedAt: node.now + 1 };
  node.run(5 * MINUTE);
  expect(node.state.role).toBe("draining");
  node.seen = { ...node.seen, clients: 0 };
  expect(node.step()).toEqual({ type: "retire" });
  expect(node.state.role).toBe("measuring");
});

test("it drains no longer than the deadline, and shorter where consent was withdrawn", () => {
  for (const [given, ms] of [
    [true, DEFAULT_PROMOTION.drainMs],
    [false, DEFAULT_PROMOTION.withdrawnDrainMs],
  ] as const) {
    const node = new TracedNode(14);
    node.runUntilServing();
    const { consent } = node.seen;
    node.seen = { ...node.seen, clients: 20, consent: { ...consent, given }, askedAt: given ? node.now + 1 : 0 };
    node.step();
    const from = node.now;
    node.run(ms + SECOND);
    expect(node.actions.at(-1)).toEqual({ at: from + ms, action: { type: "retire" } });
  }
});

test("asked to step down, it rests a day, or until its person consents anew", () => {
  const node = new TracedNode(15);
  node.runUntilServing();
  const askedAt = node.now + 1;
  node.seen = { ...node.seen, askedAt };
  node.run(DAY);
  expect(node.count("serve")).toBe(1);
  node.seen = { ...node.seen, consent: { ...node.seen.consent, givenAt: askedAt + 1 } };
  node.runUntilServing(HOUR);
});

test("it serves in its hours only, and is gone before they end", () => {
  const node = new TracedNode(16);
  node.seen = withLimits(node, { fromHour: 22, toHour: 6 });
  node.run(5 * DAY, (at) => {
    const hour = ((at.now - START) % DAY) / HOUR;
    if (hour >= 6 && hour < 22) expect(at.state.role).toBe("off");
    at.seen = { ...at.seen, clients: at.state.role === "serving" ? 20 : 0 };
  });
  // Six nights: the first began at midnight, the last is not over.
  expect(node.count("serve")).toBe(6);
  expect(node.count("retire")).toBe(5);
});

test("silence of other supernodes is no reason to stop; their failing to reach it is", () => {
  const node = new TracedNode(17);
  node.runUntilServing();
  node.opinions = [];
  node.run(2 * HOUR);
  expect(node.state.role).toBe("serving");
  node.opinions = ["a", "b"].map((prefix) => ({ prefix, reached: false }));
  node.run(20 * MINUTE);
  expect(node.actions.at(-2)?.action).toMatchObject({ type: "drain", cause: "unfit" });
});

test("a machine that slept has lost its clients", () => {
  const node = new TracedNode(18);
  node.runUntilServing();
  expect(node.step(HOUR)).toMatchObject({ type: "drain", cause: "slept" });
});

test("a clock that is set back neither stops nor speeds it", () => {
  const node = new TracedNode(19);
  node.runUntilServing();
  node.now -= 3 * DAY;
  node.run(HOUR);
  expect(node.state).toMatchObject({ role: "serving", maxClients: 25 });
});

test("a dedicated node serves at once, with all its places, whatever is measured", () => {
  const node = new TracedNode(20);
  node.opinions = [];
  node.seen = { ...withLimits(node, { maxClients: 15_000 }), pinned: true, cpuShare: 1, uplinkBytesPerSecond: null };
  expect(node.step()).toEqual({ type: "serve", maxClients: 15_000 });
  node.run(DAY);
  expect(node.actions.length).toBe(1);
});

test("a rest survives a restart", async () => {
  const { startPromotion } = await import("./promotion.ts");
  const node = new TracedNode(21);
  node.state = startPromotion(START, { demotions: 3, holdUntil: START + 12 * HOUR });
  node.runUntilServing();
  expect(node.now - START).toBeGreaterThan(12 * HOUR);
});

test("one supernode that claims to have all the room in the world sends nobody home", () => {
  const node = new TracedNode(22);
  node.runUntilServing();
  const honest = alike(9, 600, 1_000);
  node.seen = { ...node.seen, others: [...honest, { clients: 0, maxClients: 4e9 }] };
  node.run(3 * DAY);
  expect(node.count("drain")).toBe(0);
  node.seen = { ...node.seen, others: alike(10, 100, 1_000) };
  node.run(3 * DAY);
  expect(node.actions.find(({ action }) => action.type === "drain")?.action).toMatchObject({ cause: "unneeded" });
});

test("one supernode's word ends no service, and keeps none up", () => {
  const node = new TracedNode(23);
  node.runUntilServing();
  node.opinions = [...REACHED, { prefix: "c", reached: false }];
  node.run(DAY);
  expect(node.state.role).toBe("serving");
  node.opinions = ["a", "b", "c", "d"].map((prefix) => ({ prefix, reached: prefix === "a" }));
  node.run(20 * MINUTE);
  expect(node.actions.at(-2)?.action).toMatchObject({ type: "drain", cause: "unfit" });
});

test("an uplink that carries nobody is no withdrawn consent: it ends the service in its time, and is told", () => {
  const node = new TracedNode(24);
  node.runUntilServing();
  node.seen = { ...node.seen, uplinkBytesPerSecond: 100 };
  node.run(5 * MINUTE);
  expect(node.state).toMatchObject({ role: "serving", maxClients: 1 });
  node.run(15 * MINUTE);
  expect(node.actions.at(-2)?.action).toMatchObject({ type: "drain", cause: "unfit" });
  node.seen = { ...node.seen, uplinkBytesPerSecond: 1e6 };
  node.run(10 * MINUTE);
  expect(node.state.reason).toMatch(
    /^It rests after its last service: \d+ min left\. Other supernodes could not reach/,
  );
});

test("words about reachability from before the clock was set back count no longer than others", () => {
  const at = START + DAY;
  const words = ["a", "b"].map((prefix) => ({ prefix, supernode: prefix, at, reached: true }));
  expect(dialBackOpinions(words, at, HOUR)).toEqual({ reached: 2, failed: 0 });
  expect(dialBackOpinions(words, START, HOUR)).toEqual({ reached: 0, failed: 0 });
});
