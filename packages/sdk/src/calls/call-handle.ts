import {
  type CallQuality,
  type CallState,
  type CallSummary,
  type Clock,
  lowDataWish,
  type MediaState,
  type MediaWish,
  type SendPlan,
  toHex,
  wordsOf,
} from "@earshot/core";
import type {
  Call,
  CallEndReason,
  CallEvents,
  CallMedia,
  CallPath,
  CallPhase,
  CallStats,
  Contact,
  Unsubscribe,
} from "../api.ts";
import { Emitter } from "../emitter.ts";
import { CallError } from "../errors.ts";
import type { CallSession } from "./call-session.ts";
import { type KnownOfPath, readPath, readStats } from "./call-stats.ts";
import { endReasonOf, mainLeg, phaseOf } from "./call-view.ts";
import { PathPatience } from "./path-patience.ts";
import type { PeerLeg } from "./peer-leg.ts";
import { QualityWatch } from "./quality-watch.ts";
import { limitSending } from "./send-limits.ts";

/** How often the statistics are looked at while the call lasts: the quality is judged by the second. */
const LOOK_INTERVAL_MS = 1_000;

export interface CallHandleParts {
  readonly clock: Clock;
  readonly direction: "outgoing" | "incoming";
  /** The contact as it is named now. */
  readonly peer: () => Contact;
  readonly media: CallMedia;
  /** The person wants little data used. */
  readonly lowData: boolean;
  readonly onListenerError: (error: unknown) => void;
}

/** A call as the app holds it: reads the session, and keeps the person's own tracks. */
export class CallHandle implements Call {
  readonly direction: "outgoing" | "incoming";
  readonly startedAt: number;
  answeredAt?: number;
  endedAt?: number;
  endReason?: CallEndReason;
  path?: CallPath;
  quality?: CallQuality;
  summary?: CallSummary;
  words?: readonly string[];
  remoteAudio?: MediaStreamTrack;
  remoteVideo?: MediaStreamTrack;
  readonly #parts: CallHandleParts;
  readonly #events: Emitter<CallEvents>;
  #session: CallSession;
  #leg: PeerLeg | undefined;
  #audio: MediaStreamTrack | null;
  #video: MediaStreamTrack | null;
  #muted = false;
  readonly #watch: QualityWatch;
  #pictureHeld = false;
  #pictureWanted: boolean;
  /** The wish that the other side was told of last, and in which session. */
  #told: { readonly session: CallSession; readonly pictureWanted: boolean } | undefined;
  /** What {@link handleState} told of last. */
  #seen = "";
  #watching = false;
  readonly #patience = new PathPatience();
  #cancelPathTimer: () => void = () => {};

  constructor(session: CallSession, parts: CallHandleParts) {
    this.#session = session;
    this.#parts = parts;
    this.#events = new Emitter<CallEvents>(parts.onListenerError);
    this.direction = parts.direction;
    this.startedAt = parts.clock.now();
    this.#watch = new QualityWatch({ lowData: parts.lowData });
    this.#audio = parts.media.audio ?? null;
    this.#video = parts.media.video ?? null;
    this.#pictureWanted = !parts.lowData || this.#video !== null;
  }

  get callId(): string {
    return toHex(this.#state.callId);
  }
  get peer(): Contact {
    return this.#parts.peer();
  }
  get phase(): CallPhase {
    return phaseOf(this.#state);
  }
  get wantsVideo(): boolean {
    return this.#state.wantsVideo;
  }
  get confirmed(): boolean {
    return mainLeg(this.#state)?.confirmed ?? false;
  }
  get muted(): boolean {
    return this.#muted;
  }
  get pictureHeld(): boolean {
    return this.#pictureHeld && this.#video !== null;
  }
  get lowData(): boolean {
    return this.#parts.lowData;
  }
  get pictureWanted(): boolean {
    return this.#pictureWanted;
  }
  get askedFor(): MediaWish {
    return this.#state.remoteWish;
  }
  get localVideo(): MediaStreamTrack | null {
    return this.#video;
  }
  get remoteMedia(): { readonly audio: boolean; readonly video: boolean } {
    return this.#state.remoteMedia;
  }
  /** The person's own tracks, for the call that takes this one's place after a glare. */
  get media(): CallMedia {
    return { ...(this.#audio ? { audio: this.#audio } : {}), ...(this.#video ? { video: this.#video } : {}) };
  }
  get session(): CallSession {
    return this.#session;
  }
  get #state(): CallState {
    return this.#session.state;
  }

  async answer(media: CallMedia = {}): Promise<void> {
    if (this.direction !== "incoming" || this.phase !== "ringing")
      throw new CallError("bad-call-state", "Only a call that rings here can be answered.");
    this.#audio = media.audio ?? null;
    this.#video = media.video ?? null;
    this.#pictureWanted ||= this.#video !== null;
    this.#session.handle({ type: "answer", media: this.#mediaState() });
  }

  async decline(): Promise<void> {
    if (this.direction !== "incoming" || this.phase !== "ringing")
      throw new CallError("bad-call-state", "Only a call that rings here can be declined. Use hangUp().");
    this.#session.handle({ type: "decline" });
  }

  async hangUp(): Promise<void> {
    if (this.direction === "incoming" && this.phase === "ringing") return this.decline();
    this.#session.handle({ type: "hang-up" });
  }

  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#mediaChanged().catch((error: unknown) => this.#parts.onListenerError(error));
  }

  async setAudio(track: MediaStreamTrack | null): Promise<void> {
    this.#audio = track;
    await this.#mediaChanged();
  }

  async setVideo(track: MediaStreamTrack | null): Promise<void> {
    this.#video = track;
    await this.#mediaChanged();
  }

  setPictureWanted(wanted: boolean): void {
    if (!this.lowData || wanted === this.#pictureWanted) return;
    this.#pictureWanted = wanted;
    this.#sayWish();
    this.#events.emit("change", this);
  }

  async stats(): Promise<CallStats> {
    const peer = this.#session.leg?.peer;
    if (!peer) return { packetsReceived: 0, packetsLost: 0, bytesSent: 0, bytesReceived: 0 };
    return readStats(await peer.getStats());
  }

  on<K extends keyof CallEvents>(event: K, listener: (value: CallEvents[K]) => void): Unsubscribe {
    return this.#events.on(event, listener);
  }

  // ---- what the manager tells it

  /** Takes the place of an outgoing call by the other's that came at the same time. */
  replaceSession(session: CallSession): void {
    this.#session = session;
    this.#forgetLeg();
    delete this.words;
    this.handleState(session.state);
  }

  handleState(state: CallState): void {
    const phase = phaseOf(state);
    const { clock } = this.#parts;
    if (phase === "connecting" || phase === "active") this.answeredAt ??= clock.now();
    const words = wordsOf(state);
    if (words) this.words = words;
    if (phase === "active") {
      this.#watch.pathFound(clock.now());
      this.#watchPath();
    }
    if (phase === "reconnecting") this.#watch.pathLost();
    if (this.quality) this.quality = this.#watch.quality;
    // The machine's state changes with every candidate; the app is told of what it can see.
    const seen = JSON.stringify([
      this.callId,
      phase,
      words,
      this.confirmed,
      state.remoteMedia,
      state.remoteWish,
      state.wantsVideo,
      this.quality,
    ]);
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#events.emit("change", this);
  }

  handleMediaOpen(leg: PeerLeg, media: MediaState): void {
    this.#leg = leg;
    const { audio, video } = leg.remoteTracks();
    if (audio) this.remoteAudio = audio;
    if (video) this.remoteVideo = video;
    this.#putTracks(media).catch((error: unknown) => this.#parts.onListenerError(error));
    this.#send(this.#watch.plan);
    this.#sayWish();
    this.#events.emit("change", this);
  }

  handleMediaClosed(): void {
    this.#forgetLeg();
    this.#events.emit("change", this);
  }

  handleEnded(reason: Parameters<typeof endReasonOf>[0]): void {
    this.#cancelPathTimer();
    this.#forgetLeg();
    this.endedAt = this.#parts.clock.now();
    this.endReason = endReasonOf(reason);
    if (this.quality) this.summary = this.#watch.summary((this.endedAt - (this.answeredAt ?? this.endedAt)) / 1_000);
    this.#events.emit("change", this);
    this.#events.emit("ended", this.endReason);
  }

  /** Once the media are open, and whenever it changes. */
  #sayWish(): void {
    if (!this.lowData || !this.#leg) return;
    const told = { session: this.#session, pictureWanted: this.#pictureWanted };
    if (this.#told?.session === told.session && this.#told.pictureWanted === told.pictureWanted) return;
    this.#told = told;
    this.#session.handle({ type: "set-wish", wish: lowDataWish(told.pictureWanted) });
  }

  #forgetLeg(): void {
    this.#leg = undefined;
    delete this.remoteAudio;
    delete this.remoteVideo;
  }

  #mediaState(): MediaState {
    return { audio: this.#audio !== null && !this.#muted, video: this.#video !== null && !this.#pictureHeld };
  }

  async #mediaChanged(): Promise<void> {
    const media = this.#mediaState();
    this.#session.handle({ type: "set-media", media });
    this.#events.emit("change", this);
    // Swapping one track for another is no change that the machine sees; once media is open it only needs the sender.
    if (this.#state.mediaOpen && this.phase !== "ended") await this.#putTracks(media);
  }

  async #putTracks(media: MediaState): Promise<void> {
    try {
      await this.#leg?.setTracks({ audio: media.audio ? this.#audio : null, video: media.video ? this.#video : null });
    } catch (cause) {
      throw new CallError("track-refused", "This track cannot be sent. Pick another microphone or camera.", { cause });
    }
  }

  /** Looks at the path now, and again and again while the call lasts: on its own beat, whatever else goes on. */
  #watchPath(): void {
    if (this.#watching) return;
    this.#watching = true;
    void this.#lookAtPath().finally(() => {
      this.#watching = this.endedAt === undefined && this.#leg !== undefined;
      if (!this.#watching) return;
      this.#cancelPathTimer = this.#parts.clock.setTimer(LOOK_INTERVAL_MS, () => {
        this.#watching = false;
        this.#watchPath();
      });
    });
  }

  #knownOfPath(): KnownOfPath {
    const leg = mainLeg(this.#state);
    return {
      confirmed: this.confirmed,
      missingCandidates: leg?.missing ?? 0,
      addressHidden: this.#state.relayOnly,
      ownRelays: this.#leg?.plan?.relays ?? [],
      theirRelays: leg?.remoteRelays ?? [],
      theirCandidates: leg?.remote.candidates ?? [],
      trustedRelays: this.#state.trustedRelays,
    };
  }

  async #lookAtPath(): Promise<void> {
    const report = await this.#leg?.peer?.getStats().catch(() => undefined);
    if (report && this.phase === "active") this.#lookAtQuality(report);
    const known = this.#knownOfPath();
    const seen = report && readPath(report, known);
    const path = seen && this.#patience.take(seen, known);
    if (!path || this.endedAt !== undefined || JSON.stringify(path) === JSON.stringify(this.path)) return;
    this.path = path;
    this.#events.emit("change", this);
  }

  #lookAtQuality(report: RTCStatsReport): void {
    const known = {
      atMs: this.#parts.clock.now(),
      expectsVoice: this.remoteMedia.audio,
      wantsPicture: this.#video !== null,
    };
    const path = this.path && {
      name: [this.path.kind, this.path.localAddress, this.path.remoteAddress].join(),
      relayed: this.path.kind === "relayed",
      directShouldHaveWorked: this.path.directShouldHaveWorked,
    };
    const before = { quality: this.quality, plan: this.#watch.plan };
    this.#watch.look(report, known, path, this.askedFor);
    this.quality = this.#watch.quality;
    if (this.#watch.plan !== before.plan) this.#send(this.#watch.plan);
    if (this.quality !== before.quality) this.#events.emit("change", this);
  }

  /** The voice first; a picture that does not fit is taken off, and the other side is told that there is none. */
  #send({ voice, picture }: SendPlan): void {
    const peer = this.#leg?.peer;
    if (!peer) return;
    this.#leg?.sendVoice(voice);
    void limitSending(peer, picture);
    if (this.#pictureHeld === (picture === "paused")) return;
    this.#pictureHeld = picture === "paused";
    this.#mediaChanged().catch((error: unknown) => this.#parts.onListenerError(error));
  }
}
