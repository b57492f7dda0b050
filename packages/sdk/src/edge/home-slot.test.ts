import { EdgeSession, nobleBackend, planHomes, toHex, whereaboutsOf } from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it, vi } from "vitest";
import type { Connection } from "../api.ts";
import { HomeSlot } from "./home-slot.ts";
import type { Mailboxes } from "./mailboxes.ts";

const MINUTE_MS = 60_000;
const supernodeKey = new Uint8Array(32).fill(1);

let clock: VirtualClock;
let jumpedMs: number;
let connections: Connection[];
let slot: HomeSlot;
let onUp: (session: EdgeSession) => void;
beforeEach(() => {
  clock = new VirtualClock(1_760_000_000_000);
  jumpedMs = 0;
  connections = [];
  onUp = () => {};
  // Whoever answers is welcomed: that is edge-link.test.ts's matter.
  vi.spyOn(EdgeSession.prototype, "hello").mockResolvedValue({ ok: true, value: {} as never });
  const transport = {
    connect: async () => {
      const connection = { send: () => {}, close: () => {}, onMessage: () => {}, onClose: () => {} };
      connections.push(connection);
      return connection;
    },
  };
  const mailboxes = { home: { supernodeKey, url: "", dht: "" }, handleDown: () => {} } as unknown as Mailboxes;
  const wall = {
    now: () => clock.now() + jumpedMs,
    setTimer: (delayMs: number, fire: () => void) => clock.setTimer(delayMs, fire),
  };
  const ports = { clock: wall, random: new SeededRandom(3), signatures: nobleBackend, transport };
  slot = new HomeSlot(ports, mailboxes, () => ({ url: "wss://far.example" }), {
    onUp: (_, session) => onUp(session),
    onDown: () => {},
    onDeliveries: () => {},
    onPush: () => {},
    onProblem: () => {},
  });
});

/** What is decided about it beside a home that works. */
function needed(): number {
  const { key, since, lostAt, unit } = slot;
  const whereabouts = whereaboutsOf({ url: "", dht: "", operator: "" });
  const held = {
    key,
    ...whereabouts,
    fallback: false,
    fresh: false,
    since,
    unit,
    ...(lostAt === undefined ? {} : { lostAt }),
  };
  return planHomes(
    [held, { ...held, key: toHex(new Uint8Array(32)), lostAt: undefined } as never],
    clock.now() + jumpedMs,
  ).need;
}

it("counts as lost where it answers again and again and never opens the mailboxes", async () => {
  // As `Presence` does where the supernode refuses them, or says nothing.
  onUp = (session) => void clock.setTimer(2_000, () => session.close());
  slot.start();
  await clock.advance(MINUTE_MS / 2);
  expect([connections.length > 4, needed()]).toEqual([true, 0]);
  let replaced = false;
  for (let i = 0; i < 90; i++) {
    await clock.advance(1_000);
    replaced ||= needed() === 1;
  }
  expect(replaced).toBe(true);
});

it("is lost anew each time that its mailboxes were open before", async () => {
  let last: EdgeSession | undefined;
  onUp = (session) => {
    last = session;
    slot.phase = "ready";
  };
  slot.start();
  for (let i = 0; i < 20; i++) {
    await clock.advance(10_000);
    last?.close();
    expect(slot.lostAt).toBe(clock.now());
    expect(needed()).toBe(0);
  }
});

it("is not given up for the time that the device slept", async () => {
  slot.start();
  await clock.advance(0);
  slot.phase = "ready";
  for (const { onClose } of connections) onClose("gone");
  jumpedMs = 8 * 60 * MINUTE_MS;
  expect(needed()).toBe(1);
  slot.clockJumped();
  expect(needed()).toBe(0);
});
