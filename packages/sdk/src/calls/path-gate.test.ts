import { type Candidate, toHex } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { PathGate } from "./path-gate.ts";

const RELAYED: Candidate = {
  ...{ foundation: "1", transport: "udp", priority: 1, address: "198.51.100.9", port: 40_000, type: "relay" },
  ...{ relatedAddress: null, relatedPort: null, tcpType: null, relay: null },
};
const DIRECT = ["host", "srflx", 5_000] as const;
const OVER_OWN = ["relay", "srflx", 5_000] as const;
const OVER_THEIRS = ["host", "prflx", 40_000] as const;

let clock: VirtualClock;
let told: string[];
let path: readonly [string, string, number] | undefined;
let gate: PathGate;
beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  path = DIRECT;
  gate = new PathGate(clock, {
    look: async () => report(path),
    onTransport: (state) => told.push(state),
    onChannelOpen: () => told.push("channel"),
    onMessage: (bytes) => told.push(toHex(bytes)),
    onForbidden: () => told.push("forbidden"),
  });
});

/** As a browser tells a path: of an address that was never added, the port alone. */
function report(selected: typeof path): RTCStatsReport {
  const entries: (readonly [string, object])[] = [];
  if (selected) {
    const [local, remote, port] = selected;
    entries.push([
      "p",
      {
        type: "candidate-pair",
        id: "p",
        localCandidateId: "l",
        remoteCandidateId: "r",
        state: "succeeded",
        nominated: true,
      },
    ]);
    entries.push(["l", { type: "local-candidate", id: "l", candidateType: local }]);
    entries.push(["r", { type: "remote-candidate", id: "r", candidateType: remote, port }]);
  }
  return new Map(entries) as unknown as RTCStatsReport;
}

it("is not there where no relay is forbidden: all is told at once", () => {
  path = OVER_OWN;
  gate.channelOpen();
  gate.transport("connected");
  gate.message(Uint8Array.of(1));
  gate.transport("disconnected");
  expect(told).toEqual(["channel", "connected", "01", "disconnected"]);
  expect(clock.pending).toBe(0);
});

it("holds a path over the own relay back, with what comes over it, until a direct one is taken", async () => {
  path = OVER_OWN;
  gate.forbidOwn(() => true);
  gate.channelOpen();
  gate.transport("connected");
  gate.message(Uint8Array.of(1));
  await clock.advance(3_000);
  expect(told).toEqual([]);
  path = DIRECT;
  await clock.advance(250);
  gate.message(Uint8Array.of(2));
  expect(told).toEqual(["connected", "channel", "01", "02"]);
});

it("lets a path through over another of the own relays", async () => {
  gate.forbidOwn(() => false);
  path = OVER_OWN;
  gate.transport("connected");
  await clock.advance(0);
  expect(told).toEqual(["connected"]);
});

it("knows a relay of theirs that was never tried by its port", async () => {
  gate.forbidTheirs([RELAYED]);
  path = OVER_THEIRS;
  gate.transport("connected");
  await clock.advance(1_000);
  expect(told).toEqual([]);
  path = ["host", "prflx", 40_001];
  await clock.advance(250);
  expect(told).toEqual(["connected"]);
});

it("takes no path that is not told for one that is allowed", async () => {
  gate.forbidOwn(() => true);
  path = undefined;
  gate.transport("connected");
  await clock.advance(1_000);
  expect(told).toEqual([]);
});

it("lets a direct path through within one look", async () => {
  gate.forbidOwn(() => true);
  gate.transport("connected");
  await clock.advance(0);
  expect(told).toEqual(["connected"]);
});

it("tells a path as gone that turns to a forbidden relay during the call, and as back once it is direct again", async () => {
  gate.forbidOwn(() => true);
  gate.transport("connected");
  gate.channelOpen();
  await clock.advance(0);
  path = OVER_OWN;
  await clock.advance(2_000);
  expect(told).toEqual(["connected", "channel", "forbidden", "disconnected"]);
  gate.message(Uint8Array.of(3));
  path = DIRECT;
  await clock.advance(250);
  expect(told.slice(4)).toEqual(["03", "connected"]);
});

it("looks at a path that stands already once a relay of theirs becomes known as forbidden", async () => {
  path = OVER_THEIRS;
  gate.transport("connected");
  gate.forbidTheirs([RELAYED]);
  await clock.advance(0);
  expect(told).toEqual(["connected", "forbidden", "disconnected"]);
});

it("looks no more once the path is gone or the call over, and keeps a bounded number of messages", async () => {
  path = OVER_OWN;
  gate.forbidOwn(() => true);
  gate.transport("connected");
  await clock.advance(1_000);
  gate.transport("failed");
  expect([told.at(-1), clock.pending]).toEqual(["failed", 0]);
  gate.transport("connected");
  for (let i = 0; i < 100; i++) gate.message(Uint8Array.of(i));
  await clock.advance(500);
  path = DIRECT;
  gate.channelOpen();
  await clock.advance(500);
  expect(told.filter((each) => /^\d|^[a-f0-9]{2}$/.test(each))).toHaveLength(64);
  gate.stop();
  await clock.advance(5_000);
  expect(clock.pending).toBe(0);
});
