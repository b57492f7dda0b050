/** A recorder that would sit in the middle of a call: a real WebRTC stack that takes the callee's answer for the caller. */
import { type CallPacket, type CallSetup, encodeSetup, type EncodedSetup } from "@earshot/core";
import { systemClock } from "@earshot/sdk";
import { wrtcPeerConnection } from "@earshot/sdk/node";
import { PeerLeg } from "../../packages/sdk/src/calls/peer-leg.ts";

/** Plays the caller towards one victim. */
export class Eavesdropper {
  /** True once DTLS stood with the victim: the attacker has a media key. */
  connected = false;
  readonly setup: Promise<EncodedSetup>;
  readonly #leg: PeerLeg;
  #answered = false;

  constructor() {
    let ready: (setup: CallSetup) => void = () => {};
    const made = new Promise<CallSetup>((resolve) => {
      ready = resolve;
    });
    this.setup = made.then((setup) => encodeSetup(setup));
    const nothing = () => {};
    this.#leg = new PeerLeg(
      {
        peerConnection: wrtcPeerConnection,
        iceServers: [],
        policy: { relay: false, video: true },
        clock: systemClock,
      },
      {
        onSetup: ready,
        onCandidates: nothing,
        onTransport: (state) => {
          this.connected ||= state === "connected";
        },
        onChannelOpen: nothing,
        onChannelClosed: nothing,
        onMessage: nothing,
        onRestartReady: nothing,
        onRefused: nothing,
        onFailed: nothing,
      },
    );
    this.#leg.createCaller();
  }

  /** What the victim answers the forged invite with: takes its set-up and its addresses. */
  hear({ message }: CallPacket): void {
    if ((message.type === "ringing" || message.type === "answer") && message.setup && !this.#answered) {
      this.#answered = true;
      this.#leg.applyRemoteSetup(message.setup.setup);
      this.#ufrag = message.setup.setup.ufrag;
    }
    if (message.type === "candidates") this.#leg.addRemoteCandidates(message.candidates, this.#ufrag, message.end);
  }
  #ufrag = "";

  close(): void {
    this.#leg.close();
  }
}
