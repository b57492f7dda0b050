/** A call that does what a script says, in the shape of the SDK's `Call`. For view-model tests and the demo screens. */
import type {
  Call,
  CallEndReason,
  CallEvents,
  CallMedia,
  CallPath,
  CallPhase,
  CallQuality,
  CallStats,
  CallSummary,
  Contact,
  MediaWish,
} from "@earshot/sdk";

type Listener<K extends keyof CallEvents> = (value: CallEvents[K]) => void;

/** What a script may set from the start. */
export interface CallScript {
  readonly callId?: string;
  readonly direction?: "outgoing" | "incoming";
  readonly phase?: CallPhase;
  readonly wantsVideo?: boolean;
  readonly startedAt?: number;
  readonly lowData?: boolean;
}

export class ScriptedCall implements Call {
  readonly callId: string;
  readonly peer: Contact;
  readonly direction: "outgoing" | "incoming";
  readonly wantsVideo: boolean;
  readonly startedAt: number;
  phase: CallPhase;
  confirmed = false;
  muted = false;
  localVideo: MediaStreamTrack | null = null;
  remoteMedia = { audio: true, video: false };
  endReason?: CallEndReason;
  answeredAt?: number;
  endedAt?: number;
  words?: readonly string[];
  path?: CallPath;
  quality?: CallQuality;
  pictureHeld = false;
  lowData = false;
  pictureWanted = true;
  askedFor: MediaWish = { leanVoice: false, picture: "full" };
  summary?: CallSummary;
  remoteAudio?: MediaStreamTrack;
  remoteVideo?: MediaStreamTrack;
  /** What the app did to the call, in order. */
  readonly done: string[] = [];
  answeredWith: CallMedia | undefined;
  readonly #change = new Set<Listener<"change">>();
  readonly #ended = new Set<Listener<"ended">>();

  constructor(peer: Contact, script: CallScript = {}) {
    this.peer = peer;
    this.callId = script.callId ?? "call-1";
    this.direction = script.direction ?? "outgoing";
    this.phase = script.phase ?? (this.direction === "outgoing" ? "dialling" : "ringing");
    this.wantsVideo = script.wantsVideo ?? false;
    this.startedAt = script.startedAt ?? 0;
    this.lowData = script.lowData ?? false;
  }

  /** Sets what `change` holds, as the SDK would on an event, and tells the listeners. */
  now(change: Partial<Omit<ScriptedCall, "now" | "end">>): void {
    Object.assign(this, change);
    for (const listener of this.#change) listener(this);
  }

  end(reason: CallEndReason, at?: number): void {
    if (this.phase === "ended") return;
    this.now({ phase: "ended", endReason: reason, ...(at === undefined ? {} : { endedAt: at }) });
    for (const listener of this.#ended) listener(reason);
  }

  async answer(media: CallMedia = {}): Promise<void> {
    this.done.push("answer");
    this.answeredWith = media;
    this.now({ phase: "connecting", localVideo: media.video ?? null });
  }

  async decline(): Promise<void> {
    this.done.push("decline");
    this.end("declined");
  }

  async hangUp(): Promise<void> {
    this.done.push("hang-up");
    this.end(this.direction === "outgoing" && this.phase !== "active" ? "cancelled" : "hung-up");
  }

  setMuted(muted: boolean): void {
    this.done.push(muted ? "mute" : "unmute");
    this.now({ muted });
  }

  async setAudio(): Promise<void> {
    this.done.push("set-audio");
  }

  async setVideo(track: MediaStreamTrack | null): Promise<void> {
    this.done.push(track ? "video-on" : "video-off");
    this.now({ localVideo: track });
  }

  setPictureWanted(pictureWanted: boolean): void {
    this.done.push(pictureWanted ? "picture-wanted" : "picture-not-wanted");
    this.now({ pictureWanted });
  }

  async stats(): Promise<CallStats> {
    return { packetsReceived: 0, packetsLost: 0, bytesSent: 0, bytesReceived: 0 };
  }

  on<K extends keyof CallEvents>(event: K, listener: Listener<K>): () => void {
    const set = (event === "change" ? this.#change : this.#ended) as Set<Listener<K>>;
    set.add(listener);
    return () => set.delete(listener);
  }
}
