/** The ways a call goes other than answered and hung up, and what it carries besides voices. */
import { type RunningNode, startNode } from "@earshot/node";
import type { CallEndReason, MissedCall } from "@earshot/sdk";
import { loadWrtc } from "@earshot/sdk/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  befriend,
  cleanUp,
  endOf,
  isContact,
  makePerson,
  nextRing,
  type Person,
  phase,
  record,
  share,
  temporaryFolder,
  tone,
  until,
} from "./sdk-people.ts";

let node: RunningNode;
let alice: Person;
let bob: Person;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
beforeEach(async () => {
  alice = await makePerson("Alice", node.url);
  bob = await makePerson("Bob", node.url);
  await befriend(alice, bob);
});
afterEach(cleanUp);
afterAll(() => node.stop());

async function ringing() {
  const ring = nextRing(bob);
  const outgoing = await alice.client.call(bob.client.id, { audio: tone(600) });
  const incoming = await ring;
  await phase(outgoing, "ringing");
  return { outgoing, incoming };
}

async function active() {
  const { outgoing, incoming } = await ringing();
  await incoming.answer({ audio: tone(1000) });
  await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
  return { outgoing, incoming };
}

describe("a call that is not taken", () => {
  it("is declined", async () => {
    const { outgoing, incoming } = await ringing();
    await incoming.decline();
    expect(await endOf(outgoing)).toBe("declined");
    expect(await endOf(incoming)).toBe("declined");
  });

  it("is cancelled, and shown as missed there", async () => {
    const missed = new Promise<MissedCall>((resolve) => bob.client.on("missed", resolve));
    const { outgoing, incoming } = await ringing();
    await outgoing.hangUp();
    expect(await endOf(incoming)).toBe("cancelled");
    expect(await missed).toMatchObject({ contactId: alice.client.id, callId: outgoing.callId });
    await expect(incoming.answer()).rejects.toMatchObject({ code: "bad-call-state" });
  });

  it("finds the other in a call", async () => {
    const cleo = await makePerson("Cleo", node.url);
    await befriend(cleo, bob);
    await active();
    const third = await cleo.client.call(bob.client.id, {});
    expect(await endOf(third)).toBe("busy");
    await expect(alice.client.call(bob.client.id)).rejects.toMatchObject({ code: "already-in-call" });
  });

  it("rings for one of two who called while the other was on the way online, and is busy for the second", async () => {
    const cleo = await makePerson("Cleo", node.url);
    await befriend(cleo, bob);
    await bob.client.stop();
    const waiting = [await alice.client.call(bob.client.id, {}), await cleo.client.call(bob.client.id, {})];
    const back = await makePerson("Bob", node.url, { home: bob.home, start: false });
    const rings: string[] = [];
    back.client.on("incoming", ({ callId }) => rings.push(callId));
    await back.client.start();
    const ended = await Promise.race(waiting.map(async (call) => ((await endOf(call)) === "busy" ? call : undefined)));
    expect(rings).toEqual(waiting.filter((call) => call !== ended).map(({ callId }) => callId));
  });

  it("waits in the mailbox of who is away, and never rings late", async () => {
    await bob.client.stop();
    const outgoing = await alice.client.call(bob.client.id, {});
    await outgoing.hangUp();
    let rang = false;
    const missed: MissedCall[] = [];
    const back = await makePerson("Bob", node.url, { home: bob.home, start: false });
    back.client.on("incoming", () => {
      rang = true;
    });
    back.client.on("missed", (call) => missed.push(call));
    await back.client.start();
    expect(rang).toBe(false);
    expect(missed.map(({ callId }) => callId)).toEqual([outgoing.callId]);
  });
});

describe("somebody who is blocked or removed", () => {
  it("stops ringing", async () => {
    const { outgoing, incoming } = await ringing();
    await bob.client.blockContact(alice.client.id);
    expect([await endOf(incoming), await endOf(outgoing)]).toEqual(["declined", "declined"]);
    expect(bob.client.calls()).toEqual([]);
  });

  it("is hung up on", async () => {
    const { outgoing, incoming } = await active();
    await bob.client.removeContact(alice.client.id);
    expect([await endOf(incoming), await endOf(outgoing)]).toEqual(["hung-up", "hung-up"]);
  });

  it("is no longer rung", async () => {
    const { outgoing, incoming } = await ringing();
    await alice.client.removeContact(bob.client.id);
    expect([await endOf(incoming), await endOf(outgoing)]).toEqual(["cancelled", "hung-up"]);
  });
});

it("two who call each other at once are in one call", async () => {
  const [one, other] = await Promise.all([
    alice.client.call(bob.client.id, { audio: tone(600) }),
    bob.client.call(alice.client.id, { audio: tone(1000) }),
  ]);
  await Promise.all([phase(one, "active"), phase(other, "active")]);
  expect(one.callId).toBe(other.callId);
  expect([alice.client.calls().length, bob.client.calls().length]).toEqual([1, 1]);
  expect(share(await record(one.remoteAudio as MediaStreamTrack, 1), 1000)).toBeGreaterThan(0.3);
  await one.hangUp();
  expect(await endOf(other)).toBe("hung-up");
});

it("turns to video and back without a new call", async () => {
  const { outgoing, incoming } = await active();
  const { RTCVideoSource, RTCVideoSink } = loadWrtc().nonstandard;
  const source = new RTCVideoSource();
  const frame = { width: 160, height: 120, data: new Uint8Array(160 * 120 * 1.5).fill(128) };
  const filming = setInterval(() => source.onFrame(frame), 40);
  try {
    const sink = new RTCVideoSink(incoming.remoteVideo as MediaStreamTrack);
    const seen = new Promise<number>((resolve) => {
      sink.onframe = ({ frame: { width } }) => resolve(width);
    });
    await outgoing.setVideo(source.createTrack());
    expect(await seen).toBeGreaterThan(0);
    await until(incoming, "change", () => incoming.remoteMedia.video);
    expect(outgoing.localVideo).not.toBeNull();
    await outgoing.setVideo(null);
    await until(incoming, "change", () => !incoming.remoteMedia.video);
    expect(incoming.phase).toBe("active");
    sink.stop();
  } finally {
    clearInterval(filming);
  }
});

it("rings on every device of an account, and stops on the others once one answers", async () => {
  const phrase = await bob.client.recoveryPhrase();
  const backup = await bob.client.backup();
  const noticed = new Promise((resolve) => alice.client.on("newDevice", resolve));
  // The notice comes before what the new device says: where it is found.
  const told = new Promise((resolve) => alice.client.on("contacts", resolve));
  const tablet = await makePerson("", node.url, { restore: { phrase, backup } });
  expect(tablet.client.id).toBe(bob.client.id);
  expect(tablet.client.deviceId).not.toBe(bob.client.deviceId);
  await isContact(tablet, alice);
  expect(await noticed).toEqual({ contactId: bob.client.id, deviceId: tablet.client.deviceId });
  await told;

  const rings = [nextRing(bob), nextRing(tablet)] as const;
  const outgoing = await alice.client.call(bob.client.id, { audio: tone(600) });
  const [atPhone, atTablet] = await Promise.all(rings);
  await atTablet.answer({ audio: tone(1000) });
  await Promise.all([phase(outgoing, "active"), phase(atTablet, "active")]);
  expect(await endOf(atPhone)).toBe<CallEndReason>("answered-elsewhere");
  expect(share(await record(outgoing.remoteAudio as MediaStreamTrack, 1), 1000)).toBeGreaterThan(0.3);
});

it("says goodbye even where hanging up and stopping are one", async () => {
  const { outgoing, incoming } = await ringing();
  const missed = new Promise<MissedCall>((resolve) => bob.client.on("missed", resolve));
  void outgoing.hangUp();
  await alice.client.stop();
  expect(await endOf(incoming)).toBe("cancelled");
  expect(await missed).toMatchObject({ callId: outgoing.callId });
});
