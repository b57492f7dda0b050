/** A call's connection in every state, and the summary after it. */
import type { CallQuality, CallSummary } from "@earshot/sdk";
import type { HomeModel } from "../view-models/home.ts";
import { people } from "./people.ts";
import type { Scene, Stage } from "./scenes.ts";
import type { ScriptedCall } from "./scripted-call.ts";

type Connect = (stage: Stage, home: HomeModel, video: boolean) => Promise<ScriptedCall>;

const STATES: Readonly<Record<string, CallQuality>> = {
  "quality-good": { verdict: "good", side: null, problem: null },
  "quality-fair": { verdict: "fair", side: "theirs", problem: "loss" },
  "quality-mine": { verdict: "poor", side: "mine", problem: "loss" },
  "quality-both": { verdict: "poor", side: "both", problem: "loss" },
  "quality-unsteady": { verdict: "poor", side: "theirs", problem: "jitter" },
  "quality-late": { verdict: "fair", side: null, problem: "delay" },
  "quality-silence": { verdict: "lost", side: null, problem: "silence" },
};

const SUMMARY: CallSummary = {
  seconds: 754,
  lost: 0.031,
  lostThere: 0.004,
  concealed: 0.012,
  roundTripMs: { mean: 48, most: 310 },
  pathChanges: 1,
  relayed: 301,
  directShouldHaveWorked: true,
  shown: { good: 640, fair: 82, poor: 24, lost: 8 },
};

/** `connect` starts a call and brings it to where both talk. */
export function qualityScenes(connect: Connect): Record<string, Scene> {
  const scenes: Record<string, Scene> = {};
  for (const [name, quality] of Object.entries(STATES)) {
    scenes[name] = {
      before: people,
      then: async (stage, home) => (await connect(stage, home, false)).now({ quality }),
    };
  }
  return {
    ...scenes,
    "quality-picture-held": {
      before: people,
      then: async (stage, home) =>
        (await connect(stage, home, true)).now({
          quality: { verdict: "poor", side: "mine", problem: "loss" },
          pictureHeld: true,
        }),
    },
    "quality-picture-relayed": {
      before: people,
      then: async (stage, home) => {
        const call = await connect(stage, home, true);
        const { path } = call;
        const relay = { operator: "Ada’s own server", key: null, side: "mine", trusted: true } as const;
        call.now({
          quality: { verdict: "fair", side: "theirs", problem: "loss" },
          ...(path && { path: { ...path, kind: "relayed", relay } }),
        });
      },
    },
    "quality-picture-not-asked-for": {
      before: people,
      then: async (stage, home) =>
        (await connect(stage, home, true)).now({
          quality: { verdict: "good", side: null, problem: null },
          pictureHeld: true,
          askedFor: { leanVoice: true, picture: "none" },
          remoteVideo: undefined as never,
          remoteMedia: { audio: true, video: false },
        }),
    },
    "low-data": {
      before: (stage) => {
        people(stage);
        stage.platform.client.settings = { ...stage.platform.client.settings, lowData: true };
      },
      then: async (stage, home) =>
        (await connect(stage, home, false)).now({ quality: { verdict: "good", side: null, problem: null } }),
    },
    "low-data-picture": {
      before: (stage) => {
        people(stage);
        stage.platform.client.settings = { ...stage.platform.client.settings, lowData: true };
      },
      then: async (stage, home) =>
        (await connect(stage, home, true)).now({ quality: { verdict: "good", side: null, problem: null } }),
    },
    "ended-summary": {
      before: people,
      then: async (stage, home) => {
        const call = await connect(stage, home, true);
        call.now({ summary: SUMMARY });
        call.end("hung-up", stage.platform.clock.now());
        await openSummary();
      },
    },
  };
}

/** The view is fetched, so it comes a few frames later. */
async function openSummary(): Promise<void> {
  for (let frame = 0; frame < 300; frame++) {
    const summary = document.querySelector(".quality-summary");
    if (summary) return summary.setAttribute("open", "");
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
