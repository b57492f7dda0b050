import type { Contact } from "@earshot/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { ScriptedCall } from "../demo/scripted-call.ts";
import { type ScriptedPlatform, scriptedPlatform, scriptedTrack } from "../demo/scripted-platform.ts";
import { endText } from "./end-words.ts";
import { createHomeModel, type HomeModel } from "./home.ts";
import { pathWords } from "./path-words.ts";

const GRACE: Contact = { id: "ear1grace", name: "Grace", state: "contact", addedAt: 0 };
const PATH = {
  kind: "direct",
  protocol: "udp",
  localType: "host",
  remoteType: "host",
  confirmed: true,
  missingCandidates: 0,
  relay: null,
  farRelay: null,
  addressHidden: false,
  directShouldHaveWorked: false,
} as const;

let platform: ScriptedPlatform;
let home: HomeModel;

beforeEach(async () => {
  platform = scriptedPlatform();
  platform.client.emit("contacts", [GRACE]);
  home = await createHomeModel(platform.client, platform);
});

function current() {
  const call = home.calls.current.value;
  if (call === undefined) throw new Error("no call on the screen");
  return call;
}

async function dial(video = false): Promise<ScriptedCall> {
  await home.calls.start(GRACE, video);
  const call = platform.client.lastCall;
  if (call === undefined) throw new Error("no call was made");
  return call;
}

function ring(wantsVideo = false, lowData = false): ScriptedCall {
  const call = new ScriptedCall(GRACE, { direction: "incoming", wantsVideo, lowData });
  platform.client.emit("incoming", call);
  return call;
}

describe("calling somebody", () => {
  it("opens the microphone only, shows the call, and plays a tone while it rings there", async () => {
    const call = await dial();
    expect(platform.tracks.map((track) => track.kind)).toEqual(["audio"]);
    expect(current().status.value).toBe("Calling…");
    call.now({ phase: "ringing" });
    expect(current().status.value).toBe("Ringing…");
    expect(platform.log).toContain("ringback");
    call.now({ phase: "connecting" });
    expect(platform.log.at(-1)).toBe("quiet");
  });

  it("counts the time from the answer", async () => {
    const call = await dial();
    call.now({ phase: "active", confirmed: true, answeredAt: platform.clock.now() });
    expect(current().status.value).toBe("0:00");
    platform.clock.advance(61_500);
    expect(current().status.value).toBe("1:01");
    call.end("hung-up", platform.clock.now());
    platform.clock.advance(60_000);
    expect(current().status.value).toBe("Call ended after 1:01");
  });

  it("says that the microphone was denied, and makes no call", async () => {
    platform.script.microphone = "denied";
    await home.calls.start(GRACE, false);
    expect(home.calls.current.value).toBeUndefined();
    expect(platform.client.done).toEqual([]);
    expect(home.calls.problem.value?.text).toMatch(/does not let Earshot use the microphone.*Allow it/);
  });

  it("goes on with voice when there is no camera, and says so", async () => {
    platform.script.camera = "none-found";
    await dial(true);
    expect(platform.client.calledWith?.audio).toBeDefined();
    expect(platform.client.calledWith?.video).toBeUndefined();
    expect(current().problem.value).toMatch(/No camera was found/);
  });

  it("gives the microphone back when the call cannot be started", async () => {
    platform.client.failNext = "contact-unreachable";
    await home.calls.start(GRACE, true);
    expect(home.calls.problem.value).toMatchObject({ contactId: GRACE.id });
    expect(home.calls.problem.value?.text).toMatch(/Grace cannot be found right now/);
    expect(platform.tracks.every((track) => track.stopped)).toBe(true);
    expect(home.calls.preparing.value).toBeUndefined();
  });

  it("starts one call, however often the button is pressed", async () => {
    await Promise.all([home.calls.start(GRACE, false), home.calls.start(GRACE, false)]);
    expect(platform.client.done).toEqual([`call ${GRACE.id}`]);
  });
});

describe("a call with little data", () => {
  it("is offered to be answered by voice, though they called with a picture", () => {
    ring(true, true);
    expect(home.calls.incoming.value).toMatchObject({ wantsVideo: true, offersVideo: false });
  });

  it("is offered to be answered with a picture otherwise", () => {
    ring(true);
    expect(home.calls.incoming.value?.offersVideo).toBe(true);
  });

  it("asks for their picture when the person does, and for none again", async () => {
    platform.client.settings = { ...platform.client.settings, lowData: true };
    const call = await dial();
    expect(current().pictureWanted.value).toBe(false);
    current().togglePicture();
    expect(current().pictureWanted.value).toBe(true);
    current().togglePicture();
    expect(call.done).toEqual(["picture-wanted", "picture-not-wanted"]);
  });

  it("says why the person's own picture is held back", async () => {
    const call = await dial(true);
    expect(current().pictureHeld.value).toBe(false);
    call.now({ phase: "active", pictureHeld: true });
    expect(current().pictureHeld.value).toBe("for-voice");
    call.now({ askedFor: { leanVoice: true, picture: "none" } });
    expect(current().pictureHeld.value).toBe("not-asked-for");
  });
});

describe("during a call", () => {
  it("plays nothing of the other side before the confirmation", async () => {
    const call = await dial();
    const remoteAudio = scriptedTrack("audio");
    const remoteVideo = scriptedTrack("video");
    call.now({ phase: "connecting", remoteAudio, remoteVideo, remoteMedia: { audio: true, video: true } });
    expect(current().remoteAudio.value).toBeNull();
    expect(current().remoteVideo.value).toBeNull();
    call.now({ phase: "active", confirmed: true });
    expect(current().remoteAudio.value).toBe(remoteAudio);
    expect(current().remoteVideo.value).toBe(remoteVideo);
  });

  it("takes the other side's picture away when they turn it off", async () => {
    const call = await dial();
    const remoteVideo = scriptedTrack("video");
    call.now({ phase: "active", confirmed: true, remoteVideo, remoteMedia: { audio: true, video: true } });
    call.now({ remoteMedia: { audio: true, video: false } });
    expect(current().remoteVideo.value).toBeNull();
  });

  it("labels a path unverified until it is confirmed", async () => {
    const call = await dial();
    call.now({ phase: "connecting", path: { ...PATH, kind: "relayed", confirmed: false } });
    expect(pathWords(current().path.value)).toMatchObject({ kind: "relayed", unverified: true });
    expect(pathWords(current().path.value).headline).toMatch(/relay, not confirmed yet/);
    const relay = { operator: "Ann", key: "5f", side: "mine", trusted: true } as const;
    const relayed = { ...PATH, kind: "relayed", relay } as const;
    expect(pathWords(relayed).explanation).toMatch(/It is yours, your contacts’, or trusted by you/);
    const stranger = { ...relay, side: "theirs", trusted: false } as const;
    expect(pathWords({ ...relayed, relay: stranger }).explanation).toMatch(
      /It is run by neither you nor your contacts/,
    );
    expect(pathWords({ ...relayed, farRelay: stranger }).explanation).not.toMatch(/yours|neither/);
    expect(pathWords(relayed).badge).toBe("Relayed by Ann");
    expect(pathWords({ ...relayed, directShouldHaveWorked: true }).badge).toMatch(/Ann, though a direct path works/);
    expect(pathWords(PATH).badge).toBe("Direct path");
    call.now({ phase: "active", confirmed: true, path: PATH });
    expect(pathWords(current().path.value)).toMatchObject({ kind: "direct", unverified: false });
  });

  it("warns about addresses that were sent and did not arrive", async () => {
    const call = await dial();
    call.now({ phase: "active", confirmed: true, path: { ...PATH, missingCandidates: 2 } });
    expect(pathWords(current().path.value).warnings).toEqual([expect.stringMatching(/2 addresses/)]);
  });

  it("mutes and unmutes", async () => {
    const call = await dial();
    call.now({ phase: "active", confirmed: true });
    current().toggleMute();
    expect(current().muted.value).toBe(true);
    current().toggleMute();
    expect(call.done).toEqual(["mute", "unmute"]);
  });

  it("turns the camera on and off, and gives it back", async () => {
    const call = await dial();
    call.now({ phase: "active", confirmed: true });
    await current().toggleCamera();
    expect(current().localVideo.value).not.toBeNull();
    await current().toggleCamera();
    expect(current().localVideo.value).toBeNull();
    expect(platform.tracks.filter((track) => track.kind === "video").every((track) => track.stopped)).toBe(true);
    expect(call.done).toEqual(["video-on", "video-off"]);
  });

  it("says when the microphone is unplugged", async () => {
    const call = await dial();
    call.now({ phase: "active", confirmed: true });
    platform.tracks[0]?.dispatchEvent(new Event("ended"));
    expect(current().problem.value).toMatch(/microphone was unplugged/);
  });

  it("gives every device back at the end, whoever ends it", async () => {
    const call = await dial(true);
    call.now({ phase: "active", confirmed: true });
    call.end("hung-up");
    expect(platform.tracks.map((track) => track.stopped)).toEqual([true, true]);
    expect(platform.clock.pending).toBe(0);
  });

  it("alarms when the two ends could not confirm each other", async () => {
    const call = await dial();
    call.end("not-confirmed");
    const ended = endText(current().endReason.value, "outgoing", "Grace");
    expect(ended.alarming).toBe(true);
    expect(ended.text).toMatch(/No sound or picture was sent/);
  });

  it("closes an open dialog, so that the phrase does not come back after the call", async () => {
    home.open("settings");
    await home.settings.showPhrase();
    await dial();
    expect(home.dialog.value).toBe("none");
    expect(home.settings.phrase.value).toBeUndefined();
  });
});

describe("being called", () => {
  it("warns while the browser would keep the ring silent", () => {
    expect(home.silenced.value).toBe(false);
    platform.script.silence?.(true);
    expect(home.silenced.value).toBe(true);
  });

  it("rings, changes the title, and opens no device", () => {
    ring();
    expect(home.calls.incoming.value).toMatchObject({ name: "Grace", wantsVideo: false });
    expect(platform.log).toEqual(["ring", "title Grace is calling"]);
  });

  it("answers with voice, though the caller wants video", async () => {
    const call = ring(true);
    await home.calls.incoming.value?.answer(false);
    expect(call.answeredWith?.audio).toBeDefined();
    expect(call.answeredWith?.video).toBeUndefined();
    expect(home.calls.incoming.value).toBeUndefined();
    expect(current().name).toBe("Grace");
    expect(platform.log).toContain("quiet");
    expect(platform.log).toContain("title calm");
  });

  it("answers with video", async () => {
    const call = ring(true);
    await home.calls.incoming.value?.answer(true);
    expect(call.answeredWith?.video).toBeDefined();
  });

  it("keeps ringing when the microphone is denied, and says what to do", async () => {
    const call = ring();
    platform.script.microphone = "denied";
    await home.calls.incoming.value?.answer(false);
    expect(home.calls.incoming.value?.problem.value).toMatch(/Allow it/);
    expect(call.done).toEqual([]);
  });

  it("declines without touching a device, and counts as seen", async () => {
    const call = ring();
    await home.calls.incoming.value?.decline();
    expect(call.done).toEqual(["decline"]);
    expect(platform.tracks).toEqual([]);
    expect(home.calls.incoming.value).toBeUndefined();
    expect(home.notices.list.value).toEqual([]);
  });

  it("stops and notes a missed call when the caller gives up", () => {
    ring().end("cancelled");
    expect(home.calls.incoming.value).toBeUndefined();
    expect(home.notices.list.value).toMatchObject([{ kind: "missed", contactId: GRACE.id }]);
    expect(platform.log.slice(-2)).toEqual(["quiet", "title calm"]);
  });

  it("notes nothing when another device answered", () => {
    ring().end("answered-elsewhere");
    expect(home.notices.list.value).toEqual([]);
  });

  it("gives the microphone back when the caller gave up while the browser asked", async () => {
    const call = ring();
    const answering = home.calls.incoming.value?.answer(false);
    call.end("cancelled");
    await answering;
    expect(platform.tracks.map((track) => track.stopped)).toEqual([true]);
    expect(home.calls.current.value).toBeUndefined();
  });

  it("rings though a call of one's own still waits for the browser's permission", async () => {
    const starting = home.calls.start(GRACE, false);
    ring();
    expect(home.calls.incoming.value).toMatchObject({ name: "Grace" });
    platform.client.failNext = "already-in-call";
    await starting;
    expect(platform.tracks.map((track) => track.stopped)).toEqual([true]);
  });

  it("does not let a second ring cover a call", async () => {
    (await dial()).now({ phase: "active", confirmed: true });
    ring();
    expect(home.calls.incoming.value).toBeUndefined();
  });
});
