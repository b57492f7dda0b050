/**
 * RFC 8844's unknown key share, played by a contact: towards the app each of these two looks like an RTCPeerConnection, but what it says
 * of itself is what it heard at the other. So Mallory's two calls carry each victim's set-up to the other as Mallory's own, and the
 * victims' WebRTC stacks meet each other, each believing to have met Mallory.
 */
import type { PeerConnectionFactory } from "@earshot/sdk";

interface Heard {
  readonly sdp: Promise<string>;
  readonly tell: (sdp: string) => void;
  readonly candidates: RTCIceCandidateInit[];
  onCandidate: ((candidate: RTCIceCandidateInit) => void) | undefined;
}

function nothingHeard(): Heard {
  let tell: (sdp: string) => void = () => {};
  const sdp = new Promise<string>((resolve) => {
    tell = resolve;
  });
  return { sdp, tell, candidates: [], onCandidate: undefined };
}

/** Factories for two clients: what the first's peer is told, the second's peer says, and the other way round. */
export function forwardingPeers(): readonly [PeerConnectionFactory, PeerConnectionFactory] {
  const [first, second] = [nothingHeard(), nothingHeard()];
  const factory = (own: Heard, other: Heard) => () => new ForwardingPeer(own, other) as unknown as RTCPeerConnection;
  return [factory(first, second), factory(second, first)];
}

/** As much of an RTCPeerConnection as the SDK uses. */
class ForwardingPeer {
  readonly connectionState = "connecting";
  readonly signalingState = "stable";
  onicecandidate: ((event: { candidate: RTCIceCandidateInit }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  readonly #own: Heard;
  readonly #other: Heard;

  constructor(own: Heard, other: Heard) {
    this.#own = own;
    this.#other = other;
  }
  addTransceiver(): void {}
  getTransceivers(): [] {
    return [];
  }
  createDataChannel(): object {
    return { readyState: "connecting" };
  }
  async createOffer(): Promise<{ type: string; sdp: string }> {
    return { type: "offer", sdp: await this.#other.sdp };
  }
  async createAnswer(): Promise<{ type: string; sdp: string }> {
    return { type: "answer", sdp: await this.#other.sdp };
  }
  async setLocalDescription(): Promise<void> {
    this.#other.onCandidate = (candidate) => this.onicecandidate?.({ candidate });
    for (const candidate of this.#other.candidates.splice(0)) this.#other.onCandidate(candidate);
  }
  async setRemoteDescription({ sdp }: { readonly sdp: string }): Promise<void> {
    this.#own.tell(sdp);
  }
  async addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (!candidate.candidate) return;
    if (this.#own.onCandidate) this.#own.onCandidate(candidate);
    else this.#own.candidates.push(candidate);
  }
  close(): void {}
}
