/** Two SDK clients, a real daemon, real WebRTC and real speech. */
import { type RunningNode, startNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { speech } from "./lib/speech.ts";
import { voiceMatch } from "./lib/voice-match.ts";
import {
  befriend,
  cleanUp,
  endOf,
  makePerson,
  microphone,
  nextRing,
  phase,
  record,
  share,
  temporaryFolder,
  tone,
} from "./sdk-people.ts";

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterEach(cleanUp);
afterAll(() => node.stop());

async function pair() {
  const alice = await makePerson("Alice", node.url);
  const bob = await makePerson("Bob", node.url);
  await befriend(alice, bob);
  return { alice, bob };
}

describe("a call", () => {
  it("carries each one's own voice to the other, straight and not through the node", async () => {
    const { alice, bob } = await pair();
    const ann = speech("ann");
    const ben = speech("ben");
    const ring = nextRing(bob);
    const outgoing = await alice.client.call(bob.client.id, { audio: microphone(ann.sound) });
    const incoming = await ring;
    expect(incoming.peer).toMatchObject({ id: alice.client.id, name: "Alice" });
    await incoming.answer({ audio: microphone(ben.sound) });
    await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
    const before = node.stats();
    const [atAlice, atBob] = await Promise.all([
      record(outgoing.remoteAudio as MediaStreamTrack, 8),
      record(incoming.remoteAudio as MediaStreamTrack, 8),
    ]);
    const after = node.stats();

    expect(voiceMatch(atAlice, ben.sound).median).toBeGreaterThan(0.8);
    expect(voiceMatch(atBob, ann.sound).median).toBeGreaterThan(0.8);
    expect(voiceMatch(atAlice, ann.sound).median).toBeLessThan(0.2);
    expect(voiceMatch(atBob, ben.sound).median).toBeLessThan(0.2);

    let media = 0;
    for (const call of [outgoing, incoming]) {
      expect(call.path).toMatchObject({ kind: "direct", confirmed: true, missingCandidates: 0 });
      media += (await call.stats()).bytesReceived;
    }
    expect(media).toBeGreaterThan(40_000);
    // What the node saw meanwhile is signalling, if anything.
    expect(after.bytesIn - before.bytesIn).toBeLessThan(media / 10);
    expect(outgoing.words).toHaveLength(4);
    expect(incoming.words).toEqual(outgoing.words);

    await outgoing.hangUp();
    expect(await endOf(outgoing)).toBe("hung-up");
    expect(await endOf(incoming)).toBe("hung-up");
    expect(alice.client.calls()).toEqual([]);
    expect([...alice.client.refusals(), ...bob.client.refusals()]).toEqual([]);
  });

  it("sends no sound while it rings, and none while muted", async () => {
    const { alice, bob } = await pair();
    const ring = nextRing(bob);
    const outgoing = await alice.client.call(bob.client.id, { audio: tone(800) });
    const incoming = await ring;
    await phase(outgoing, "ringing");
    expect(incoming.remoteAudio).toBeUndefined();
    expect(outgoing.remoteAudio).toBeUndefined();
    await incoming.answer({ audio: tone(1200) });
    await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
    const track = incoming.remoteAudio as MediaStreamTrack;
    expect(share(await record(track, 1.5), 800)).toBeGreaterThan(0.5);

    outgoing.setMuted(true);
    await expect.poll(() => incoming.remoteMedia.audio).toBe(false);
    await record(track, 0.5); // what was on its way
    const silence = await record(track, 0.5);
    expect(silence.samples.every((sample) => Math.abs(sample) < 0.02)).toBe(true);

    outgoing.setMuted(false);
    await expect.poll(() => incoming.remoteMedia.audio).toBe(true);
    await record(track, 0.5);
    expect(share(await record(track, 0.5), 800)).toBeGreaterThan(0.5);
  });
});
