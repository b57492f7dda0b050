/**
 * Typed set-ups against real WebRTC stacks: an SDP that is built from the typed form alone connects Chromium and
 * @roamhq/wrtc in all four combinations, carries sound and picture once tracks are put on, and survives an ICE restart.
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type CallSetup,
  candidateText,
  checkAnswering,
  decodeSetup,
  encodeSetup,
  parseCandidateText,
  sdpOfSetup,
  setupOfSdp,
  unwrap,
} from "@earshot/core";
import wrtc from "@roamhq/wrtc";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { makePeer } from "./setup-sdp-peer.mjs";

type Peer = ReturnType<typeof makePeer>;
type Engine = "chromium" | "wrtc";

const POLICY = { relay: "never", video: true, relays: [] } as const;

let browser: ChromiumProcess;
let server: Server;
let origin: string;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html>"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  browser = await launchChromium();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** A peer whose methods run in a page of its own. */
async function chromiumPeer(): Promise<Peer> {
  const page = await browser.context.newPage();
  closers.push(() => page.close());
  await page.goto(origin);
  const source = await readFile(new URL("./setup-sdp-peer.mjs", import.meta.url), "utf8");
  await page.addScriptTag({ type: "module", content: `${source}\nglobalThis.makePeer = makePeer;` });
  await page.waitForFunction("globalThis.makePeer !== undefined");
  await page.evaluate(`
    globalThis.peer = makePeer(RTCPeerConnection, async (kind) =>
      (await navigator.mediaDevices.getUserMedia({ [kind]: true })).getTracks()[0]);
    undefined`);
  return new Proxy({} as Peer, {
    get: (_, name) =>
      name === "then"
        ? undefined
        : (...args: unknown[]) => page.evaluate(`peer[${JSON.stringify(name)}](...${JSON.stringify(args)})`),
  });
}

function wrtcPeer(): Peer {
  const stops: (() => void)[] = [];
  const every = (milliseconds: number, push: () => void) => {
    const timer = setInterval(push, milliseconds);
    stops.push(() => clearInterval(timer));
  };
  const makers = {
    audio: () => {
      const source = new wrtc.nonstandard.RTCAudioSource();
      let at = 0;
      every(10, () => {
        const samples = Int16Array.from({ length: 480 }, () => 8000 * Math.sin((2 * Math.PI * 440 * at++) / 48_000));
        source.onData({ samples, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 });
      });
      return source.createTrack();
    },
    video: () => {
      const source = new wrtc.nonstandard.RTCVideoSource();
      let shade = 0;
      every(40, () => {
        shade = (shade + 1) % 256;
        source.onFrame({ width: 320, height: 240, data: new Uint8Array((320 * 240 * 3) / 2).fill(shade) });
      });
      return source.createTrack();
    },
  };
  const peer: Peer = makePeer(wrtc.RTCPeerConnection, async (kind: keyof typeof makers) => makers[kind]());
  closers.push(async () => {
    for (const stop of stops) stop();
    await peer.close();
  });
  return peer;
}

async function peerOf(engine: Engine): Promise<Peer> {
  return engine === "chromium" ? chromiumPeer() : wrtcPeer();
}

/** What the other side gets to know of an SDP: the typed set-up, over its bytes. */
function travel(sdp: string, role: CallSetup["role"]): CallSetup {
  return unwrap(decodeSetup(encodeSetup(unwrap(setupOfSdp(sdp, role, POLICY))).bytes)).setup;
}

async function exchange(caller: Peer, callee: Peer, generation: number): Promise<[CallSetup, CallSetup]> {
  const callerSetup = travel(await caller.offer(generation > 0), "caller");
  const calleeSetup = travel(await callee.answer(sdpOfSetup(callerSetup, generation)), "callee");
  unwrap(checkAnswering(callerSetup, calleeSetup));
  await caller.accept(sdpOfSetup(calleeSetup, generation));
  const typed = (texts: string[], ufrag: string) =>
    texts.map((text) => candidateText(unwrap(parseCandidateText(text)), ufrag));
  await callee.add(typed(await caller.gathered(), callerSetup.ufrag));
  await caller.add(typed(await callee.gathered(), calleeSetup.ufrag));
  return [callerSetup, calleeSetup];
}

describe.each<[Engine, Engine]>([
  ["wrtc", "wrtc"],
  ["chromium", "wrtc"],
  ["wrtc", "chromium"],
  ["chromium", "chromium"],
])("%s calls %s", (callerEngine, calleeEngine) => {
  test("over typed set-ups: no packet before the tracks, then sound and picture both ways, and again after a restart", async () => {
    const caller = await peerOf(callerEngine);
    const callee = await peerOf(calleeEngine);
    const [callerSetup, calleeSetup] = await exchange(caller, callee, 0);
    await Promise.all([caller.connected(), callee.connected()]);
    await caller.message("from the caller");
    await callee.message("from the callee");
    expect(await callee.messages(1)).toEqual(["from the caller"]);
    expect(await caller.messages(1)).toEqual(["from the callee"]);
    expect(await caller.sentPackets()).toBe(0);
    expect(await callee.sentPackets()).toBe(0);
    // RFC 8842: the callee's `active` makes the caller the DTLS server; one bundle, so one transport.
    expect(await caller.transport()).toEqual({ dtlsRole: "server", dtlsState: "connected", transports: 1 });
    expect(await callee.transport()).toEqual({ dtlsRole: "client", dtlsState: "connected", transports: 1 });

    await caller.attach("audio");
    await callee.attach("audio");
    expect(await callee.hears("audio", 20)).toEqual({ tracks: ["audio", "video"] });
    await caller.hears("audio", 20);
    await caller.attach("video");
    await callee.attach("video");
    await callee.hears("video", 5);
    await caller.hears("video", 5);

    const [restarted, answered] = await exchange(caller, callee, 1);
    expect(restarted.ufrag).not.toBe(callerSetup.ufrag);
    expect(answered.ufrag).not.toBe(calleeSetup.ufrag);
    expect(restarted.fingerprint).toEqual(callerSetup.fingerprint);
    await caller.hears("audio", 20);
    await callee.hears("video", 5);
  }, 60_000);
});
