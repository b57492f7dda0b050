import type { Candidate, CallSetup, Clock } from "@earshot/core";
import { deferred } from "@earshot/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadWrtc, wrtcPeerConnection } from "../node/wrtc.ts";
import { systemClock } from "../system-ports.ts";
import { OFF_LIMIT_MS, PeerLeg, type PeerLegHandlers } from "./peer-leg.ts";
import { readPath, readStats } from "./call-stats.ts";

const options = {
  peerConnection: wrtcPeerConnection,
  plan: async () => ({
    stunServers: [],
    relays: [],
    consent: { relay: "any" as const, video: true },
    relayOnly: false,
  }),
  clock: systemClock,
};

const ANY_RELAY = { mine: true, theirs: [] };

interface LegChanges {
  readonly clock?: Clock;
  readonly onChannelClosed?: () => void;
}

/** A leg with promises for what it tells. */
function makeLeg(onCandidates: PeerLegHandlers["onCandidates"], more: LegChanges = {}) {
  const told = {
    setup: deferred<CallSetup>(),
    connected: deferred<void>(),
    channel: deferred<void>(),
    message: deferred<Uint8Array>(),
    restart: deferred<{ ufrag: string; pwd: string }>(),
  };
  const leg = new PeerLeg(
    { ...options, clock: more.clock ?? systemClock },
    {
      onSetup: told.setup.resolve,
      onCandidates,
      onTransport: (state) => state === "connected" && told.connected.resolve(),
      onChannelOpen: told.channel.resolve,
      onChannelClosed: more.onChannelClosed ?? (() => {}),
      onMessage: told.message.resolve,
      onRestartReady: (_, ufrag, pwd) => told.restart.resolve({ ufrag, pwd }),
      onRefused: () => {},
      onFailed: (error) => Object.values(told).forEach((each) => each.reject(error)),
    },
  );
  return { leg, ...told };
}

/** `more`: how the second is made. */
async function connectedPair(more: LegChanges = {}) {
  const ufrags = new Map<string, Promise<string>>();
  const queue = (to: () => PeerLeg, from: "a" | "b") => (_: number, candidates: readonly Candidate[], end: boolean) =>
    void ufrags.get(from)?.then((ufrag) => to().addRemoteCandidates(candidates, ufrag, end));
  const a = makeLeg(queue(() => b.leg, "a"));
  const b = makeLeg(
    queue(() => a.leg, "b"),
    more,
  );
  ufrags.set(
    "a",
    a.setup.promise.then((setup) => setup.ufrag),
  );
  ufrags.set(
    "b",
    b.setup.promise.then((setup) => setup.ufrag),
  );
  a.leg.createCaller();
  const aSetup = await a.setup.promise;
  b.leg.createCallee(aSetup, ANY_RELAY);
  const bSetup = await b.setup.promise;
  a.leg.applyRemoteSetup(bSetup, ANY_RELAY);
  await Promise.all([a.connected, b.connected, a.channel, b.channel].map((each) => each.promise));
  return { a, b, aSetup, bSetup };
}

let legs: PeerLeg[] = [];
afterEach(async () => {
  await Promise.all(legs.map((leg) => leg.close()));
  legs = [];
});

it("connects two sides from typed set-ups alone, and carries messages and sound", async () => {
  const { a, b } = await connectedPair();
  legs = [a.leg, b.leg];
  a.leg.send(Uint8Array.of(1, 2, 3));
  expect(await b.message.promise).toEqual(Uint8Array.of(1, 2, 3));

  const { nonstandard } = loadWrtc();
  const source = new nonstandard.RTCAudioSource();
  await a.leg.setTracks({ audio: source.createTrack(), video: null });
  const track = b.leg.remoteTracks().audio as MediaStreamTrack;
  const sink = new nonstandard.RTCAudioSink(track);
  const heard = deferred<void>();
  sink.ondata = ({ samples }) => samples.some((sample) => Math.abs(sample) > 2000) && heard.resolve();
  let frame = 0;
  const speaking = setInterval(() => {
    const samples = Int16Array.from({ length: 480 }, (_, i) => 12_000 * Math.sin((frame * 480 + i) * 0.0576));
    frame += 1;
    source.onData({ samples, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 });
  }, 10);
  try {
    await heard.promise;
  } finally {
    clearInterval(speaking);
    sink.stop();
  }
  const report = await (a.leg.peer as RTCPeerConnection).getStats();
  const path = readPath(report, {
    confirmed: true,
    missingCandidates: 0,
    addressHidden: false,
    ownRelays: [],
    theirRelays: [],
    theirCandidates: [],
    trustedRelays: [],
  });
  expect(path).toMatchObject({ kind: "direct", localType: expect.any(String), confirmed: true });
  expect(readStats(report).bytesSent).toBeGreaterThan(0);
});

it("restarts ICE with new credentials, and the channel lives on", async () => {
  const { a, b, aSetup, bSetup } = await connectedPair();
  legs = [a.leg, b.leg];
  a.leg.restartIce(1);
  const offer = await a.restart.promise;
  expect(offer.ufrag).not.toBe(aSetup.ufrag);
  b.leg.applyRestart(1, { ...aSetup, ...offer });
  const answer = await b.restart.promise;
  expect(answer.ufrag).not.toBe(bSetup.ufrag);
  a.leg.applyRestart(1, { ...bSetup, ...answer });
  b.leg.send(Uint8Array.of(9));
  expect(await a.message.promise).toEqual(Uint8Array.of(9));
});

it("sends the voice with redundancy and without, and the other side and the path are not touched", async () => {
  const { a, b } = await connectedPair();
  legs = [a.leg, b.leg];
  for (const leg of legs) {
    const peer = leg.peer as RTCPeerConnection;
    const ufragOf = () => /a=ice-ufrag:(.*)/.exec(peer.localDescription?.sdp ?? "")?.[1];
    const first = () => peer.getTransceivers()[0]?.sender.getParameters().codecs[0]?.mimeType;
    const ufrag = ufragOf();
    expect(first()).toBe("audio/opus");
    leg.sendVoice({ redundant: true, lean: false, sparse: false });
    await expect.poll(first).toBe("audio/red");
    leg.sendVoice({ redundant: false, lean: true, sparse: true });
    await expect.poll(() => peer.remoteDescription?.sdp).toContain("usedtx=1");
    await expect.poll(first).toBe("audio/opus");
    expect(peer.signalingState).toBe("stable");
    expect(ufragOf()).toBe(ufrag);
  }
  a.leg.send(Uint8Array.of(5));
  expect(await b.message.promise).toEqual(Uint8Array.of(5));
});

it("survives a platform that refuses to send the voice in another way", async () => {
  const { a, b } = await connectedPair();
  legs = [a.leg, b.leg];
  const peer = a.leg.peer as RTCPeerConnection;
  const { setRemoteDescription } = peer;
  const refused = deferred<void>();
  peer.setRemoteDescription = () => {
    refused.resolve();
    return Promise.reject(new Error("no"));
  };
  a.leg.sendVoice({ redundant: true, lean: false, sparse: false });
  await refused.promise;
  await expect.poll(() => peer.signalingState).toBe("stable");
  peer.setRemoteDescription = setRemoteDescription;
  b.leg.send(Uint8Array.of(6));
  expect(await a.message.promise).toEqual(Uint8Array.of(6));
});

describe("a connection whose platform is stuck", () => {
  const never = () => new Promise<never>(() => {});
  let a: PeerLeg;
  let b: PeerLeg;
  let heard: Promise<Uint8Array>;
  /** What ran out of time is made to, instead of waiting for it. */
  let runOut: Map<number, () => void>;
  let channelClosed: boolean;
  beforeEach(async () => {
    runOut = new Map();
    channelClosed = false;
    const clock: Clock = {
      now: () => systemClock.now(),
      setTimer(delayMs, fire) {
        if (delayMs !== OFF_LIMIT_MS) return systemClock.setTimer(delayMs, fire);
        runOut.set(delayMs, fire);
        return () => runOut.delete(delayMs);
      },
    };
    const pair = await connectedPair({ clock, onChannelClosed: () => (channelClosed = true) });
    ({ leg: a } = pair.a);
    ({ leg: b } = pair.b);
    legs = [a, b];
    heard = pair.a.message.promise;
    await b.setTracks({ audio: new (loadWrtc().nonstandard.RTCAudioSource)().createTrack(), video: null });
    // As a far end can bring about with a restart: what is behind this waits for ever.
    const peer = b.peer as RTCPeerConnection;
    peer.setRemoteDescription = never;
    b.applyRestart(1, { ...pair.aSetup, ufrag: "abcd", pwd: "x".repeat(24) });
  });
  const sent = () => (b.peer as RTCPeerConnection).getTransceivers()[0]?.sender.track;

  it("is muted at once, and a track that was asked for before cannot win", async () => {
    const other = new (loadWrtc().nonstandard.RTCAudioSource)().createTrack();
    const on = b.setTracks({ audio: other, video: null });
    await Promise.all([on, b.setTracks({ audio: null, video: null })]);
    expect(sent()).toBeNull();
    await b.setTracks({ audio: other, video: null });
    expect(sent()).toBe(other);
  });

  it("says goodbye and closes", async () => {
    b.send(Uint8Array.of(7));
    await b.close();
    expect(await heard).toEqual(Uint8Array.of(7));
    expect(sent() ?? null).toBeNull();
    expect(b.peer?.connectionState).toBe("closed");
  });

  it("is cut where it goes on sending what was taken off", async () => {
    const { sender } = (b.peer as RTCPeerConnection).getTransceivers()[0] as RTCRtpTransceiver;
    Object.defineProperty(sender, "replaceTrack", { value: never });
    const muted = b.setTracks({ audio: null, video: null });
    runOut.get(OFF_LIMIT_MS)?.();
    await muted;
    expect(b.peer?.connectionState).toBe("closed");
    expect(channelClosed).toBe(true);
  });
});
