import {
  type CallMessage,
  type CallState,
  createIncomingCall,
  createOutgoingCall,
  decodeCallPacket,
  decodeSetup,
  encodeCallPacket,
  encodeSetup,
  parseCandidateText,
  sdpOfSetup,
  setupOfSdp,
  candidateText,
  step,
  unwrap,
} from "@earshot/core";
import type { FuzzTarget } from "../target.ts";

const bytes = (value: number, length: number) => new Uint8Array(length).fill(value);
const relay = { key: bytes(12, 32), operator: "Ann", steps: 3 };
const POLICY = { relay: "any", video: true, relays: [relay] } as const;
const callId = bytes(1, 16);
const SELF = { account: bytes(2, 32), device: bytes(3, 32) };
const PEER = { account: bytes(4, 32), device: bytes(5, 32) };

const setups = (["caller", "callee"] as const).map((role) =>
  encodeSetup({
    role,
    fingerprint: bytes(6, 32),
    ufrag: "abcd",
    pwd: "0123456789012345678901",
    audio: [
      { name: "opus", payloadType: 111 },
      { name: "red", payloadType: 63 },
    ],
    video: [
      { name: "vp8", payloadType: 96, rtxPayloadType: 97 },
      { name: "vp9", payloadType: 98, rtxPayloadType: null },
    ],
    extensions: [
      { name: "mid", number: 4 },
      { name: "transport-cc", number: 3 },
    ],
    policy: POLICY,
  }),
);
const [callerSetup, calleeSetup] = setups as [(typeof setups)[0], (typeof setups)[0]];
const candidateLine = "candidate:1 1 udp 2113937151 192.0.2.1 50000 typ srflx raddr 0.0.0.0 rport 0";
const candidate = unwrap(parseCandidateText(candidateLine));
const mark = { generation: 0, count: 1, head: bytes(7, 32), ended: true };

const messages: readonly CallMessage[] = [
  { type: "invite", commitment: bytes(8, 32), setup: callerSetup, wantsVideo: true, clockCorrectionMs: 0 },
  { type: "ringing", setup: calleeSetup },
  { type: "candidates", generation: 0, firstIndex: 1, candidates: [candidate], end: true },
  { type: "answer", nonce: bytes(9, 16), setup: calleeSetup, video: false },
  { type: "reveal", nonce: bytes(10, 16) },
  { type: "confirm", hash: bytes(11, 32), sent: mark, received: mark },
  { type: "media", audio: true, video: false },
  { type: "restart", generation: 1, ufrag: "efgh", pwd: "0123456789012345678901", isAnswer: false, relays: [relay] },
  { type: "wish", leanVoice: true, picture: "none" },
  { type: "refuse-relays", keys: [relay.key] },
  { type: "resend-candidates", generation: 0, fromIndex: 1 },
  { type: "ask-restart", generation: 0 },
  { type: "cancel", reason: "answered-elsewhere" },
  { type: "hang-up", reason: "shutdown" },
  { type: "ping", n: 1 },
  { type: "decline" },
];
const packets = messages.map((message, i) => encodeCallPacket({ callId, number: i + 1, message }));

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Length-prefixed packets, one after the other: what the machine fuzzer feeds. */
function joined(list: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(list.flatMap((packet) => [packet.length >> 8, packet.length & 255, ...packet]));
}

function split(input: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + 2 <= input.length; ) {
    const length = ((input[at] as number) << 8) | (input[at + 1] as number);
    parts.push(input.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return parts;
}

/** Nobody answers here and no channel opens, so whatever arrives, the media must stay shut. */
function feed(start: CallState, input: Uint8Array): string {
  let state = start;
  const common = { from: PEER.device, carrier: "envelope", sentAt: 0, now: 0 } as const;
  for (const part of split(input)) {
    const packet = decodeCallPacket(part);
    if (!packet.ok) continue;
    const result = step(state, { type: "message", packet: packet.value, ...common });
    if (result.effects.some((effect) => effect.type === "open-media")) throw new Error("media opened by a packet");
    state = result.state;
  }
  return state.phase;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: "call-packet",
    seeds: packets,
    run: (input) => {
      const decoded = decodeCallPacket(input);
      if (!decoded.ok) return decoded.code;
      if (!same(encodeCallPacket(decoded.value), input)) throw new Error("not the deterministic encoding");
      return decoded.value.message.type;
    },
  },
  {
    name: "call-setup",
    seeds: setups.map((setup) => setup.bytes),
    run: (input) => {
      const decoded = decodeSetup(input);
      if (!decoded.ok) return decoded.code;
      const { setup } = decoded.value;
      const read = unwrap(setupOfSdp(sdpOfSetup(setup), setup.role, setup.policy));
      if (!same(encodeSetup({ ...read, extensions: setup.extensions }).bytes, input))
        throw new Error("SDP says otherwise");
    },
  },
  {
    name: "call-sdp",
    seeds: setups.map(({ setup }) => new TextEncoder().encode(sdpOfSetup(setup))),
    run: (input) => {
      const read = setupOfSdp(new TextDecoder().decode(input), "caller", POLICY);
      if (!read.ok) return read.code;
      encodeSetup(read.value);
    },
  },
  {
    name: "call-candidate-text",
    seeds: [new TextEncoder().encode(candidateLine)],
    run: (input) => {
      const read = parseCandidateText(new TextDecoder().decode(input));
      if (!read.ok) return read.code;
      unwrap(parseCandidateText(candidateText(read.value, "abcd")));
    },
  },
  {
    name: "call-machine-callee",
    seeds: [joined(packets)],
    run: (input) => {
      const options = { callId, self: SELF, caller: PEER, nonce: bytes(12, 16), policy: POLICY };
      return feed(createIncomingCall({ ...options, earlyCandidates: true, busy: false }), input);
    },
  },
  {
    name: "call-machine-caller",
    seeds: [joined(messages.slice(1).map((message, i) => encodeCallPacket({ callId, number: i + 1, message })))],
    run: (input) => {
      const devices = [{ device: PEER.device, nonce: bytes(12, 16) }];
      const media = { audio: true, video: true };
      const options = { callId, self: SELF, peer: PEER.account, devices, policy: POLICY, earlyCandidates: true, media };
      const dialling = step(createOutgoingCall(options), { type: "start" }).state;
      return feed(step(dialling, { type: "setup-ready", leg: 0, setup: callerSetup.setup }).state, input);
    },
  },
];
