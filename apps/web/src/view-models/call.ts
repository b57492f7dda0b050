/** One call on the screen: its readings, and the controls. */
import type { Call } from "@earshot/sdk";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type CallReadings, createCallReadings, snapshotOf } from "./call-readings.ts";
import { OwnedTracks } from "./owned-tracks.ts";
import { mediaProblem } from "./plain-words.ts";
import type { ClockPort, DownloadPort, MediaPort, RingPort } from "./ports.ts";
import { every } from "./ticker.ts";

const TIMER_STEP_MS = 500;

export interface CallModel extends CallReadings {
  readonly callId: string;
  readonly contactId: string;
  readonly name: string;
  readonly direction: "outgoing" | "incoming";
  readonly withVideo: boolean;
  /** The person wants little data used in it. */
  readonly lowData: boolean;
  readonly cameraBusy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  toggleMute(): void;
  toggleCamera(): Promise<void>;
  /** In a call with little data: asks for the other side's picture, or for none again. */
  togglePicture(): void;
  hangUp(): Promise<void>;
  /** Gives the person a file. */
  saveFile(fileName: string, bytes: Uint8Array): void;
  dispose(): void;
}

export interface CallModelDeps {
  readonly media: MediaPort;
  readonly ring: RingPort;
  readonly clock: ClockPort;
  readonly download: DownloadPort;
}

export interface CallModelStart {
  /** Opened for this call, and stopped with it. */
  readonly tracks: readonly MediaStreamTrack[];
  readonly withVideo: boolean;
  /** Shown from the start, say that the camera could not be opened. */
  readonly problem?: string | undefined;
}

/** Follows `call` until it is disposed of. */
export function createCallModel(call: Call, deps: CallModelDeps, start: CallModelStart): CallModel {
  const state = signal(snapshotOf(call));
  const now = signal(deps.clock.now());
  const problem = signal<string | undefined>(start.problem);
  const tracks = new OwnedTracks(start.tracks, (kind) => {
    problem.value = lostDevice(kind);
  });
  const stopTimer = every(deps.clock, TIMER_STEP_MS, () => {
    now.value = deps.clock.now();
  });
  const finish = () => {
    stopTimer();
    deps.ring.stop();
    tracks.stopAll();
  };
  const ringBack = () => call.phase === "ringing" && call.direction === "outgoing";
  const follow = () => {
    const before = state.value.phase;
    state.value = snapshotOf(call);
    if (call.phase === before) return;
    if (call.phase === "ended") finish();
    else if (ringBack()) deps.ring.ringback();
    else deps.ring.stop();
  };
  const unsubscribes = [call.on("change", follow), call.on("ended", follow)];
  if (ringBack()) deps.ring.ringback();
  if (call.phase === "ended") finish();

  const camera = createCamera(call, deps.media, tracks, problem, follow);
  return {
    ...createCallReadings(call, state, now),
    callId: call.callId,
    contactId: call.peer.id,
    name: call.peer.name,
    direction: call.direction,
    withVideo: start.withVideo,
    lowData: call.lowData,
    cameraBusy: camera.busy,
    problem,
    toggleMute: () => {
      call.setMuted(!call.muted);
      follow();
    },
    toggleCamera: camera.toggle,
    togglePicture: () => {
      call.setPictureWanted(!call.pictureWanted);
      follow();
    },
    hangUp: async () => {
      tracks.stopAll();
      await call.hangUp().catch(() => {
        problem.value = "Hanging up did not reach the other side. Your microphone and camera are off.";
      });
      follow();
    },
    saveFile: (fileName, bytes) => deps.download.save(fileName, bytes),
    dispose: () => {
      finish();
      for (const unsubscribe of unsubscribes) unsubscribe();
    },
  };
}

function createCamera(
  call: Call,
  media: MediaPort,
  tracks: OwnedTracks,
  problem: Signal<string | undefined>,
  changed: () => void,
) {
  const busy = signal(false);
  const start = async () => {
    const opened = await media.openCamera();
    if (!opened.ok) {
      problem.value = mediaProblem("camera", opened.problem);
      return;
    }
    // It may have ended while the browser asked for the camera.
    if (call.phase === "ended") {
      opened.track.stop();
      return;
    }
    tracks.add(opened.track);
    await call.setVideo(opened.track);
  };
  const stop = async (track: MediaStreamTrack) => {
    await call.setVideo(null);
    tracks.stop(track);
  };
  const toggle = async () => {
    if (busy.value || call.phase === "ended") return;
    busy.value = true;
    problem.value = undefined;
    try {
      await (call.localVideo ? stop(call.localVideo) : start());
    } catch {
      problem.value = "The camera could not be switched. Try again.";
    } finally {
      busy.value = false;
      changed();
    }
  };
  return { busy, toggle };
}

function lostDevice(kind: string): string {
  return kind === "video"
    ? "The camera was unplugged or taken away. Turn it off and on again to go on with another one."
    : "The microphone was unplugged or taken away, so the other side cannot hear you. Plug it in and call again.";
}
