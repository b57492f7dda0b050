/** A recorder that would sit in the middle of a call: a real WebRTC stack that takes the callee's answer for the caller. */
import { type CallPacket, type CallSetup, type EncodedSetup, encodeSetup } from "@earshot/core";
import { systemClock } from "@earshot/sdk";
import { loadWrtc, wrtcPeerConnection } from "@earshot/sdk/node";
import { PeerLeg } from "../../packages/sdk/src/calls/peer-leg.ts";

/** Plays the caller towards one victim. */
export class Eavesdropper {
  /** True once DTLS stood with the victim: the attacker has a media key. */
  connected = false;
  /** Its own description, to be put in the caller's place. */
  readonly setup: Promise<EncodedSetup>;
  /** Resolves once it is connected. */
  readonly standing: Promise<void>;
  readonly #leg: PeerLeg;
  #frames = 0;
  #ufrag = "";
  #stopListening = () => {};

  constructor() {
    let ready: (setup: CallSetup) => void = () => {};
    let stands = () => {};
    this.setup = new Promise<CallSetup>((resolve) => {
      ready = resolve;
    }).then((setup) => encodeSetup(setup));
    this.standing = new Promise((resolve) => {
      stands = resolve;
    });
    const nothing = () => {};
    const consent = { relay: "never", video: true } as const;
    const plan = async () => ({ stunServers: [], relays: [], consent, relayOnly: false });
    const options = { peerConnection: wrtcPeerConnection, plan, clock: systemClock };
    this.#leg = new PeerLeg(options, {
      onSetup: ready,
      onCandidates: nothing,
      onTransport: (state) => {
        if (state !== "connected") return;
        this.connected = true;
        stands();
      },
      onChannelOpen: nothing,
      onChannelClosed: nothing,
      onMessage: nothing,
      onRestartReady: nothing,
      onRefused: nothing,
      onFailed: nothing,
    });
    this.#leg.createCaller();
  }

  /** What the victim answers the forged invite with: takes its set-up and its addresses, and listens. */
  hear({ message }: CallPacket): void {
    if ((message.type === "ringing" || message.type === "answer") && message.setup && this.#ufrag === "") {
      this.#ufrag = message.setup.setup.ufrag;
      this.#leg.applyRemoteSetup(message.setup.setup, { mine: false, theirs: [] });
      this.#listen();
    }
    if (message.type === "candidates") this.#leg.addRemoteCandidates(message.candidates, this.#ufrag, message.end);
  }

  /** Ten-millisecond frames of anything but silence that came from the victim. */
  packetsOfSound(): number {
    return this.#frames;
  }

  close(): void {
    this.#stopListening();
    void this.#leg.close();
  }

  #listen(): void {
    const { audio } = this.#leg.remoteTracks();
    if (!audio) return;
    const sink = new (loadWrtc().nonstandard.RTCAudioSink)(audio);
    sink.ondata = ({ samples }) => {
      if (samples.some((sample) => Math.abs(sample) > 100)) this.#frames++;
    };
    this.#stopListening = () => sink.stop();
  }
}
