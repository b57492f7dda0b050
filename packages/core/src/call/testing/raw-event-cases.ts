/** Whatever an adversary and a confused shell may feed to a call machine, with a call that succeeds among it. */
import fc from "fast-check";
import { equalBytes } from "../../bytes.ts";
import type { CallEvent, CallState, LegId, TimerName } from "../call-states.ts";
import type { CallMessage } from "../call-types.ts";
import { encodeSetup } from "../setup.ts";
import { nonceCommitment } from "../words.ts";
import { testBytes, testCandidate, testRelay, testSetup } from "./fixture-cases.ts";
import { expectedConfirm } from "./oracle-cases.ts";

export const MEDIA = { audio: true, video: true };
export const SELF = { account: testBytes("self", 32), device: testBytes("self device", 32) };
export const PEERS = [testBytes("peer device 0", 32), testBytes("peer device 1", 32), testBytes("stranger", 32)];
export const CALL_ID = testBytes("call", 16);
const NONCE = testBytes("peer nonce", 16);
const TIMERS: readonly TimerName[] = ["ring", "connect", "vanish", "restart", "quiet", "ping", "gap", "repair"];

const mark = fc.record({
  generation: fc.nat(2),
  count: fc.nat(4),
  head: fc.constant(testBytes("head", 32)),
  ended: fc.boolean(),
});
/** `right` places are filled in from the state when the event is fed: what an adversary who knew everything would send. */
const message = fc.oneof(
  fc.record({ type: fc.constant("invite" as const), right: fc.boolean(), wantsVideo: fc.boolean() }),
  fc.record({ type: fc.constant("ringing" as const), right: fc.boolean() }),
  fc.record({ type: fc.constant("answer" as const), right: fc.boolean(), video: fc.boolean() }),
  fc.record({ type: fc.constant("reveal" as const), right: fc.boolean() }),
  fc.record({
    type: fc.constant("candidates" as const),
    generation: fc.nat(2),
    firstIndex: fc.integer({ min: 1, max: 4 }),
    count: fc.nat(4),
    end: fc.boolean(),
  }),
  fc.record({ type: fc.constantFrom("decline" as const, "busy" as const) }),
  fc.record({
    type: fc.constant("cancel" as const),
    reason: fc.constantFrom("hung-up" as const, "answered-elsewhere" as const, "declined-elsewhere" as const),
  }),
  fc.record({
    type: fc.constant("hang-up" as const),
    reason: fc.constantFrom("hung-up" as const, "shutdown" as const),
  }),
  fc.record({ type: fc.constant("confirm" as const), right: fc.boolean(), sent: mark, received: mark }),
  fc.record({ type: fc.constant("confirm" as const), right: fc.constant(true), sent: mark, received: mark }),
  fc.record({ type: fc.constant("media" as const), audio: fc.boolean(), video: fc.boolean() }),
  fc.record({
    type: fc.constant("restart" as const),
    generation: fc.nat(3),
    isAnswer: fc.boolean(),
    relays: fc.constantFrom(null, [], [testRelay("theirs")]),
  }),
  fc.record({
    type: fc.constant("refuse-relays" as const),
    keys: fc.constantFrom([testRelay("own").key], [testRelay("theirs").key, testRelay("own").key]),
  }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const), n: fc.nat(3) }),
  fc.record({ type: fc.constant("resend-candidates" as const), generation: fc.nat(2), fromIndex: fc.nat(4) }),
  fc.record({ type: fc.constant("ask-restart" as const), generation: fc.nat(2) }),
  fc.record({
    type: fc.constant("wish" as const),
    leanVoice: fc.boolean(),
    picture: fc.constantFrom("full" as const, "none" as const),
  }),
);
export type RawMessage = typeof message extends fc.Arbitrary<infer T> ? T : never;

export const raw = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ kind: "script" as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("message" as const),
      message,
      from: fc.nat(2),
      envelope: fc.boolean(),
      ahead: fc.oneof(
        { weight: 6, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -2, max: 40 }) },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("local" as const), leg: fc.nat(1), n: fc.nat(11) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("person" as const), n: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("timer" as const), n: fc.nat(TIMERS.length - 1) }) },
);
type Raw = typeof raw extends fc.Arbitrary<infer T> ? T : never;
export type Fed = Exclude<Raw, { kind: "script" }>;

const local = (n: number): Fed => ({ kind: "local", leg: 0, n });
const peer = (given: RawMessage, envelope: boolean): Fed => ({
  kind: "message",
  message: given,
  from: 0,
  envelope,
  ahead: 0,
});
const rightConfirm: RawMessage = {
  type: "confirm",
  right: true,
  sent: { generation: 9, count: 0, head: CALL_ID, ended: false },
  received: { generation: 9, count: 0, head: CALL_ID, ended: false },
};
/** A call that succeeds; fed in this order, or in any other, with anything in between. */
export const SCRIPTS: Readonly<Record<"caller" | "callee", readonly Fed[]>> = {
  caller: [
    ...[local(0), local(1), local(4)],
    ...[peer({ type: "ringing", right: true }, true), local(5), local(8), peer(rightConfirm, false)],
    ...[
      peer({ type: "answer", right: true, video: true }, true),
      peer({ type: "media", audio: true, video: true }, false),
    ],
    ...[local(6), local(5), local(11)],
  ],
  callee: [
    ...[
      peer({ type: "invite", right: true, wantsVideo: false }, true),
      { kind: "person", n: 3 } as const,
      local(1),
      local(4),
    ],
    ...[local(5), local(8), peer(rightConfirm, false), { kind: "person", n: 0 } as const],
    ...[peer({ type: "reveal", right: true }, false), local(6), local(5), local(11)],
  ],
};

export function orders(length: number): fc.Arbitrary<number[]> {
  const places = Array.from({ length }, (_, i) => i);
  return fc.oneof(fc.constant(places), fc.shuffledSubarray(places, { minLength: length }));
}

export function eventOf(state: CallState, item: Fed): CallEvent {
  const { leg, n } = { leg: 0, n: 0, ...item };
  if (item.kind === "timer") return { type: "timer", name: TIMERS[n] as TimerName };
  if (item.kind === "person") return personEvent(n);
  if (item.kind === "local") return localEvent(state, leg, n);
  const from = PEERS[item.from] as Uint8Array;
  const known = state.legs.find((candidate) => equalBytes(candidate.device, from));
  const lane = item.envelope ? known?.envelopes : known?.messages;
  const number = Math.max(1, (lane?.nextReceive ?? 1) + item.ahead);
  const packet = { callId: CALL_ID, number, message: messageOf(state, known, item.message) };
  return { type: "message", from, carrier: item.envelope ? "envelope" : "channel", packet, sentAt: 0, now: 0 };
}

function messageOf(state: CallState, leg: CallState["legs"][number] | undefined, given: RawMessage): CallMessage {
  const wrong = testBytes("wrong", 32);
  switch (given.type) {
    case "invite":
      return {
        type: "invite",
        commitment: nonceCommitment(NONCE),
        setup: encodeSetup(testSetup("caller", "peer")),
        wantsVideo: given.wantsVideo,
        clockCorrectionMs: 0,
      };
    case "ringing":
      return { type: "ringing", setup: given.right ? encodeSetup(testSetup("callee", "peer")) : null };
    case "answer": {
      const setup = given.right ? encodeSetup(testSetup("callee", "peer")) : null;
      return { type: "answer", nonce: NONCE, setup, video: given.video };
    }
    case "reveal":
      return { type: "reveal", nonce: given.right ? NONCE : wrong.slice(0, 16) };
    case "candidates": {
      const { generation, firstIndex, end } = given;
      const candidates = Array.from({ length: given.count }, (_, i) => testCandidate(firstIndex + i));
      return { type: "candidates", generation, firstIndex, candidates, end };
    }
    case "confirm": {
      const hash = leg === undefined ? undefined : expectedConfirm(state, leg);
      const empty = { generation: 9, count: 0, head: wrong, ended: false };
      return given.right && hash !== undefined
        ? { type: "confirm", hash, sent: empty, received: empty }
        : given.sent.ended
          ? { type: "confirm", hash: wrong, sent: given.sent, received: given.received }
          : { type: "confirm", hash: wrong, sent: empty, received: empty };
    }
    case "restart":
      return { ...given, ufrag: "abcd", pwd: "0123456789012345678901" };
    default:
      return given;
  }
}

function personEvent(n: number): CallEvent {
  const events: readonly CallEvent[] = [
    { type: "answer", media: MEDIA },
    { type: "answer", media: MEDIA },
    { type: "set-media", media: MEDIA },
    { type: "ring-shown" },
    { type: "ring-shown" },
    { type: "busy" },
    { type: "network-changed" },
    { type: "decline" },
    { type: "hang-up" },
    { type: "glare-lost" },
    { type: "set-wish", wish: { leanVoice: true, picture: "none" } },
    { type: "path-quiet" },
    { type: "path-heard" },
  ];
  return events[n] as CallEvent;
}

function localEvent(state: CallState, leg: LegId, n: number): CallEvent {
  const generation = state.legs[leg]?.generation ?? 0;
  const events: readonly CallEvent[] = [
    { type: "start" },
    { type: "setup-ready", leg, setup: testSetup(state.role, "self") },
    { type: "setup-ready", leg, setup: testSetup(state.role, "self") },
    { type: "setup-ready", leg, setup: testSetup("caller", "self", { pwd: "short" }) },
    { type: "local-candidates", leg, generation, candidates: Array(40).fill(testCandidate(9)), end: false },
    { type: "transport", leg, state: "connected" },
    { type: "transport", leg, state: "disconnected" },
    { type: "transport", leg, state: "failed" },
    { type: "channel-open", leg },
    { type: "channel-open", leg },
    { type: "channel-closed", leg },
    {
      type: "restart-ready",
      leg,
      generation,
      ufrag: "abcd",
      pwd: "0123456789012345678901",
      relays: [testRelay("own")],
    },
  ];
  return events[n] as CallEvent;
}
