/**
 * Two people in two Chromium processes, each with a voice of their own as the microphone: what is heard at each end is
 * the other's voice, none of it passes through the node, and killing the node in the middle does not end the call.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import { selectedPath, watchPeerConnections } from "./lib/media-path.ts";
import { recordRemoteAudio } from "./lib/remote-audio.ts";
import type { Sound } from "./lib/sound.ts";
import { type Speaker, speech } from "./lib/speech.ts";
import { voiceMatch } from "./lib/voice-match.ts";
import { answer, closeEnded, control, dial, exchangeCards, firstRun, isOnline, reaches } from "./web-app.ts";

/** Long enough for a median over a dozen windows of speech. */
const LISTEN_SECONDS = 8;
/** What two idle clients may exchange with their node in that time: pings and their answers, a record now and then. */
const MAX_NODE_BYTES_DURING_CALL = 4_096;
/** An Opus call of that length is far more. */
const MIN_MEDIA_BYTES = LISTEN_SECONDS * 2_000;

let node: Daemon;
let ann: ChromiumProcess;
let ben: ChromiumProcess;

beforeAll(async () => {
  [node, ann, ben] = await Promise.all([
    startDaemon({ args: ["--no-echo"] }),
    launchChromium({ wavFile: speech("ann").path }),
    launchChromium({ wavFile: speech("ben").path }),
  ]);
  await Promise.all([watchPeerConnections(ann.context), watchPeerConnections(ben.context)]);
  await Promise.all([firstRun(ann.page, node.url, "Ann"), firstRun(ben.page, node.url, "Ben")]);
  await exchangeCards({ page: ann.page, name: "Ann" }, { page: ben.page, name: "Ben" });
});

afterAll(async () => {
  await Promise.all([ann?.close(), ben?.close()]);
  await node?.stop();
});

async function call(from: ChromiumProcess, to: ChromiumProcess, name: string): Promise<void> {
  await dial(from.page, name);
  await answer(to.page);
  await Promise.all([reaches(from.page, "active"), reaches(to.page, "active")]);
}

async function hangUp(): Promise<void> {
  await control(ann.page, "hang-up").click();
  await Promise.all([closeEnded(ann.page), closeEnded(ben.page)]);
}

/** Records at both ends at once. */
async function listen(): Promise<{ atAnn: Sound; atBen: Sound }> {
  const [atAnn, atBen] = await Promise.all([
    recordRemoteAudio(ann.page, LISTEN_SECONDS),
    recordRemoteAudio(ben.page, LISTEN_SECONDS),
  ]);
  return { atAnn, atBen };
}

function expectVoice(heard: Sound, of: Speaker, notOf: Speaker): void {
  const right = voiceMatch(heard, speech(of).sound);
  expect(right.windows).toBeGreaterThan(LISTEN_SECONDS);
  expect(right.median).toBeGreaterThan(0.8);
  expect(voiceMatch(heard, speech(notOf).sound).median).toBeLessThan(0.2);
}

/** All bytes and datagrams that the daemon says it has handled. */
async function nodeTraffic(): Promise<{ bytes: number; datagrams: number }> {
  const metrics = await node.metrics();
  const sum = (name: string) =>
    [...metrics].filter(([key]) => key.startsWith(name)).reduce((total, [, value]) => total + value, 0);
  return { bytes: sum("earshot_edge_bytes_total"), datagrams: sum("earshot_stun_requests_total") };
}

describe("a voice call between two browsers", () => {
  beforeAll(() => call(ann, ben, "Ben"));

  test("each hears the other's voice, and the node carries none of it", async () => {
    const [before, annBefore] = [await nodeTraffic(), await selectedPath(ann.page)];
    const { atAnn, atBen } = await listen();
    const [after, annAfter] = [await nodeTraffic(), await selectedPath(ann.page)];
    expectVoice(atAnn, "ben", "ann");
    expectVoice(atBen, "ann", "ben");
    expect(annAfter.bytesReceived - annBefore.bytesReceived).toBeGreaterThan(MIN_MEDIA_BYTES);
    expect(annAfter.bytesSent - annBefore.bytesSent).toBeGreaterThan(MIN_MEDIA_BYTES);
    expect(after.bytes - before.bytes).toBeLessThan(MAX_NODE_BYTES_DURING_CALL);
    expect(after.datagrams - before.datagrams).toBeLessThan(10);
  });

  test("the selected candidates are the two browsers' own", async () => {
    const [atAnn, atBen] = await Promise.all([selectedPath(ann.page), selectedPath(ben.page)]);
    expect(atBen.localPorts).toContain(atAnn.remote.port);
    expect(atAnn.localPorts).toContain(atBen.remote.port);
    for (const { type, port } of [atAnn.local, atAnn.remote, atBen.local, atBen.remote]) {
      expect(type).not.toBe("relay");
      expect(port).not.toBe(node.port);
    }
  });

  test("goes on when the node is killed, and is ended by the people on it", async () => {
    await node.kill9();
    const { atAnn, atBen } = await listen();
    expectVoice(atAnn, "ben", "ann");
    expectVoice(atBen, "ann", "ben");
    await hangUp();
  });

  test("rings again once the node is back, with nobody touching the pages", async () => {
    await node.restart();
    await Promise.all([isOnline(ann.page), isOnline(ben.page)]);
    await call(ben, ann, "Ann");
    const { atAnn, atBen } = await listen();
    expectVoice(atAnn, "ben", "ann");
    expectVoice(atBen, "ann", "ben");
    await hangUp();
  });
});
