/** One call on the screen: what it is doing, the words, the path, and the controls. */
import type { Call, CallPhase } from "@earshot/sdk";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { type PathWords, pathWords } from "./path-words.ts";
import { durationText, endText, mediaProblem, phaseText } from "./plain-words.ts";
import type { ClockPort, MediaPort, RingPort } from "./ports.ts";
import { every } from "./ticker.ts";

const TIMER_STEP_MS = 500;

export interface CallModel {
  readonly callId: string;
  readonly contactId: string;
  readonly name: string;
  readonly direction: "outgoing" | "incoming";
  readonly phase: ReadonlySignal<CallPhase>;
  /** The phase in words, with the timer once connected. */
  readonly status: ReadonlySignal<string>;
  /** For screen readers: changes with the phase only, not every second. */
  readonly announcement: ReadonlySignal<string>;
  readonly ended: ReadonlySignal<{ readonly text: string; readonly alarming: boolean } | undefined>;
  readonly words: ReadonlySignal<readonly string[] | undefined>;
  readonly path: ReadonlySignal<PathWords>;
  readonly muted: ReadonlySignal<boolean>;
  readonly peerMuted: ReadonlySignal<boolean>;
  readonly remoteAudio: ReadonlySignal<MediaStreamTrack | null>;
  readonly remoteVideo: ReadonlySignal<MediaStreamTrack | null>;
  readonly localVideo: ReadonlySignal<MediaStreamTrack | null>;
  readonly cameraBusy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  readonly withVideo: boolean;
  toggleMute(): void;
  toggleCamera(): Promise<void>;
  hangUp(): Promise<void>;
  dispose(): void;
}

export interface CallModelDeps {
  readonly media: MediaPort;
  readonly ring: RingPort;
  readonly clock: ClockPort;
}

/** What the SDK's call shows at one moment, copied out so that signals see the change. */
interface Snapshot {
  readonly phase: CallPhase;
  readonly endReason: Call["endReason"];
  readonly words: Call["words"];
  readonly path: Call["path"];
  readonly muted: boolean;
  readonly confirmed: boolean;
  readonly answeredAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly peerSendsAudio: boolean;
  readonly peerSendsVideo: boolean;
  readonly remoteAudio: MediaStreamTrack | undefined;
  readonly remoteVideo: MediaStreamTrack | undefined;
  readonly localVideo: MediaStreamTrack | null;
}

/**
 * Follows `call`. `owned` are the tracks opened for it: they are stopped when the call is over, so that the browser's
 * recording sign goes out. `firstProblem` is shown from the start (say, that the camera could not be opened).
 */
export function createCallModel(
  call: Call,
  deps: CallModelDeps,
  owned: readonly MediaStreamTrack[],
  withVideo: boolean,
  firstProblem?: string,
): CallModel {
  const state = signal(snapshot(call));
  const now = signal(deps.clock.now());
  const problem = signal<string | undefined>(firstProblem);
  const cameraBusy = signal(false);
  const tracks = new Set(owned);
  let disposed = false;

  const release = () => {
    for (const track of tracks) track.stop();
    tracks.clear();
  };
  const stopTimer = every(deps.clock, TIMER_STEP_MS, () => {
    now.value = deps.clock.now();
  });
  const finish = () => {
    stopTimer();
    deps.ring.stop();
    release();
  };
  const follow = () => {
    if (disposed) return;
    const before = state.value.phase;
    state.value = snapshot(call);
    const { phase } = state.value;
    if (phase === "ended") finish();
    else if (phase === "ringing" && call.direction === "outgoing" && before !== "ringing") deps.ring.ringback();
    else if (phase !== "ringing" && before === "ringing") deps.ring.stop();
  };
  const unsubscribes = [call.on("change", follow), call.on("ended", follow)];
  if (call.phase === "ringing" && call.direction === "outgoing") deps.ring.ringback();
  if (call.phase === "ended") finish();
  for (const track of owned) {
    track.addEventListener("ended", () => {
      if (tracks.has(track)) problem.value = lostDevice(track.kind);
    });
  }

  const startCamera = async () => {
    const opened = await deps.media.openCamera();
    if (!opened.ok) {
      problem.value = mediaProblem("camera", opened.problem);
      return;
    }
    if (disposed || call.phase === "ended") {
      opened.track.stop();
      return;
    }
    tracks.add(opened.track);
    await call.setVideo(opened.track);
  };
  const stopCamera = async (track: MediaStreamTrack) => {
    await call.setVideo(null);
    tracks.delete(track);
    track.stop();
  };

  const phase = computed(() => state.value.phase);
  return {
    callId: call.callId,
    contactId: call.peer.id,
    name: call.peer.name,
    direction: call.direction,
    phase,
    status: computed(() => statusText(call, state.value, now.value)),
    announcement: computed(() => phaseText(phase.value, call.direction)),
    ended: computed(() =>
      phase.value === "ended" ? endText(state.value.endReason, call.direction, call.peer.name) : undefined,
    ),
    words: computed(() => state.value.words),
    path: computed(() => pathWords(state.value.path)),
    muted: computed(() => state.value.muted),
    peerMuted: computed(() => state.value.phase === "active" && !state.value.peerSendsAudio),
    remoteAudio: computed(() => (state.value.confirmed ? (state.value.remoteAudio ?? null) : null)),
    remoteVideo: computed(() =>
      state.value.confirmed && state.value.peerSendsVideo ? (state.value.remoteVideo ?? null) : null,
    ),
    localVideo: computed(() => state.value.localVideo),
    cameraBusy,
    problem,
    withVideo,
    toggleMute: () => {
      call.setMuted(!call.muted);
      follow();
    },
    toggleCamera: async () => {
      if (cameraBusy.value || call.phase === "ended") return;
      cameraBusy.value = true;
      problem.value = undefined;
      try {
        const { localVideo } = call;
        await (localVideo ? stopCamera(localVideo) : startCamera());
      } catch {
        problem.value = "The camera could not be switched. Try again.";
      } finally {
        cameraBusy.value = false;
        follow();
      }
    },
    hangUp: async () => {
      release();
      try {
        await call.hangUp();
      } catch {
        problem.value = "Hanging up did not reach the other side. Your microphone and camera are off.";
      }
      follow();
    },
    dispose: () => {
      finish();
      disposed = true;
      for (const unsubscribe of unsubscribes) unsubscribe();
    },
  };
}

function snapshot(call: Call): Snapshot {
  return {
    phase: call.phase,
    endReason: call.endReason,
    words: call.words,
    path: call.path,
    muted: call.muted,
    confirmed: call.confirmed,
    answeredAt: call.answeredAt,
    endedAt: call.endedAt,
    peerSendsAudio: call.remoteMedia.audio,
    peerSendsVideo: call.remoteMedia.video,
    remoteAudio: call.remoteAudio,
    remoteVideo: call.remoteVideo,
    localVideo: call.localVideo,
  };
}

function statusText(call: Call, state: Snapshot, now: number): string {
  const since = state.answeredAt;
  if (state.phase === "ended" && since !== undefined) {
    return `Call ended after ${durationText((state.endedAt ?? now) - since)}`;
  }
  if (state.phase === "active" && since !== undefined) return durationText(now - since);
  return phaseText(state.phase, call.direction);
}

function lostDevice(kind: string): string {
  return kind === "video"
    ? "The camera was unplugged or taken away. Turn it on again to go on with another one."
    : "The microphone was unplugged or taken away, so the other side cannot hear you. Plug it in and call again.";
}
