import {
  type CallMessage,
  createIncomingCall,
  createOutgoingCall,
  decodeCallPacket,
  type NamedRelay,
  type Party,
  unwrap,
} from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { wrtcPeerConnection } from "../node/wrtc.ts";
import { CallSession, MORE_RELAYS_AFTER_MS } from "./call-session.ts";
import type { RelayOffer } from "./relay-source.ts";

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const party = (n: number): Party => ({ account: bytes(32, n), device: bytes(32, n + 1) });
const POLICY = { relay: "any", video: true } as const;
const RELAY: RelayOffer = {
  ...{ key: bytes(32, 9), operator: "Rita", urls: ["turn:127.0.0.1:9"], username: "u", credential: "c" },
  ...{ expiresAtMs: Number.MAX_SAFE_INTEGER, trusted: false },
};

/** Two sides whose addresses never reach each other: no path comes up. */
class Pathless {
  readonly clock = new VirtualClock();
  readonly #caller = party(1);
  readonly #callee = party(3);
  readonly caller: CallSession;
  readonly callee: CallSession;
  /** What the caller may use when it asks anew. */
  offers: readonly RelayOffer[] = [];
  readonly toCallee: CallMessage[] = [];

  constructor() {
    const common = { callId: bytes(16, 5), policy: POLICY, earlyCandidates: true };
    const [a, b] = [this.#caller, this.#callee];
    const devices = [{ device: b.device, nonce: bytes(16, 6) }];
    const media = { audio: true, video: false };
    this.caller = this.#session(
      createOutgoingCall({ ...common, self: a, peer: b.account, devices, media }),
      (packet) => {
        this.toCallee.push(packet.message);
        this.callee.handleEnvelope(a.device, packet, this.clock.now());
      },
    );
    const incoming = { ...common, self: b, caller: a, nonce: bytes(16, 7), busy: false };
    this.callee = this.#session(createIncomingCall(incoming), (packet) =>
      this.caller.handleEnvelope(b.device, packet, this.clock.now()),
    );
  }

  #session(
    state: ConstructorParameters<typeof CallSession>[0],
    deliver: (packet: ReturnType<typeof withoutAddresses>) => void,
  ): CallSession {
    const nothing = () => {};
    const session: CallSession = new CallSession(
      state,
      {
        clock: this.clock,
        legOptions: {
          peerConnection: wrtcPeerConnection,
          plan: async () => ({ stunServers: [], relays: [], consent: POLICY, relayOnly: false }),
          renewRelays: () => this.offers,
          clock: this.clock,
        },
        sendEnvelope: async (_, body) => void deliver(withoutAddresses(body)),
        canSend: () => true,
      },
      {
        ...{ onState: nothing, onMissed: nothing, onBrokenAttempt: nothing, onRefused: nothing, onMediaOpen: nothing },
        ...{ onMediaClosed: nothing, onEnded: nothing, onProblem: nothing },
        onRing: () => session.handle({ type: "ring-shown" }),
      },
    );
    return session;
  }

  /** Resolves when it rings. */
  async ring(): Promise<void> {
    this.caller.handle({ type: "start" });
    await expect.poll(() => this.caller.state.phase).toBe("ringing");
  }

  async answer(): Promise<void> {
    this.callee.handle({ type: "answer", media: { audio: true, video: false } });
    await expect.poll(() => this.caller.state.phase).toBe("connecting");
  }

  /** Relays that the caller has named since the call was placed. */
  namedSince(): readonly NamedRelay[] {
    return this.toCallee.flatMap((message) => (message.type === "restart" ? (message.relays ?? []) : []));
  }
}

function withoutAddresses(body: Uint8Array) {
  const packet = unwrap(decodeCallPacket(body));
  const { message } = packet;
  return message.type === "candidates" ? { ...packet, message: { ...message, candidates: [], end: false } } : packet;
}

describe("a relay that is found after the call was placed", () => {
  let call: Pathless;
  beforeEach(async () => {
    call = new Pathless();
    await call.ring();
  });
  afterEach(async () => {
    for (const session of [call.caller, call.callee]) {
      session.handle({ type: "shutdown" });
      await session.whenClosed();
    }
  });
  const found = () => {
    call.offers = [RELAY];
    call.caller.handleRelaysFound();
  };
  const isNamed = () =>
    expect.poll(() => call.namedSince()).toMatchObject([{ key: RELAY.key, operator: RELAY.operator }]);

  it("while it rings is used where no path is up soon after the answer", async () => {
    found();
    await call.answer();
    await call.clock.advance(MORE_RELAYS_AFTER_MS - 1);
    expect(call.caller.state.legs[0]?.generation).toBe(0);
    await call.clock.advance(1);
    await isNamed();
  });

  it("while the path is looked for is used at once", async () => {
    await call.answer();
    await call.clock.advance(MORE_RELAYS_AFTER_MS);
    expect(call.caller.state.legs[0]?.generation).toBe(0);
    found();
    await isNamed();
  });
});
