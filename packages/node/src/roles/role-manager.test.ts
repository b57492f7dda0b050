import { type ConsentLimits, DEFAULT_PROMOTION, type PastSession } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { DEFAULT_CONSENT_LIMITS, type KeptConsent } from "./consent-store.ts";
import { RoleManager, type RolePorts } from "./role-manager.ts";
import type { KeptRest } from "./session-history.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const CALM = { isDiskFull: false, aheadMs: 0 };

/** A node that others reach, in a network that needs one; what it does is written down. */
function volunteer(options: { pinnedClients?: number; given?: boolean; rest?: KeptRest; newcomer?: boolean } = {}) {
  const clock = new VirtualClock();
  const done: string[] = [];
  const kept: { upMs: number; address: string; rest: KeptRest }[] = [];
  let current: KeptConsent = {
    given: options.given ?? true,
    askedBefore: false,
    limits: DEFAULT_CONSENT_LIMITS,
    givenAt: clock.now(),
    askedAt: 0,
  };
  const world = { ...{ clients: 0, turnedAway: 0 }, address: "203.0.113.9", lagMs: 1, reached: true, ...CALM };
  const past: PastSession[] = (options.newcomer ? [] : [1, 2]).map((days) => ({
    startedAt: clock.now() - days * 24 * HOUR,
    endedAt: clock.now() - days * 24 * HOUR + 3 * HOUR,
    address: "203.0.113.9",
  }));
  const ports: RolePorts = {
    // The machine's, which its person may set.
    clock: { now: () => clock.now() + world.aheadMs, setTimer: (delayMs, fire) => clock.setTimer(delayMs, fire) },
    unit: () => 0,
    hourOf: (now) => new Date(now).getUTCHours() + new Date(now).getUTCMinutes() / 60,
    machine: () => ({ cpuShare: 0.01, idleCores: 1.5, freeMemoryBytes: 1e10, loopLagMs: world.lagMs }),
    address: () => world.address,
    dialBacks: () =>
      ["a", "b"].map((prefix) => ({
        prefix,
        supernode: prefix,
        at: clock.now() + world.aheadMs,
        reached: world.reached,
      })),
    uplinkBytesPerSecond: () => 1e6,
    clients: () => world.clients,
    turnedAway: () => world.turnedAway,
    others: () => [1, 2].map(() => ({ clients: 0, maxClients: 50 })),
    consent: {
      get current() {
        return current;
      },
      set: (given, limits, now) => {
        const at = given ? { givenAt: now, askedAt: 0 } : {};
        current = { ...current, given, limits, askedBefore: true, ...at };
      },
      stepDown: (now) => {
        current = { ...current, askedAt: now };
      },
    },
    history: {
      past,
      rest: options.rest ?? { demotions: 0, holdUntil: 0 },
      save: (startedAt, now, address, rest) => {
        if (world.isDiskFull) throw new Error("ENOSPC");
        kept.push({ upMs: now - startedAt, address, rest });
      },
    },
    notKept: () => done.push("not kept"),
    acts: {
      setMeasuring: (measuring) => done.push(`measuring ${measuring}`),
      serve: (maxClients, { maxBytesPerSecond, maxStoreBytes }: ConsentLimits) =>
        done.push(`serve ${maxClients} ${maxBytesPerSecond} ${maxStoreBytes}`),
      drain: (until) => done.push(`drain ${until - clock.now()}`),
      retire: () => done.push("retire"),
    },
  };
  const { pinnedClients } = options;
  const manager = new RoleManager(ports, { params: DEFAULT_PROMOTION, pinnedClients });
  const place = (limits: ConsentLimits, clients: number) =>
    `serve ${clients} ${limits.maxBytesPerSecond} ${limits.maxStoreBytes}`;
  return { clock, manager, world, done, kept, place };
}

test("it measures, serves, takes new limits at once, drains, and rests", async () => {
  const { clock, manager, world, done, place } = volunteer();
  manager.start();
  expect(done).toEqual(["measuring true"]);
  clock.advanceSync(3 * HOUR);
  expect(manager.role).toBe("promoted");
  expect(done.slice(1)).toEqual([place(DEFAULT_CONSENT_LIMITS, 25)]);
  world.clients = 12;
  const fewer = { ...DEFAULT_CONSENT_LIMITS, maxClients: 10, maxBytesPerSecond: 50_000 };
  manager.setConsent(true, fewer);
  expect(done.at(-1)).toBe(place(fewer, 10));
  manager.stepDown();
  expect(done.at(-1)).toBe(`drain ${DEFAULT_PROMOTION.drainMs}`);
  expect(manager.state.reason).toBe("You asked it to step down.");
  clock.advanceSync(5 * MINUTE);
  expect(manager.state.role).toBe("draining");
  world.clients = 0;
  clock.advanceSync(MINUTE);
  expect(done.at(-1)).toBe("retire");
  clock.advanceSync(12 * HOUR);
  expect(manager.role).toBe("client");
  expect(manager.counts.promotions).toBe(1);
  expect([...manager.counts.demotions]).toEqual([["asked", 1]]);
});

test("without consent it neither measures nor serves; withdrawn, it stops both", async () => {
  const { clock, manager, done } = volunteer({ given: false });
  manager.start();
  clock.advanceSync(10 * HOUR);
  expect(done).toEqual([]);
  manager.setConsent(true);
  clock.advanceSync(3 * HOUR);
  expect(manager.role).toBe("promoted");
  manager.setConsent(false);
  clock.advanceSync(5 * MINUTE);
  expect(done.slice(-3)).toEqual([`drain ${DEFAULT_PROMOTION.withdrawnDrainMs}`, "retire", "measuring false"]);
});

test("an address that is not known for a while is the same; another one ends the service, and is kept", async () => {
  const { clock, manager, world, done, kept } = volunteer();
  manager.start();
  clock.advanceSync(3 * HOUR);
  world.address = "";
  clock.advanceSync(HOUR);
  expect(manager.role).toBe("promoted");
  world.address = "198.51.100.4";
  clock.advanceSync(MINUTE);
  expect(done).toContain(`drain ${DEFAULT_PROMOTION.drainMs}`);
  manager.stop();
  expect(kept.at(-1)).toMatchObject({ address: "198.51.100.4", rest: { demotions: 1 } });
  expect(clock.pending).toBe(0);
});

test("a dedicated one serves at once; asked to step down, it stays down until it is started anew", async () => {
  const { clock, manager, world, done } = volunteer({ pinnedClients: 5_000, given: false });
  world.reached = false;
  manager.start();
  expect(done).toEqual(["serve 5000 Infinity Infinity"]);
  clock.advanceSync(48 * HOUR);
  expect(done).toHaveLength(1);
  manager.stepDown();
  clock.advanceSync(48 * HOUR);
  expect(done.slice(1)).toEqual([`drain ${DEFAULT_PROMOTION.drainMs}`, "retire"]);
  expect(manager).toMatchObject({ role: "dedicated", reason: expect.stringContaining("started anew") });
});

test("a full disk stops nothing, and is written to again", () => {
  const { clock, manager, world, done, kept } = volunteer();
  world.isDiskFull = true;
  manager.start();
  clock.advanceSync(3 * HOUR);
  expect(manager.role).toBe("promoted");
  expect(done).toContain("not kept");
  expect(kept).toEqual([]);
  world.isDiskFull = false;
  clock.advanceSync(10 * MINUTE);
  expect(kept.at(-1)?.upMs).toBeGreaterThan(3 * HOUR);
});

test("neither a clock that is set, nor sleep, counts as time spent running at one address", () => {
  for (const aheadMs of [400 * 24 * HOUR, -400 * 24 * HOUR]) {
    const { clock, manager, world, kept } = volunteer({ newcomer: true });
    manager.start();
    clock.advanceSync(HOUR);
    world.aheadMs = aheadMs;
    clock.advanceSync(22 * HOUR);
    expect(manager.role).toBe("client");
    const history = manager.criteria.find(({ name }) => name === "history");
    expect(history).toMatchObject({ met: false, value: "up 22 h, 0 earlier" });
    clock.advanceSync(3 * HOUR);
    expect(manager.role).toBe("promoted");
    manager.stop();
    expect(kept.at(-1)?.upMs).toBeLessThan(27 * HOUR);
  }
});

test("a rest that was written, or asked for, by a clock that was ahead lasts no longer than any other", () => {
  const ahead = volunteer({ rest: { demotions: 1, holdUntil: new Date("2099-01-01").getTime() } });
  ahead.manager.start();
  ahead.clock.advanceSync(26 * HOUR);
  expect(ahead.manager.role).toBe("promoted");

  const { clock, manager, world } = volunteer();
  world.aheadMs = 400 * 24 * HOUR;
  manager.start();
  clock.advanceSync(HOUR);
  manager.stepDown();
  world.aheadMs = 0;
  clock.advanceSync(23 * HOUR);
  expect(manager.role).toBe("client");
  clock.advanceSync(3 * HOUR);
  expect(manager.role).toBe("promoted");
});
