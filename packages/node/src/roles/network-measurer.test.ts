import type { EdgeRequest, EdgeSession } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { NetworkMeasurer, type OtherSupernode } from "./network-measurer.ts";

const HOUR = 3_600_000;

/** Six supernodes of six prefixes; each answers as `answer` says, or is not there. */
function measurer(
  answer: (key: string, asked: EdgeRequest) => object | undefined,
  options: { address?: string; msPerProbe?: Record<string, number> } = {},
) {
  const clock = new VirtualClock();
  const asked: { key: string; request: EdgeRequest }[] = [];
  const others: OtherSupernode[] = ["a", "b", "c", "d", "e", "f"].map((key) => ({
    key,
    ref: { supernodeKey: new TextEncoder().encode(key), dht: "", url: "" },
    prefix: `prefix ${key}`,
    clients: 0,
    maxClients: 10,
  }));
  let closed = 0;
  let elapsedMs = 0;
  let probing = "";
  const ports = {
    clock,
    unit: () => 0.5,
    elapsedMs: () => elapsedMs,
    supernodeKey: new Uint8Array(32),
    address: () => options.address ?? "",
    port: () => 4242,
    others: () => others,
    openSession: async ({ supernodeKey }: { supernodeKey: Uint8Array }) => {
      const key = new TextDecoder().decode(supernodeKey);
      const session = {
        request: async (request: EdgeRequest) => {
          asked.push({ key, request });
          if (request.type === "probe") {
            expect(["", key]).toContain(probing);
            probing = key;
            await Promise.resolve();
            probing = "";
            elapsedMs += options.msPerProbe?.[key] ?? 1;
          }
          const value = answer(key, request);
          if (value === undefined) throw new Error("gone");
          return value;
        },
        close: () => void closed++,
      };
      return session as unknown as EdgeSession;
    },
  };
  const made = new NetworkMeasurer(ports, { measureEveryMs: 60_000, dialBackFreshMs: HOUR });
  return { measurer: made, clock, asked, closed: () => closed };
}

const probed = { ok: true, value: { type: "ok" } };
const dialled = (reached: boolean, observedHost: string) => ({
  ok: true,
  value: { type: "dialled", reached, observedHost },
});
const hostOf = (request: EdgeRequest) => (request.type === "dial-back" ? request.dht.split(":")[0] : "");

test("a node that is told no address by the DHT hears it from those it asks, and is then dialled there", async () => {
  const { measurer: m, asked } = measurer((_key, request) =>
    request.type === "dial-back" ? dialled(hostOf(request) === "203.0.113.7", "203.0.113.7") : probed,
  );
  expect(m.host).toBe("");
  await m.measure();
  expect(m.host).toBe("203.0.113.7");
  expect(m.dialBacks.map(({ reached }) => reached)).toEqual([true, true, true]);
  expect(asked.filter(({ request }) => request.type === "dial-back").map(({ request }) => hostOf(request))).toContain(
    "0.0.0.0",
  );
  expect(m.counts).toEqual({ reached: 3, failed: 0, unanswered: 0 });
});

test("one that lies about where it sees us is outvoted, and its no counts for nothing", async () => {
  const { measurer: m } = measurer((key, request) => {
    if (request.type !== "dial-back") return probed;
    return key === "d" ? dialled(false, "198.51.100.1") : dialled(hostOf(request) === "203.0.113.7", "203.0.113.7");
  });
  await m.measure();
  await m.measure();
  expect(m.host).toBe("203.0.113.7");
  expect(m.dialBacks.every(({ reached }) => reached)).toBe(true);
});

test("who is not there, breaks off or refuses is no word on us", async () => {
  const { measurer: m, closed } = measurer((key) => (key === "d" ? undefined : { ok: false, code: "rate-limited" }), {
    address: "203.0.113.7:4242",
  });
  await m.measure();
  expect(m.dialBacks).toEqual([]);
  expect(m.uplinkBytesPerSecond).toBe(null);
  expect(m.counts.unanswered).toBe(3);
  expect(closed()).toBe(3);
});

test("the uplink is measured within a budget, however long it goes on", async () => {
  const {
    measurer: m,
    clock,
    asked,
  } = measurer((_key, request) => (request.type === "dial-back" ? dialled(true, "203.0.113.7") : probed), {
    address: "203.0.113.7:4242",
  });
  m.setActive(true);
  await clock.advance(HOUR);
  expect(m.uplinkBytesPerSecond).toBeGreaterThan(0);
  const probeBytes = () =>
    asked.reduce((sum, { request }) => sum + (request.type === "probe" ? request.padding.length : 0), 0);
  expect(probeBytes()).toBeLessThanOrEqual(2 * 1024 * 1024);
  m.setActive(false);
  const before = asked.length;
  await clock.advance(HOUR);
  expect(asked.length).toBe(before);
  expect(clock.pending).toBe(0);
});

test("told that something may have changed it asks soon, and no more often afterwards", async () => {
  const {
    measurer: m,
    clock,
    asked,
  } = measurer((_key, request) => (request.type === "dial-back" ? dialled(true, "203.0.113.7") : probed));
  const dialBacks = () => asked.filter(({ request }) => request.type === "dial-back").length;
  m.measureSoon();
  expect(clock.pending).toBe(0);
  m.setActive(true);
  await clock.advance(10_000);
  const first = dialBacks();
  m.measureSoon();
  await clock.advance(5_000);
  expect(dialBacks()).toBeGreaterThan(first);
  // Also in the middle of a round, and again and again.
  for (let i = 0; i < 10; i++) {
    clock.advanceSync(5_000);
    m.measureSoon();
  }
  await clock.advance(5_000);
  expect(clock.pending).toBe(1);
  const before = dialBacks();
  await clock.advance(10 * 60_000);
  expect(dialBacks() - before).toBeLessThanOrEqual(3 * 11);
  m.setActive(false);
  expect(clock.pending).toBe(0);
});

test("one supernode that is slow, or that answers before it has taken anything, does not decide how fast the uplink is", async () => {
  const reached = (_key: string, request: EdgeRequest) =>
    request.type === "dial-back" ? dialled(true, "203.0.113.7") : probed;
  // Picked in this order: d, c, e. 53 probes of 10,000 bytes, one after another.
  for (const [msPerProbe, kibPerSecond] of [
    [{ d: 10, c: 10, e: 0.001 }, 976],
    [{ d: 10, c: 1_000, e: 10 }, 976],
    [{ d: 0.001, c: 100, e: 100 }, 97],
  ] as const) {
    const { measurer: m } = measurer(reached, { address: "203.0.113.7:4242", msPerProbe });
    expect(m.uplinkBytesPerSecond).toBe(null);
    await m.measure();
    expect(Math.floor((m.uplinkBytesPerSecond ?? 0) / 1024)).toBe(kibPerSecond);
  }
});

test("two that disagree on where they see us change nothing; two that agree do, and what was measured before is forgotten", async () => {
  let seenAt: Record<string, string> = {};
  const { measurer: m } = measurer((key, request) => {
    const host = seenAt[key] ?? "203.0.113.7";
    return request.type === "dial-back" ? dialled(hostOf(request) === host, host) : probed;
  });
  await m.measure();
  expect(m.host).toBe("203.0.113.7");
  seenAt = { d: "198.51.100.1" };
  await m.measure();
  await m.measure();
  expect(m.host).toBe("203.0.113.7");
  expect(m.dialBacks).toHaveLength(3);
  seenAt = { d: "198.51.100.1", c: "198.51.100.1" };
  await m.measure();
  expect(m.host).toBe("198.51.100.1");
  expect(m.dialBacks).toEqual([]);
  expect(m.uplinkBytesPerSecond).toBe(null);
  await m.measure();
  expect(m.dialBacks.filter(({ reached }) => reached)).toHaveLength(2);
});
