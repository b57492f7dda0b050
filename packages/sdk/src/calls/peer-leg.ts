import {
  type CallRole,
  type CallSetup,
  type Candidate,
  candidateText,
  credentialsOfSdp,
  EarshotError,
  type NamedRelay,
  parseCandidateText,
  PLAIN_VOICE,
  type RelayUse,
  sdpOfSetup,
  setupOfSdp,
  unwrap,
  type VoiceSending,
} from "@earshot/core";
import type { CallMedia } from "../api.ts";
import { SerialQueue } from "../serial-queue.ts";
import { relayInUse } from "./call-stats.ts";
import { CandidateBatch } from "./candidate-batch.ts";
import { configurationOf, type LegPlan, policyOf } from "./leg-plan.ts";
import { LegRelays } from "./leg-relays.ts";
import { PathGate } from "./path-gate.ts";
import type { PeerLegHandlers, PeerLegOptions } from "./peer-leg-ports.ts";

/** Operations waiting at one peer connection: far more than a call's set-up and restarts ever queue. */
const MAX_OPERATIONS = 256;
/** docs/protocol/call.md section 2. */
const CHANNEL_LABEL = "earshot";
const CHANNEL_ID = 0;
/** How long a close waits for the last message (the hang-up) to leave. */
const CLOSE_LINGER_MS = 250;
/** How long a close waits for an operation that is under way; one that never settles must not keep a call open. */
const CLOSE_WAIT_MS = 500;
/** How long a platform may take to stop sending a track. Then the connection is closed: better no call than a mute that is none. */
export const OFF_LIMIT_MS = 2_000;

export type { PeerLegHandlers, PeerLegOptions } from "./peer-leg-ports.ts";

/**
 * One peer connection in the typed shape: audio, video and one negotiated data channel, without tracks. It knows nothing
 * of calls: it does what it is told, one thing after the other, and says what happens.
 */
export class PeerLeg {
  readonly #options: PeerLegOptions;
  readonly #handlers: PeerLegHandlers;
  readonly #operations = new SerialQueue(MAX_OPERATIONS);
  readonly #batch: CandidateBatch;
  readonly #gate: PathGate;
  readonly #relays: LegRelays;
  /** Which generation a local ufrag belongs to: candidates name their ufrag. */
  readonly #generations = new Map<string, number>();
  #generation = 0;
  /** Of the candidate that was found last; nothing can be behind the first. */
  #foundIn = 0;
  #role: CallRole = "caller";
  #peer: RTCPeerConnection | undefined;
  #channel: RTCDataChannel | undefined;
  /** The other side's set-up as it was applied last, and how the voice is sent. */
  #remote: CallSetup | undefined;
  #voice: VoiceSending = PLAIN_VOICE;
  #closed = false;
  #closing: Promise<void> | undefined;
  /** What each sender was last told to send. */
  readonly #asked: Record<"audio" | "video", MediaStreamTrack | null> = { audio: null, video: null };

  constructor(options: PeerLegOptions, handlers: PeerLegHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#relays = new LegRelays(options.clock, options.renewRelays);
    this.#batch = new CandidateBatch(options.clock, (generation, candidates, end) => {
      if (!this.#closed) handlers.onCandidates(generation, candidates, end);
    });
    this.#gate = new PathGate(options.clock, {
      look: () => this.#peer?.getStats() ?? Promise.reject(new Error("no peer connection")),
      onTransport: (state) => handlers.onTransport(state),
      onChannelOpen: () => handlers.onChannelOpen(),
      onMessage: (bytes) => handlers.onMessage(bytes),
      onForbidden: () => handlers.onRefused("policy-refused"),
    });
  }

  /** What it may use, once that is known. */
  get plan(): LegPlan | undefined {
    return this.#relays.plan;
  }

  get peer(): RTCPeerConnection | undefined {
    return this.#peer;
  }

  /** Makes the local offer; `onSetup` follows. */
  createCaller(): void {
    this.#do(async () => {
      this.#role = "caller";
      const plan = this.#relays.begin(await this.#options.plan());
      if (this.#closed) return;
      const peer = this.#make(plan);
      peer.addTransceiver("audio", { direction: "sendrecv" });
      peer.addTransceiver("video", { direction: "sendrecv" });
      this.#openChannel(peer);
      await this.#firstLocal(peer, plan, await peer.createOffer());
    });
  }

  /** Takes the caller's set-up as an offer and makes the local answer, with relays as far as `relays` lets; `onSetup` follows. */
  createCallee(remote: CallSetup, relays: RelayUse): void {
    this.#do(async () => {
      this.#role = "callee";
      const plan = this.#relays.begin(await this.#options.plan(), relays.mine);
      if (this.#closed) return;
      const peer = this.#make(plan);
      await this.#setRemote(peer, remote, 0);
      for (const transceiver of peer.getTransceivers()) transceiver.direction = "sendrecv";
      this.#openChannel(peer);
      await this.#firstLocal(peer, plan, await peer.createAnswer());
    });
  }

  /** Caller: the chosen callee's set-up. Where its side allows no relay, no path over this side's is taken from now on. */
  applyRemoteSetup(setup: CallSetup, relays: RelayUse): void {
    this.#do(async (peer) => {
      if (!relays.mine && this.#relays.giveUpAll()) this.#relaysGivenUp(peer);
      await this.#setRemote(peer, setup, this.#generation);
    });
  }

  /** Relays that the other side refuses: no path over them is taken from now on. */
  giveUpRelays(keys: readonly Uint8Array[]): void {
    this.#do(async (peer) => {
      if (this.#relays.giveUp(keys)) this.#relaysGivenUp(peer);
    });
  }

  /** `forbidden`: relays of the other that must not be used; a path over one of them is taken for none. */
  addRemoteCandidates(
    candidates: readonly Candidate[],
    ufrag: string,
    end: boolean,
    forbidden: readonly Candidate[] = [],
  ): void {
    this.#do(async (peer) => {
      this.#gate.forbidTheirs(forbidden);
      for (const candidate of candidates) {
        const init = {
          candidate: candidateText(candidate, ufrag),
          sdpMid: "0",
          sdpMLineIndex: 0,
          usernameFragment: ufrag,
        };
        // One that this platform cannot use (an address family it lacks) must not cost the others.
        await peer.addIceCandidate(init).catch(() => this.#handlers.onRefused("bad-candidate"));
      }
      if (end) await peer.addIceCandidate({ candidate: "", sdpMid: "0", usernameFragment: ufrag }).catch(() => {});
    });
  }

  /** Caller: fresh ICE credentials in a new local offer; `onRestartReady` follows. */
  restartIce(generation: number): void {
    this.#do(async (peer) => {
      if (peer.signalingState === "have-local-offer") await peer.setLocalDescription({ type: "rollback" });
      const relays = await this.#renewRelays(peer, generation);
      await this.#restartLocal(peer, await peer.createOffer({ iceRestart: true }), generation, relays);
    });
  }

  /** The other side's new credentials: callee answers them (`onRestartReady` follows), caller takes them as the answer. */
  applyRestart(generation: number, remote: CallSetup): void {
    this.#do(async (peer) => {
      const relays = this.#role === "callee" ? await this.#renewRelays(peer, generation) : null;
      await this.#setRemote(peer, remote, generation);
      if (this.#role === "caller") return;
      await this.#restartLocal(peer, await peer.createAnswer(), generation, relays);
    });
  }

  /**
   * Puts the person's tracks on the senders, or takes them off (null). Called only once media is open. Waits for no other
   * operation: a mute holds at once, whatever the other side has set going, and what is asked for last wins. Rejects where
   * a sender does not take a track; the connection lives on.
   */
  async setTracks(media: {
    readonly audio: MediaStreamTrack | null;
    readonly video: MediaStreamTrack | null;
  }): Promise<void> {
    if (this.#closed) return;
    await Promise.all([this.#put("audio", media.audio), this.#put("video", media.video)]);
  }

  /**
   * Changes how the voice is sent. Only this side's WebRTC is told, by describing the same two sides to it anew: nothing
   * goes to the other side. Left for the next restart where one is under way; where a platform refuses, all stays as it is.
   */
  sendVoice(voice: VoiceSending): void {
    this.#do(async (peer) => {
      if (JSON.stringify(voice) === JSON.stringify(this.#voice)) return;
      this.#voice = voice;
      if (!this.#remote || peer.signalingState !== "stable") return;
      await this.#describeAnew(peer, this.#remote).catch(async () => {
        if (peer.signalingState === "have-local-offer") await peer.setLocalDescription({ type: "rollback" });
      });
    });
  }

  /** The other side's tracks. For whoever calls this: only once media is open. */
  remoteTracks(): CallMedia {
    const [audio, video] = this.#peer?.getTransceivers() ?? [];
    return {
      ...(audio ? { audio: audio.receiver.track } : {}),
      ...(video ? { video: video.receiver.track } : {}),
    };
  }

  /** At once: a hang-up does not wait for a restart. */
  send(bytes: Uint8Array): void {
    if (this.#closed || this.#channel?.readyState !== "open") return;
    try {
      this.#channel.send(bytes as Uint8Array<ArrayBuffer>);
    } catch (error) {
      this.#handlers.onFailed(error);
    }
  }

  /** Silent at once; resolves when the peer connection is closed, within a second. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#batch.stop();
    this.#gate.stop();
    void Promise.all([this.#put("audio", null), this.#put("video", null)]);
    await this.#settled();
    if (this.#channel?.readyState === "open") {
      await new Promise<void>((resolve) => this.#options.clock.setTimer(CLOSE_LINGER_MS, resolve));
    }
    this.#peer?.close();
  }

  /** The operation that is under way has ended, or has had its time. The ones behind it are left out. */
  #settled(): Promise<void> {
    return this.#within(CLOSE_WAIT_MS, this.#operations.idle(), () => {});
  }

  /** Waits for `work`, but no longer than `limitMs`: then `late` is called. */
  async #within(limitMs: number, work: Promise<void>, late: () => void): Promise<void> {
    let cancel = () => {};
    const timer = new Promise<void>((resolve) => {
      cancel = this.#options.clock.setTimer(limitMs, () => {
        late();
        resolve();
      });
    });
    await Promise.race([work, timer]);
    cancel();
  }

  async #put(kind: "audio" | "video", track: MediaStreamTrack | null): Promise<void> {
    const sender = this.#peer?.getTransceivers()[kind === "audio" ? 0 : 1]?.sender;
    if (!sender || this.#asked[kind] === track) return;
    this.#asked[kind] = track;
    // A platform takes these in the order they are given, so the last one wins.
    const done = sender.replaceTrack(track);
    if (track === null) return this.#watchOff(done);
    await done.catch((error: unknown) => {
      if (this.#asked[kind] === track) this.#asked[kind] = sender.track;
      if (!this.#closed) throw error;
    });
  }

  /** A person whose screen says "muted" is not heard: where the platform does not manage that, the path is cut. */
  async #watchOff(done: Promise<void>): Promise<void> {
    const cut = () => {
      this.#peer?.close();
      if (!this.#closed) this.#handlers.onChannelClosed();
    };
    await this.#within(OFF_LIMIT_MS, done.catch(cut), cut);
  }

  /** WebRTC has allocated there already; what is gathered from now on is without, and no path over them counts as one. */
  #relaysGivenUp(peer: RTCPeerConnection): void {
    this.#gate.forbidOwn((own) => this.#relays.isForbidden(own));
    if (this.plan) peer.setConfiguration(configurationOf(this.plan));
  }

  /** A restart allocates anew, and what opened the relay when the call began may have run out, or the relay be gone. */
  /** Of several relays the one in use now comes last: it may be what fails. */
  async #renewRelays(peer: RTCPeerConnection, generation: number): Promise<readonly NamedRelay[] | null> {
    const used = relayInUse(await peer.getStats());
    const named = this.#relays.renew();
    if (used) this.#batch.relayedFirst(generation);
    if (this.plan && (named || this.plan.relays.length > 0)) peer.setConfiguration(configurationOf(this.plan, used));
    return named;
  }

  #make(plan: LegPlan): RTCPeerConnection {
    const peer = this.#options.peerConnection(configurationOf(plan));
    this.#peer = peer;
    peer.onicecandidate = ({ candidate, url }: RTCPeerConnectionIceEvent & { readonly url?: string | null }) =>
      this.#localCandidate(candidate, url ?? undefined);
    peer.onconnectionstatechange = () => this.#stateChanged(peer);
    return peer;
  }

  #stateChanged(peer: RTCPeerConnection): void {
    if (this.#closed) return;
    const state = peer.connectionState;
    if (state === "connected" || state === "disconnected" || state === "failed") this.#gate.transport(state);
  }

  #openChannel(peer: RTCPeerConnection): void {
    const channel = peer.createDataChannel(CHANNEL_LABEL, { negotiated: true, id: CHANNEL_ID, ordered: true });
    channel.binaryType = "arraybuffer";
    channel.onopen = () => this.#closed || this.#gate.channelOpen();
    channel.onclose = () => this.#closed || this.#handlers.onChannelClosed();
    channel.onmessage = (event: MessageEvent<unknown>) => {
      if (this.#closed) return;
      // Text is no call message: empty bytes are refused where messages are decoded.
      this.#gate.message(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array());
    };
    this.#channel = channel;
  }

  async #firstLocal(peer: RTCPeerConnection, plan: LegPlan, made: RTCSessionDescriptionInit): Promise<void> {
    const setup = unwrap(setupOfSdp(made.sdp ?? "", this.#role, policyOf(plan)));
    await this.#setLocal(peer, made, 0, setup.ufrag);
    this.#handlers.onSetup(setup);
  }

  async #restartLocal(
    peer: RTCPeerConnection,
    made: RTCSessionDescriptionInit,
    generation: number,
    relays: readonly NamedRelay[] | null,
  ): Promise<void> {
    const { ufrag, pwd } = unwrap(credentialsOfSdp(made.sdp ?? "", this.#role));
    await this.#setLocal(peer, made, generation, ufrag);
    this.#handlers.onRestartReady(generation, ufrag, pwd, relays);
  }

  async #setLocal(peer: RTCPeerConnection, made: RTCSessionDescriptionInit, generation: number, ufrag: string) {
    // Before it is set, because candidates start to come the moment it is.
    this.#generation = generation;
    this.#generations.set(ufrag, generation);
    this.#relays.gathering();
    await peer.setLocalDescription(made);
  }

  async #describeAnew(peer: RTCPeerConnection, remote: CallSetup): Promise<void> {
    const isCaller = this.#role === "caller";
    if (!isCaller) await this.#setRemote(peer, remote, this.#generation);
    const made = isCaller ? await peer.createOffer() : await peer.createAnswer();
    const { ufrag } = unwrap(credentialsOfSdp(made.sdp ?? "", this.#role));
    // Other credentials would be a restart that the other side knows nothing of.
    if (this.#generations.get(ufrag) !== this.#generation) throw new EarshotError("bad-sdp", "new credentials");
    await peer.setLocalDescription(made);
    if (isCaller) await this.#setRemote(peer, remote, this.#generation);
  }

  async #setRemote(peer: RTCPeerConnection, setup: CallSetup, generation: number): Promise<void> {
    const type = this.#role === "caller" ? "answer" : "offer";
    await peer.setRemoteDescription({ type, sdp: sdpOfSetup(setup, generation, this.#voice) });
    this.#remote = setup;
  }

  /** `url`: of the relay's server, where the platform tells. */
  #localCandidate(candidate: (RTCIceCandidate & { readonly url?: string | null }) | null, url?: string): void {
    if (this.#closed) return;
    // The end of a generation that was overtaken may come late: one that has found nothing yet has not ended.
    if (!candidate?.candidate)
      return this.#foundIn === this.#generation ? this.#batch.end(this.#generation) : undefined;
    const generation = this.#generations.get(candidate.usernameFragment ?? "") ?? this.#generation;
    const parsed = parseCandidateText(candidate.candidate);
    this.#foundIn = generation;
    if (parsed.ok) this.#batch.add(generation, this.#relays.labelled(parsed.value, candidate.url ?? url));
    else this.#handlers.onRefused(parsed.code);
  }

  #do(work: (peer: RTCPeerConnection) => Promise<unknown>): void {
    if (this.#closed) return;
    this.#operations
      .run(async () => {
        if (this.#closed) return;
        // createCaller and createCallee make the peer themselves, and ignore the parameter.
        await work(this.#peer as RTCPeerConnection);
      })
      .catch((error: unknown) => {
        if (!this.#closed) this.#handlers.onFailed(error);
      });
  }
}
