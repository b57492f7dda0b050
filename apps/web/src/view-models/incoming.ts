/** A ring: who it is, and the three things one can do about it. */
import type { Call } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { CallModelDeps } from "./call.ts";
import type { OpenedMedia } from "./calls.ts";
import { codeOf } from "./plain-words.ts";
import type { AttentionPort } from "./ports.ts";

export interface IncomingModel {
  readonly callId: string;
  readonly contactId: string;
  readonly name: string;
  readonly wantsVideo: boolean;
  /** What one most likely answers with: no picture where little data is to be used. */
  readonly offersVideo: boolean;
  /** The name that they were added by leads to another key now. */
  readonly nameChanged: boolean;
  readonly busy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  answer(video: boolean): Promise<void>;
  decline(): Promise<void>;
  dispose(): void;
}

export interface IncomingHooks {
  open(video: boolean): Promise<OpenedMedia | string>;
  answered(opened: OpenedMedia, video: boolean): void;
  /** The ring is over without an answer here; `taken` where the person or another device of theirs dealt with it. */
  over(taken: boolean): void;
}

const TAKEN: readonly (Call["endReason"] | "none")[] = [
  "declined",
  "answered-elsewhere",
  "declined-elsewhere",
  "local-shutdown",
];

/** Rings until answered, declined or over. */
export function createIncomingModel(
  call: Call,
  deps: CallModelDeps & { readonly attention: AttentionPort },
  hooks: IncomingHooks,
): IncomingModel {
  const busy = signal(false);
  const problem = signal<string | undefined>(undefined);
  let done = false;

  const quiet = () => {
    if (done) return false;
    done = true;
    deps.ring.stop();
    deps.attention.stop();
    for (const unsubscribe of unsubscribes) unsubscribe();
    return true;
  };
  const follow = () => {
    if (call.phase === "ended" && quiet()) hooks.over(TAKEN.includes(call.endReason ?? "none"));
  };
  const unsubscribes = [call.on("change", follow), call.on("ended", follow)];
  deps.ring.ring();
  deps.attention.start(`${call.peer.name} is calling`);

  const answer = async (video: boolean) => {
    if (busy.value || done) return;
    busy.value = true;
    problem.value = undefined;
    const opened = await hooks.open(video);
    busy.value = false;
    if (typeof opened === "string") {
      problem.value = opened;
      return;
    }
    // The caller may have given up while the browser asked for the microphone.
    if (!quiet()) {
      for (const track of opened.tracks) track.stop();
      return;
    }
    hooks.answered(opened, video);
    await call.answer(opened.media).catch(() => call.hangUp());
  };

  return {
    callId: call.callId,
    contactId: call.peer.id,
    name: call.peer.name,
    nameChanged: call.peer.nameChangedTo !== undefined,
    wantsVideo: call.wantsVideo,
    offersVideo: call.wantsVideo && !call.lowData,
    busy,
    problem,
    answer,
    decline: async () => {
      if (!quiet()) return;
      hooks.over(true);
      try {
        await call.decline();
      } catch (error) {
        problem.value = codeOf(error);
      }
    },
    dispose: () => void quiet(),
  };
}
