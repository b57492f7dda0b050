/**
 * Twelve nodes in processes of their own, five of them supernodes: two people in two Chromium processes, each on a node of
 * their own and homed at two supernodes that the other does not use, call each other and hear each other's voice.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ChromiumProcess, launchChromium } from "../lib/chromium.ts";
import { type NodeKind, OverlayNetwork, type OverlayNode } from "../lib/network.ts";
import { homesOf, makeHomes } from "../lib/network-web.ts";
import { recordRemoteAudio } from "../lib/remote-audio.ts";
import type { Sound } from "../lib/sound.ts";
import { type Speaker, speech } from "../lib/speech.ts";
import { voiceMatch } from "../lib/voice-match.ts";
import {
  answer,
  closeEnded,
  confirmedPathOf,
  control,
  dial,
  endWhatIsLeft,
  exchangeCards,
  firstRun,
  reaches,
  wordsOf,
} from "../web-app.ts";

/** Long enough for a median over several windows of speech. */
const LISTEN_SECONDS = 6;
const SUPERNODES: readonly NodeKind[] = ["dedicated", "promoted", "dedicated", "promoted", "promoted"];
const CLIENTS = 7;

const network = new OverlayNetwork({ nodes: SUPERNODES.length + CLIENTS });
let ann: ChromiumProcess;
let ben: ChromiumProcess;

beforeAll(async () => {
  [ann, ben] = await Promise.all([
    launchChromium({ wavFile: speech("ann").path }),
    launchChromium({ wavFile: speech("ben").path }),
    network.startAll([...SUPERNODES, ...Array.from({ length: CLIENTS }, () => "client" as const)]),
  ]);
  const [atAnn, , atBen] = network.clients as [OverlayNode, OverlayNode, OverlayNode];
  await Promise.all([firstRun(ann.page, atAnn.url, "Ann"), firstRun(ben.page, atBen.url, "Ben")]);
});

afterEach(() => endWhatIsLeft([ann.page, ben.page]));

afterAll(async () => {
  await Promise.all([ann?.close(), ben?.close()]);
  await network.stop();
});

/** A dedicated one and a volunteer's each. */
function homesFor(): { forAnn: string[]; forBen: string[] } {
  const keys = network.supernodes.map(({ supernodeKey }) => supernodeKey) as [string, string, string, string, string];
  return { forAnn: [keys[0], keys[1]], forBen: [keys[2], keys[3]] };
}

function expectVoice(heard: Sound, of: Speaker, notOf: Speaker): void {
  expect(voiceMatch(heard, speech(of).sound).median).toBeGreaterThan(0.8);
  expect(voiceMatch(heard, speech(notOf).sound).median).toBeLessThan(0.2);
}

describe("two people homed at different supernodes", () => {
  it("move to the homes that they trust, a volunteer's among them", async () => {
    const { forAnn, forBen } = homesFor();
    await Promise.all([makeHomes(ann.page, forAnn), makeHomes(ben.page, forBen)]);
    expect((await homesOf(ann.page)).toSorted()).toEqual(forAnn.toSorted());
    expect((await homesOf(ben.page)).toSorted()).toEqual(forBen.toSorted());
    await exchangeCards({ page: ann.page, name: "Ann" }, { page: ben.page, name: "Ben" });
  });

  it.each([
    ["Ann calls Ben", () => ({ from: ann, to: ben, name: "Ben" })],
    ["Ben calls Ann", () => ({ from: ben, to: ann, name: "Ann" })],
  ])("hear each other: %s", async (_, who) => {
    const { from, to, name } = who();
    await dial(from.page, name);
    await answer(to.page);
    await Promise.all([reaches(from.page, "active"), reaches(to.page, "active")]);
    const words = await wordsOf(from.page);
    expect(words).toHaveLength(4);
    expect(await wordsOf(to.page)).toEqual(words);
    expect(await confirmedPathOf(from.page)).toBe("direct");
    const [atAnn, atBen] = await Promise.all([
      recordRemoteAudio(ann.page, LISTEN_SECONDS),
      recordRemoteAudio(ben.page, LISTEN_SECONDS),
    ]);
    expectVoice(atAnn, "ben", "ann");
    expectVoice(atBen, "ann", "ben");
    await control(from.page, "hang-up").click();
    await Promise.all([closeEnded(ann.page), closeEnded(ben.page)]);
  });

  it.each(["one", "the other one"])("ring again after kill -9 of the callee's homes: %s", async () => {
    const alive = await homesOf(ben.page);
    const victim = network.supernodes.find(({ supernodeKey }) => alive.includes(supernodeKey));
    expect(victim).toBeDefined();
    await victim?.kill9();
    await dial(ann.page, "Ben");
    await answer(ben.page);
    await Promise.all([reaches(ann.page, "active"), reaches(ben.page, "active")]);
    await control(ann.page, "hang-up").click();
    await Promise.all([closeEnded(ann.page), closeEnded(ben.page)]);
  });

  it("were told of no error, and the limits on prefixes were on", async () => {
    // The browser's own word on tunnels to those that were killed.
    const isTunnel = (error: string) => /^WebSocket connection to '\S+\/tunnel\/\S+' failed/.test(error);
    expect([...ann.errors, ...ben.errors].filter((error) => !isTunnel(error))).toEqual([]);
    const running = network.nodes.filter((node) => node.running);
    const reports = await Promise.all(running.map((node) => node.report()));
    const prefixes = reports.flatMap(({ neighbours }) => neighbours.filter(({ self }) => self).map(({ dht }) => dht));
    expect(new Set(prefixes.map((dht) => dht.split(".").slice(0, 3).join("."))).size).toBe(running.length);
  });
});
