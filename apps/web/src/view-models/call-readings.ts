/** What a call's screen shows, derived from what the SDK's call says at each change. */
import type { Call, CallPhase, CallQuality, CallSummary } from "@earshot/sdk";
import { computed, type ReadonlySignal } from "@preact/signals";
import { durationText, phaseText } from "./plain-words.ts";

export interface CallReadings {
  readonly phase: ReadonlySignal<CallPhase>;
  /** The phase in words, with the timer once connected. */
  readonly status: ReadonlySignal<string>;
  /** For screen readers: changes with the phase only, not every second. */
  readonly announcement: ReadonlySignal<string>;
  readonly endReason: ReadonlySignal<Call["endReason"]>;
  readonly words: ReadonlySignal<readonly string[] | undefined>;
  readonly path: ReadonlySignal<Call["path"]>;
  readonly quality: ReadonlySignal<CallQuality | undefined>;
  /** The person's picture is on, and held back: by the call, for the voice's sake, or because the other side asks for none. */
  readonly pictureHeld: ReadonlySignal<false | "for-voice" | "not-asked-for">;
  /** False while the other side is asked for no picture, to use little data. */
  readonly pictureWanted: ReadonlySignal<boolean>;
  /** What the call was like, once it is over. */
  readonly summary: ReadonlySignal<CallSummary | undefined>;
  readonly muted: ReadonlySignal<boolean>;
  readonly peerMuted: ReadonlySignal<boolean>;
  readonly remoteAudio: ReadonlySignal<MediaStreamTrack | null>;
  readonly remoteVideo: ReadonlySignal<MediaStreamTrack | null>;
  readonly localVideo: ReadonlySignal<MediaStreamTrack | null>;
}

/** The SDK's call at one moment, copied out so that signals see the change. */
export interface CallSnapshot {
  readonly phase: CallPhase;
  readonly endReason: Call["endReason"];
  readonly words: Call["words"];
  readonly path: Call["path"];
  readonly quality: Call["quality"];
  readonly pictureHeld: boolean;
  readonly pictureWanted: boolean;
  readonly askedFor: Call["askedFor"];
  readonly summary: Call["summary"];
  readonly muted: boolean;
  readonly confirmed: boolean;
  readonly answeredAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly peerSends: Call["remoteMedia"];
  readonly remoteAudio: MediaStreamTrack | undefined;
  readonly remoteVideo: MediaStreamTrack | undefined;
  readonly localVideo: MediaStreamTrack | null;
}

/** Copies what is shown out of `call`. */
export function snapshotOf(call: Call): CallSnapshot {
  return {
    phase: call.phase,
    endReason: call.endReason,
    words: call.words,
    path: call.path,
    quality: call.quality,
    pictureHeld: call.pictureHeld,
    pictureWanted: call.pictureWanted,
    askedFor: call.askedFor,
    summary: call.summary,
    muted: call.muted,
    confirmed: call.confirmed,
    answeredAt: call.answeredAt,
    endedAt: call.endedAt,
    peerSends: { ...call.remoteMedia },
    remoteAudio: call.remoteAudio,
    remoteVideo: call.remoteVideo,
    localVideo: call.localVideo,
  };
}

/** Readings of a call in `direction`; `now` is Unix milliseconds, moved on for the timer. */
export function createCallReadings(
  { direction }: Call,
  state: ReadonlySignal<CallSnapshot>,
  now: ReadonlySignal<number>,
): CallReadings {
  const phase = computed(() => state.value.phase);
  return {
    phase,
    status: computed(() => statusText(direction, state.value, now.value)),
    announcement: computed(() => phaseText(phase.value, direction)),
    endReason: computed(() => state.value.endReason),
    words: computed(() => state.value.words),
    path: computed(() => state.value.path),
    quality: computed(() => state.value.quality),
    pictureHeld: computed(() => {
      const { pictureHeld, askedFor } = state.value;
      return pictureHeld && (askedFor.picture === "none" ? "not-asked-for" : "for-voice");
    }),
    pictureWanted: computed(() => state.value.pictureWanted),
    summary: computed(() => state.value.summary),
    muted: computed(() => state.value.muted),
    peerMuted: computed(() => phase.value === "active" && !state.value.peerSends.audio),
    // Nothing of the other side is played or shown before both ends have confirmed each other.
    remoteAudio: computed(() => (state.value.confirmed ? (state.value.remoteAudio ?? null) : null)),
    remoteVideo: computed(() =>
      state.value.confirmed && state.value.peerSends.video ? (state.value.remoteVideo ?? null) : null,
    ),
    localVideo: computed(() => state.value.localVideo),
  };
}

function statusText(direction: Call["direction"], state: CallSnapshot, now: number): string {
  const since = state.answeredAt;
  if (since !== undefined && state.phase === "ended") {
    return `Call ended after ${durationText((state.endedAt ?? now) - since)}`;
  }
  return since !== undefined && state.phase === "active"
    ? durationText(now - since)
    : phaseText(state.phase, direction);
}
