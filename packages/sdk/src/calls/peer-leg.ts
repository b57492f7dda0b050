import {
  type CallPolicy,
  type CallRole,
  type CallSetup,
  type Candidate,
  candidateText,
  type Clock,
  credentialsOfSdp,
  parseCandidateText,
  type RefusalCode,
  sdpOfSetup,
  setupOfSdp,
  unwrap,
} from "@earshot/core";
import type { CallMedia, PeerConnectionFactory } from "../api.ts";
import { SerialQueue } from "../serial-queue.ts";
import { CandidateBatch } from "./candidate-batch.ts";

/** Operations waiting at one peer connection: far more than a call's set-up and restarts ever queue. */
const MAX_OPERATIONS = 256;
/** docs/protocol/call.md section 2. */
const CHANNEL_LABEL = "earshot";
const CHANNEL_ID = 0;
/** How long a close waits for the last message (the hang-up) to leave. */
const CLOSE_LINGER_MS = 250;

export interface PeerLegHandlers {
  onSetup(setup: CallSetup): void;
  onCandidates(generation: number, candidates: readonly Candidate[], end: boolean): void;
  onTransport(state: "connected" | "disconnected" | "failed"): void;
  onChannelOpen(): void;
  onChannelClosed(): void;
  onMessage(bytes: Uint8Array): void;
  onRestartReady(generation: number, ufrag: string, pwd: string): void;
  onRefused(code: RefusalCode): void;
  /** The peer connection could not be made or did not take what it was given. */
  onFailed(error: unknown): void;
}

export interface PeerLegOptions {
  readonly peerConnection: PeerConnectionFactory;
  readonly iceServers: readonly RTCIceServer[];
  readonly policy: CallPolicy;
  readonly clock: Clock;
}

/**
 * One peer connection in the typed shape: audio, video and one negotiated data channel, without tracks. It knows nothing
 * of calls: it does what it is told, one thing after the other, and says what happens.
 */
export class PeerLeg {
  readonly #options: PeerLegOptions;
  readonly #handlers: PeerLegHandlers;
  readonly #operations = new SerialQueue(MAX_OPERATIONS);
  readonly #batch: CandidateBatch;
  /** Which generation a local ufrag belongs to: candidates name their ufrag. */
  readonly #generations = new Map<string, number>();
  #generation = 0;
  #role: CallRole = "caller";
  #peer: RTCPeerConnection | undefined;
  #channel: RTCDataChannel | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: PeerLegOptions, handlers: PeerLegHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#batch = new CandidateBatch(options.clock, (generation, candidates, end) => {
      if (!this.#closed) handlers.onCandidates(generation, candidates, end);
    });
  }

  get peer(): RTCPeerConnection | undefined {
    return this.#peer;
  }

  /** Makes the local offer; `onSetup` follows. */
  createCaller(): void {
    this.#do(async () => {
      this.#role = "caller";
      const peer = this.#make();
      peer.addTransceiver("audio", { direction: "sendrecv" });
      peer.addTransceiver("video", { direction: "sendrecv" });
      this.#openChannel(peer);
      await this.#firstLocal(peer, await peer.createOffer());
    });
  }

  /** Takes the caller's set-up as an offer and makes the local answer; `onSetup` follows. */
  createCallee(remote: CallSetup): void {
    this.#do(async () => {
      this.#role = "callee";
      const peer = this.#make();
      await peer.setRemoteDescription({ type: "offer", sdp: sdpOfSetup(remote) });
      for (const transceiver of peer.getTransceivers()) transceiver.direction = "sendrecv";
      this.#openChannel(peer);
      await this.#firstLocal(peer, await peer.createAnswer());
    });
  }

  /** Caller: the chosen callee's set-up. */
  applyRemoteSetup(setup: CallSetup): void {
    this.#do((peer) => peer.setRemoteDescription({ type: "answer", sdp: sdpOfSetup(setup, this.#generation) }));
  }

  addRemoteCandidates(candidates: readonly Candidate[], ufrag: string, end: boolean): void {
    this.#do(async (peer) => {
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
      await this.#restartLocal(peer, await peer.createOffer({ iceRestart: true }), generation);
    });
  }

  /** The other side's new credentials: callee answers them (`onRestartReady` follows), caller takes them as the answer. */
  applyRestart(generation: number, remote: CallSetup): void {
    this.#do(async (peer) => {
      const sdp = sdpOfSetup(remote, generation);
      if (this.#role === "caller") return peer.setRemoteDescription({ type: "answer", sdp });
      await peer.setRemoteDescription({ type: "offer", sdp });
      await this.#restartLocal(peer, await peer.createAnswer(), generation);
    });
  }

  /**
   * Puts the person's tracks on the senders, or takes them off (null). Called only once media is open. Rejects where a sender
   * does not take a track; the connection lives on.
   */
  setTracks(media: {
    readonly audio: MediaStreamTrack | null;
    readonly video: MediaStreamTrack | null;
  }): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return this.#operations.run(async () => {
      const [audio, video] = this.#peer?.getTransceivers() ?? [];
      if (audio && audio.sender.track !== media.audio) await audio.sender.replaceTrack(media.audio);
      if (video && video.sender.track !== media.video) await video.sender.replaceTrack(media.video);
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

  send(bytes: Uint8Array): void {
    this.#do(async () => {
      if (this.#channel?.readyState === "open") this.#channel.send(bytes as Uint8Array<ArrayBuffer>);
    });
  }

  /** After what is queued has left; resolves when the peer connection is closed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#do(async (peer) => {
      for (const { sender } of peer.getTransceivers()) await sender.replaceTrack(null).catch(() => {});
    });
    this.#closed = true;
    this.#batch.stop();
    await this.#operations.idle();
    if (this.#channel?.readyState === "open") {
      await new Promise<void>((resolve) => this.#options.clock.setTimer(CLOSE_LINGER_MS, resolve));
    }
    this.#peer?.close();
  }

  #make(): RTCPeerConnection {
    const peer = this.#options.peerConnection({
      iceServers: [...this.#options.iceServers],
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
    });
    this.#peer = peer;
    peer.onicecandidate = (event) => this.#localCandidate(event.candidate);
    peer.onconnectionstatechange = () => this.#stateChanged(peer);
    return peer;
  }

  #stateChanged(peer: RTCPeerConnection): void {
    if (this.#closed) return;
    const state = peer.connectionState;
    if (state === "connected" || state === "disconnected" || state === "failed") this.#handlers.onTransport(state);
  }

  #openChannel(peer: RTCPeerConnection): void {
    const channel = peer.createDataChannel(CHANNEL_LABEL, { negotiated: true, id: CHANNEL_ID, ordered: true });
    channel.binaryType = "arraybuffer";
    channel.onopen = () => this.#closed || this.#handlers.onChannelOpen();
    channel.onclose = () => this.#closed || this.#handlers.onChannelClosed();
    channel.onmessage = (event: MessageEvent<unknown>) => {
      if (this.#closed) return;
      // Text is no call message: empty bytes are refused where messages are decoded.
      this.#handlers.onMessage(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array());
    };
    this.#channel = channel;
  }

  async #firstLocal(peer: RTCPeerConnection, made: RTCSessionDescriptionInit): Promise<void> {
    const setup = unwrap(setupOfSdp(made.sdp ?? "", this.#role, this.#options.policy));
    await this.#setLocal(peer, made, 0, setup.ufrag);
    this.#handlers.onSetup(setup);
  }

  async #restartLocal(peer: RTCPeerConnection, made: RTCSessionDescriptionInit, generation: number): Promise<void> {
    const { ufrag, pwd } = unwrap(credentialsOfSdp(made.sdp ?? "", this.#role));
    await this.#setLocal(peer, made, generation, ufrag);
    this.#handlers.onRestartReady(generation, ufrag, pwd);
  }

  async #setLocal(peer: RTCPeerConnection, made: RTCSessionDescriptionInit, generation: number, ufrag: string) {
    // Before it is set, because candidates start to come the moment it is.
    this.#generation = generation;
    this.#generations.set(ufrag, generation);
    await peer.setLocalDescription(made);
  }

  #localCandidate(candidate: RTCIceCandidate | null): void {
    if (this.#closed) return;
    if (!candidate?.candidate) return this.#batch.end(this.#generation);
    const generation = this.#generations.get(candidate.usernameFragment ?? "") ?? this.#generation;
    const parsed = parseCandidateText(candidate.candidate);
    if (parsed.ok) this.#batch.add(generation, parsed.value);
    else this.#handlers.onRefused(parsed.code);
  }

  #do(work: (peer: RTCPeerConnection) => Promise<unknown>): void {
    if (this.#closed) return;
    this.#operations
      .run(async () => {
        // createCaller and createCallee make the peer themselves, and ignore the parameter.
        await work(this.#peer as RTCPeerConnection);
      })
      .catch((error: unknown) => {
        if (!this.#closed) this.#handlers.onFailed(error);
      });
  }
}
