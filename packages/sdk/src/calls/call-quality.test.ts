/** What a call does with its statistics: tells how it is, sends accordingly, and sums up at the end. */
import type { CallEvent, CallState } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { CallMedia } from "../call-api.ts";
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
let remoteWish: CallState["remoteWish"];
let voices: unknown[];
let encodings: Record<string, unknown>[];

const stateNow = () =>
  ({
    phase,
    role: "caller",
    callId: new Uint8Array(16),
    legs: [],
    remoteMedia: { audio: true, video: true },
    remoteWish,
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

function callWith(media: CallMedia, lowData: boolean): CallHandle {
  const session = {
    get state() {
      return stateNow();
    },
    handle: (event: CallEvent) => void asked.push(event),
  } as unknown as CallSession;
  return new CallHandle(session, {
    clock,
    direction: "outgoing",
    peer: () => ({ id: "ear1", name: "Ben", state: "contact", addedAt: 0 }),
    media,
    lowData,
    onListenerError: (error) => {
      throw error;
    },
  });
}

const pass = (seconds: number) => clock.advance(seconds * 1_000);

beforeEach(async () => {
  clock = new VirtualClock();
  phase = "active";
  link = { arriving: 50, lost: 0, fractionLost: 0 };
  asked = [];
  remoteWish = { leanVoice: false, picture: "full" };
  voices = [];
  encodings = [{}, {}];
  call = callWith({ audio: microphone, video: camera }, false);
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

describe("little data", () => {
  const wishes = () => asked.filter(({ type }) => type === "set-wish");
  const open = async (media: CallMedia) => {
    asked = [];
    call = callWith(media, true);
    call.handleMediaOpen(fakeLeg(), { audio: true, video: media.video !== undefined });
    call.handleState(stateNow());
    await pass(2);
  };

  it("asks the other side for a lean voice and no picture, once; for a small one when the person does", async () => {
    await open({ audio: microphone });
    expect(call.pictureWanted).toBe(false);
    call.handleMediaOpen(fakeLeg(), { audio: true, video: false });
    expect(wishes()).toEqual([{ type: "set-wish", wish: { leanVoice: true, picture: "none" } }]);
    call.setPictureWanted(true);
    call.setPictureWanted(true);
    expect(wishes().slice(1)).toEqual([{ type: "set-wish", wish: { leanVoice: true, picture: "small" } }]);
  });

  it("takes a picture along for a wish to see theirs, and sends a small one", async () => {
    await open({ audio: microphone, video: camera });
    expect(wishes()).toEqual([{ type: "set-wish", wish: { leanVoice: true, picture: "small" } }]);
    expect(encodings[1]).toMatchObject({ scaleResolutionDownBy: 4 });
    expect(voices.at(-1)).toEqual({ redundant: false, lean: true, sparse: true });
  });

  it("does what the other side asks for: holds the picture back, says so, and lets it go again", async () => {
    expect(wishes()).toEqual([]);
    remoteWish = { leanVoice: true, picture: "none" };
    let told = 0;
    call.on("change", () => (told += 1));
    call.handleState(stateNow());
    expect(told).toBe(1);
    await pass(1);
    expect(call.pictureHeld).toBe(true);
    expect(asked.at(-1)).toEqual({ type: "set-media", media: { audio: true, video: false } });
    expect(voices.at(-1)).toEqual({ redundant: false, lean: true, sparse: false });
    remoteWish = { leanVoice: true, picture: "small" };
    await pass(1);
    expect(call.pictureHeld).toBe(false);
    expect(asked.at(-1)).toEqual({ type: "set-media", media: { audio: true, video: true } });
    expect(encodings[1]).toMatchObject({ scaleResolutionDownBy: 4 });
  });
});
