/** At most one call on the screen: starting one, being rung, answering, and what is left when it is over. */
import type { Call, CallMedia, Client, Contact } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import { type CallModel, type CallModelDeps, createCallModel } from "./call.ts";
import { createIncomingModel, type IncomingModel } from "./incoming.ts";
import { callStartProblem, codeOf, mediaProblem } from "./plain-words.ts";
import type { AttentionPort } from "./ports.ts";

export interface CallsModel {
  readonly current: ReadonlySignal<CallModel | undefined>;
  readonly incoming: ReadonlySignal<IncomingModel | undefined>;
  /** A call that waits for the browser's permission to use the microphone. */
  readonly preparing: ReadonlySignal<{ readonly name: string; readonly video: boolean } | undefined>;
  readonly problem: ReadonlySignal<{ readonly contactId: string; readonly text: string } | undefined>;
  /** Something rings, is being dialled, or is being talked in. */
  isUnderWay(): boolean;
  start(contact: Contact, video: boolean): Promise<void>;
  /** Takes the ended call off the screen. */
  close(): void;
  dispose(): void;
}

export interface CallsDeps extends CallModelDeps {
  readonly attention: AttentionPort;
  /** A ring that nobody took. */
  readonly onMissed: (call: Call) => void;
}

/** Tracks for a call, and what to say about those that could not be had. */
export interface OpenedMedia {
  readonly media: CallMedia;
  readonly tracks: readonly MediaStreamTrack[];
  readonly problem?: string;
}

/**
 * Opens the microphone, and the camera where wanted. Without a microphone there is no call (a sentence comes back);
 * without a camera it goes on as a voice call.
 */
export async function openMedia(deps: CallModelDeps, video: boolean): Promise<OpenedMedia | string> {
  const [microphone, camera] = await Promise.all([
    deps.media.openMicrophone(),
    video ? deps.media.openCamera() : undefined,
  ]);
  if (!microphone.ok) {
    if (camera?.ok) camera.track.stop();
    return mediaProblem("microphone", microphone.problem);
  }
  if (camera === undefined) return { media: { audio: microphone.track }, tracks: [microphone.track] };
  if (!camera.ok) {
    const problem = mediaProblem("camera", camera.problem);
    return { media: { audio: microphone.track }, tracks: [microphone.track], problem };
  }
  return { media: { audio: microphone.track, video: camera.track }, tracks: [microphone.track, camera.track] };
}

/** Follows the client's calls. */
export function createCallsModel(client: Client, deps: CallsDeps): CallsModel {
  const current = signal<CallModel | undefined>(undefined);
  const incoming = signal<IncomingModel | undefined>(undefined);
  const preparing = signal<{ readonly name: string; readonly video: boolean } | undefined>(undefined);
  const problem = signal<{ readonly contactId: string; readonly text: string } | undefined>(undefined);

  const show = (call: Call, opened: OpenedMedia, video: boolean) => {
    current.value?.dispose();
    current.value = createCallModel(call, deps, { ...opened, withVideo: video });
  };
  const isInCall = () => current.value !== undefined && current.value.phase.value !== "ended";
  const isUnderWay = () => isInCall() || preparing.value !== undefined || incoming.value !== undefined;
  const ring = (call: Call) => {
    // The SDK answers a second caller with "busy"; should one slip through, the ring already on the screen stays.
    if (incoming.value !== undefined || isInCall() || call.phase === "ended") return;
    incoming.value = createIncomingModel(call, deps, {
      open: (video) => openMedia(deps, video),
      answered: (opened, video) => {
        incoming.value = undefined;
        show(call, opened, video);
      },
      over: (taken) => {
        incoming.value = undefined;
        if (!taken) deps.onMissed(call);
      },
    });
  };
  const unsubscribe = client.on("incoming", ring);

  /** The sentence that says why there is no call, or undefined once there is one. */
  const place = async (contact: Contact, video: boolean): Promise<string | undefined> => {
    const opened = await openMedia(deps, video);
    if (typeof opened === "string") return opened;
    try {
      show(await client.call(contact.id, opened.media), opened, video);
      return undefined;
    } catch (error) {
      for (const track of opened.tracks) track.stop();
      return callStartProblem(codeOf(error), contact.name);
    }
  };
  const start = async (contact: Contact, video: boolean) => {
    if (isUnderWay()) return;
    problem.value = undefined;
    preparing.value = { name: contact.name, video };
    const text = await place(contact, video);
    preparing.value = undefined;
    if (text !== undefined) problem.value = { contactId: contact.id, text };
  };

  const close = () => {
    current.value?.dispose();
    current.value = undefined;
  };
  return {
    current,
    incoming,
    preparing,
    problem,
    isUnderWay,
    start,
    close,
    dispose: () => {
      unsubscribe();
      incoming.value?.dispose();
      close();
    },
  };
}
