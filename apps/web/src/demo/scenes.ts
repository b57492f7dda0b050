/** Every screen of the app, each brought about by a script of what the SDK reports. */
import type { CallPath } from "@earshot/sdk";
import type { HomeModel } from "../view-models/home.ts";
import { OVERLAY_SCENES } from "./overlay-scenes.ts";
import { GRACE, ECHO, people, PEOPLE, person } from "./people.ts";
import { qualityScenes } from "./quality-scenes.ts";
import { RELAY_SCENES } from "./relay-scenes.ts";
import { ScriptedCall } from "./scripted-call.ts";
import type { ScriptedPlatform } from "./scripted-platform.ts";

/** What a scene works with: `home` once the contact list is there. */
export interface Stage {
  readonly platform: ScriptedPlatform;
  /** A moving picture for the video screens. */
  picture(): MediaStreamTrack;
}

export interface Scene {
  /** The node's page on its own, instead of the app. */
  readonly operator?: boolean;
  /** Before the app starts. */
  readonly before?: (stage: Stage) => void;
  /** Once the contact list is on the screen. */
  readonly then?: (stage: Stage, home: HomeModel) => Promise<void> | void;
}

const WORDS = ["harbor", "velvet", "orbit", "lantern"];
const DIRECT: CallPath = {
  kind: "direct",
  protocol: "udp",
  localType: "host",
  remoteType: "srflx",
  localAddress: "192.168.1.20:51012",
  remoteAddress: "203.0.113.7:40211",
  roundTripMs: 23.4,
  confirmed: true,
  missingCandidates: 0,
  relay: null,
  farRelay: null,
  addressHidden: false,
  directShouldHaveWorked: false,
};

/** Starts a call to Grace and gives the script its handle. */
async function dial({ platform }: Stage, home: HomeModel, video: boolean): Promise<ScriptedCall> {
  home.contacts.select(GRACE.id);
  await home.calls.start(GRACE, video);
  const call = platform.client.lastCall;
  if (call === undefined) throw new Error("the scene's call did not start");
  return call;
}

async function connect(stage: Stage, home: HomeModel, video: boolean): Promise<ScriptedCall> {
  const call = await dial(stage, home, video);
  call.now({ phase: "ringing" });
  call.now({ phase: "connecting", words: WORDS, answeredAt: stage.platform.clock.now() });
  call.now({ phase: "active", confirmed: true, path: DIRECT });
  if (video) call.now({ remoteVideo: stage.picture(), remoteMedia: { audio: true, video: true } });
  stage.platform.clock.advance(754_000);
  return call;
}

function ring({ platform }: Stage, wantsVideo: boolean, lowData = false): ScriptedCall {
  const call = new ScriptedCall(GRACE, { direction: "incoming", wantsVideo, lowData });
  platform.client.emit("incoming", call);
  return call;
}

export const SCENES: Readonly<Record<string, Scene>> = {
  "token-missing": { before: ({ platform }) => void (platform.script.obstacle = "token-missing") },
  "other-tab": { before: ({ platform }) => void (platform.script.obstacle = "other-tab") },
  "other-tab-in-call": { before: ({ platform }) => void (platform.script.obstacle = "other-tab-in-call") },
  "first-run": { before: ({ platform }) => void (platform.script.identity = false) },
  empty: {},
  newcomer: { before: ({ platform }) => platform.client.emit("contacts", [ECHO]) },
  home: { before: people },
  contact: { before: people, then: (_stage, home) => home.contacts.select(GRACE.id) },
  waiting: { before: people, then: (_stage, home) => home.contacts.select(PEOPLE[3]?.id) },
  busy: {
    before: people,
    then: ({ platform }) => {
      platform.client.emit("requests", [
        { id: person("str", "").id, name: "Somebody from the conference", receivedAt: platform.clock.now() },
      ]);
      platform.client.emit("missed", { contactId: GRACE.id, callId: "m1", at: platform.clock.now() - 3_600_000 });
      platform.client.emit("newDevice", { contactId: GRACE.id, deviceId: "d2" });
      platform.client.emit("brokenAttempt", { contactId: GRACE.id, at: platform.clock.now() - 60_000 });
    },
  },
  silenced: {
    before: (stage) => {
      people(stage);
      stage.platform.script.silenced = true;
    },
  },
  offline: {
    before: people,
    then: ({ platform }) =>
      platform.client.emit("status", { state: "offline", retryInMs: 7400, problem: "node-unreachable" }),
  },
  "add-contact": { before: people, then: (_stage, home) => home.open("add-contact") },
  "add-contact-mistyped": {
    before: people,
    then: (_stage, home) => home.offerCard("ear1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"),
  },
  "my-card": { before: people, then: (_stage, home) => home.open("my-card") },
  settings: {
    before: people,
    then: async (_stage, home) => {
      home.open("settings");
      await home.settings.showPhrase();
    },
  },
  "account-key-away": {
    before: (stage) => {
      people(stage);
      stage.platform.client.emit("account", {
        keyHere: false,
        signedUntil: 1_800_000_000_000,
        keyNeeded: "records-end",
      });
    },
    then: async (_stage, home) => home.open("settings"),
  },
  ...OVERLAY_SCENES,
  "microphone-denied": {
    before: (stage) => {
      people(stage);
      stage.platform.script.microphone = "denied";
    },
    then: async (_stage, home) => {
      home.contacts.select(GRACE.id);
      await home.calls.start(GRACE, false);
    },
  },
  incoming: { before: people, then: (stage) => void ring(stage, false) },
  "incoming-video": { before: people, then: (stage) => void ring(stage, true) },
  "incoming-video-low-data": { before: people, then: (stage) => void ring(stage, true, true) },
  dialling: {
    before: people,
    then: async (stage, home) => (await dial(stage, home, false)).now({ phase: "ringing" }),
  },
  connecting: {
    before: people,
    then: async (stage, home) =>
      (await dial(stage, home, false)).now({
        phase: "connecting",
        words: WORDS,
        path: { ...DIRECT, kind: "relayed", localType: "relay", confirmed: false },
      }),
  },
  ...RELAY_SCENES,
  voice: { before: people, then: async (stage, home) => void (await connect(stage, home, false)) },
  video: { before: people, then: async (stage, home) => void (await connect(stage, home, true)) },
  ...qualityScenes(connect),
  troubled: {
    before: people,
    then: async (stage, home) => {
      const call = await connect(stage, home, false);
      const quality = { verdict: "lost", side: null, problem: "silence" } as const;
      call.now({ phase: "reconnecting", quality, path: { ...DIRECT, missingCandidates: 2 }, muted: true });
      stage.platform.client.emit("newDevice", { contactId: GRACE.id, deviceId: "d2" });
    },
  },
  ended: {
    before: people,
    then: async (stage, home) => (await connect(stage, home, false)).end("peer-vanished", stage.platform.clock.now()),
  },
  alarm: { before: people, then: async (stage, home) => (await dial(stage, home, false)).end("not-confirmed") },
};
