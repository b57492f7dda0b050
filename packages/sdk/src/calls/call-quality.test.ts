/** What a call does with its statistics: tells how it is, sends accordingly, and sums up at the end. */
import type { CallEvent, CallState } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { CallHandle } from "./call-handle.ts";
import type { CallSession } from "./call-session.ts";
import type { PeerLeg } from "./peer-leg.ts";
import { linkReport } from "./testing/link-report-cases.ts";

const camera = { kind: "video" } as MediaStreamTrack;
const microphone = { kind: "audio" } as MediaStreamTrack;

let clock: VirtualClock;
let call: CallHandle;
let phase: "active" | "reconnecting";
/** What the link does in each second. */
let link: { arriving: number; lost: number; fractionLost: number };
let asked: CallEvent[];
let voices: unknown[];
let encodings: Record<string, unknown>[];

const stateNow = () =>
  ({
    phase,
    role: "caller",
    callId: new Uint8Array(16),
    legs: [],
    remoteMedia: { audio: true, video: true },
    wantsVideo: true,
    mediaOpen: true,
  }) as unknown as CallState;

function fakeLeg(): PeerLeg {
  const totals = { packetsReceived: 0, packetsLost: 0, totalSamplesReceived: 0 };
  const sender = (encoding: Record<string, unknown>) => ({
    getParameters: () => ({ encodings: [encoding] }),
    setParameters: async () => {},
  });
  const peer = {
    getStats: async () => {
      totals.packetsReceived += link.arriving;
      totals.packetsLost += link.lost;
      totals.totalSamplesReceived += 48_000;
      return linkReport({ ...totals, fractionLost: link.fractionLost });
    },
    getTransceivers: () => encodings.map((encoding) => ({ sender: sender(encoding) })),
  };
  const leg = {
    peer,
    remoteTracks: () => ({}),
    setTracks: async () => {},
    sendVoice: (voice: unknown) => void voices.push(voice),
  };
  return leg as unknown as PeerLeg;
}

const pass = (seconds: number) => clock.advance(seconds * 1_000);

beforeEach(async () => {
  clock = new VirtualClock();
  phase = "active";
  link = { arriving: 50, lost: 0, fractionLost: 0 };
  asked = [];
  voices = [];
  encodings = [{}, {}];
  const session = {
    get state() {
      return stateNow();
    },
    handle: (event: CallEvent) => void asked.push(event),
  } as unknown as CallSession;
  call = new CallHandle(session, {
    clock,
    direction: "outgoing",
    peer: () => ({ id: "ear1", name: "Ben", state: "contact", addedAt: 0 }),
    media: { audio: microphone, video: camera },
    lowData: false,
    onListenerError: (error) => {
      throw error;
    },
  });
  call.handleMediaOpen(fakeLeg(), { audio: true, video: true });
  call.handleState(stateNow());
  await pass(3);
});

describe("a call on a bad link", () => {
  it("says so within seconds, and tells its listeners of changes only", async () => {
    expect(call.quality).toMatchObject({ verdict: "good" });
    let told = 0;
    call.on("change", () => (told += 1));
    link.lost = 10;
    await pass(10);
    expect(call.quality).toMatchObject({ verdict: "poor", side: "theirs", problem: "loss" });
    expect(told).toBeLessThanOrEqual(2);
  });

  it("sends the voice with redundancy, holds the picture back and says so to the other side; later it is back", async () => {
    link.fractionLost = 0.2;
    await pass(12);
    expect(voices.at(-1)).toMatchObject({ redundant: true });
    expect(call.pictureHeld).toBe(true);
    expect(asked.at(-1)).toEqual({ type: "set-media", media: { audio: true, video: false } });
    // The person's camera is still theirs, and on.
    expect(call.localVideo).toBe(camera);
    link.fractionLost = 0;
    await pass(60);
    expect(call.pictureHeld).toBe(false);
    expect(asked.at(-1)).toEqual({ type: "set-media", media: { audio: true, video: true } });
    expect(voices.at(-1)).toMatchObject({ redundant: false });
  });

  it("limits the picture, and puts the voice first", async () => {
    link.fractionLost = 0.15;
    await pass(4);
    expect(encodings[0]).toMatchObject({ priority: "high" });
    expect(encodings[1]).toMatchObject({ scaleResolutionDownBy: 2, maxFramerate: 24, priority: "low" });
  });

  it("is lost while there is no path, and sums up for the person what it was like", async () => {
    await pass(7);
    phase = "reconnecting";
    call.handleState(stateNow());
    expect(call.quality).toMatchObject({ verdict: "lost", problem: "silence" });
    await pass(20);
    phase = "active";
    call.handleState(stateNow());
    await pass(5);
    expect(call.quality).toMatchObject({ verdict: "good" });
    call.handleEnded("hung-up");
    expect(call.summary?.seconds).toBe(35);
    expect(call.summary?.lost).toBe(0);
    expect(call.summary?.shown.lost).toBeGreaterThanOrEqual(20);
    expect(call.summary?.shown.good).toBeGreaterThanOrEqual(10);
  });
});
