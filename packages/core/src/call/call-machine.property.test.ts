/**
 * Every order of events: machines wired together over a network that reorders, repeats and loses, and single machines fed
 * with whatever an adversary and a confused shell may come up with. What must hold is stated by an oracle that looks at
 * events and effects alone.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equalBytes, utf8 } from "../bytes.ts";
import { createIncomingCall, createOutgoingCall, step } from "./call-machine.ts";
import { decodeCallPacket } from "./call-message.ts";
import type { CallEffect, CallEvent, CallState, LegId, TimerName } from "./call-states.ts";
import type { CallMessage, CallPacket } from "./call-types.ts";
import { CALL_HELD_MAX, CANDIDATES_MAX } from "./limits.ts";
import { encodeSetup } from "./setup.ts";
import { createWorld, type Passing, type Phone, testBytes, testCandidate, testSetup } from "./testing/phones.ts";
import { nonceCommitment } from "./words.ts";

const MEDIA = { audio: true, video: true };

/** Section 5's hash, written a second time. */
function expectedConfirm(state: CallState, leg: CallState["legs"][number]): Uint8Array | undefined {
  if (leg.localSetup === null || leg.remoteSetup === null) return undefined;
  const own = { account: state.self.account, device: state.self.device, setup: leg.localSetup.bytes };
  const other = { account: state.peer, device: leg.device, setup: leg.remoteSetup.bytes };
  const [caller, callee] = state.role === "caller" ? [own, other] : [other, own];
  const senderIsCaller = state.role === "callee";
  return sha256(
    concat(
      utf8("EARSHOT-CONFIRM-1"),
      Uint8Array.of(senderIsCaller ? 0 : 1),
      ...[caller.account, callee.account, caller.device, callee.device, state.callId],
      ...[sha256(caller.setup), sha256(callee.setup)],
    ),
  );
}

/** Watches one machine from outside and throws at the first thing that must not happen. */
function createOracle() {
  let personAnswered = false;
  let shown = false;
  const answeredLegs = new Set<LegId>();
  const confirmedLegs = new Set<LegId>();
  const secrets: Uint8Array[] = [];
  return (before: CallState, event: CallEvent, after: CallState, effects: readonly CallEffect[]): void => {
    if (event.type === "answer") personAnswered = true;
    if (event.type === "ring-shown") shown = true;
    noteMessages(before, event, after);
    for (const effect of effects) {
      if (effect.type === "open-media") {
        const answered = before.role === "callee" ? personAnswered : answeredLegs.has(effect.leg);
        if (!answered) throw new Error("media opened before the answer");
        if (!confirmedLegs.has(effect.leg)) throw new Error("media opened before the confirmation");
      }
      if (effect.type === "send") checkSent(before, effect);
    }
    checkBounds(after);
    if (before.phase === "ended") expect([after === before, effects.length]).toEqual([true, 0]);
    if (before.phase !== "ended" && after.phase === "ended") expect(effects.at(-1)?.type).toBe("ended");
  };

  /** What the machine may have taken in with this event: the packet itself and those that it held. */
  function noteMessages(before: CallState, event: CallEvent, after: CallState): void {
    for (const leg of before.legs) {
      const own = event.type === "message" && equalBytes(event.from, leg.device) ? [event] : [];
      const packets: { carrier: string; packet: CallPacket }[] = [
        ...own,
        ...leg.envelopes.held.map((packet) => ({ carrier: "envelope", packet })),
        ...leg.messages.held.map((packet) => ({ carrier: "channel", packet })),
      ];
      const now = after.legs[leg.id] ?? leg;
      for (const { carrier, packet } of packets) {
        if (!equalBytes(packet.callId, before.callId)) continue;
        if (packet.message.type === "answer") answeredLegs.add(leg.id);
        const expected = expectedConfirm(before, leg) ?? expectedConfirm(after, now);
        if (packet.message.type === "confirm" && carrier === "channel" && expected !== undefined)
          if (equalBytes(packet.message.hash, expected)) confirmedLegs.add(leg.id);
      }
    }
  }

  function checkSent(state: CallState, effect: Extract<CallEffect, { type: "send" }>): void {
    const decoded = decodeCallPacket(effect.bytes);
    if (!decoded.ok) throw new Error(`sends what is refused: ${decoded.code}`);
    const { message } = decoded.value;
    if (message.type === "reveal" || message.type === "answer") {
      secrets.push(message.nonce);
      if (secrets.length > 1) throw new Error("a nonce went out twice");
    }
    if (state.role === "caller") {
      if (message.type === "candidates" && !state.earlyCandidates && answeredLegs.size === 0)
        throw new Error("addresses before the answer");
      return;
    }
    if (!shown && !personAnswered && !["busy", "decline"].includes(message.type))
      throw new Error("told before the ring");
    const tellsAddress = message.type === "candidates" || (message.type === "ringing" && message.setup !== null);
    if (tellsAddress && !state.earlyCandidates && !personAnswered) throw new Error("addresses before the answer");
  }
}

function checkBounds(state: CallState): void {
  for (const leg of state.legs) {
    expect(leg.envelopes.held.length).toBeLessThanOrEqual(CALL_HELD_MAX);
    expect(leg.messages.held.length).toBeLessThanOrEqual(CALL_HELD_MAX);
    expect(leg.local.candidates.length).toBeLessThanOrEqual(CANDIDATES_MAX);
    expect(leg.remote.candidates.length).toBeLessThanOrEqual(CANDIDATES_MAX);
    expect(leg.missing).toBeLessThanOrEqual(CANDIDATES_MAX);
  }
}

// ---------------------------------------------------------------- machines wired together

const deed = fc.oneof(
  { weight: 50, arbitrary: fc.record({ do: fc.constant("run" as const), pick: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("timer" as const), pick: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("repeat" as const), pick: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("path" as const), pick: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("answer" as const, "set-media"), pick: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("decline" as const, "hang-up", "glare-lost", "shutdown", "network-changed"),
      pick: fc.nat(2),
    }),
  },
);

test("wired together, over a network that reorders, repeats and loses, no sound leaves before answer and confirmation", () => {
  let opened = 0;
  fc.assert(
    fc.property(
      fc.array(deed, { minLength: 40, maxLength: 200, size: "max" }),
      fc.array(fc.nat(9), { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 2 }),
      (deeds, losses, callerEarly, calleeEarly, devices) => {
        const passed: Passing[] = [];
        const pass = (passing: Passing): boolean => {
          passed.push(passing);
          return passing.carrier === "channel" || losses[passed.length % losses.length] !== 0;
        };
        const world = createWorld({ callerEarly, calleeEarly, devices, pass });
        const phones = [world.caller, ...world.callees];
        for (const phone of phones) watch(phone);
        world.dial();
        for (const { do: what, pick } of deeds) {
          const phone = phones[pick % phones.length] as Phone;
          if (what === "run" || what === "timer") world.runOne(pick, what === "timer");
          else if (what === "path") world.setPath(pick === 1);
          else if (what === "repeat") {
            const passing = passed[pick % Math.max(1, passed.length)];
            if (passing !== undefined) world.deliver(passing);
          } else if (what === "answer" || what === "set-media") phone.dispatch({ type: what, media: MEDIA });
          else phone.dispatch({ type: what });
        }
        opened += phones.filter((phone) => phone.did("open-media").length > 0).length;
      },
    ),
    { numRuns: 200 },
  );
  // The oracle has nothing to say about calls that never come about.
  expect(opened).toBeGreaterThan(30);
}, 60_000);

function watch(phone: Phone): void {
  const oracle = createOracle();
  const { dispatch } = phone;
  const mutable = phone as { dispatch: (event: CallEvent) => void };
  mutable.dispatch = (event) => {
    const before = phone.state;
    const { state, effects } = step(before, event);
    oracle(before, event, state, effects);
    dispatch(event);
  };
}

/** So that a step which changes the state it was given throws. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  for (const place of Object.values(value)) freeze(place);
  return Object.freeze(value);
}

// ---------------------------------------------------------------- one machine against anything

const SELF = { account: testBytes("self", 32), device: testBytes("self device", 32) };
const PEERS = [testBytes("peer device 0", 32), testBytes("peer device 1", 32), testBytes("stranger", 32)];
const CALL_ID = testBytes("call", 16);
const NONCE = testBytes("peer nonce", 16);
const TIMERS: readonly TimerName[] = ["ring", "connect", "vanish", "restart", "ping", "gap", "repair"];

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
  fc.record({ type: fc.constant("restart" as const), generation: fc.nat(3), isAnswer: fc.boolean() }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const), n: fc.nat(3) }),
  fc.record({ type: fc.constant("resend-candidates" as const), generation: fc.nat(2), fromIndex: fc.nat(4) }),
  fc.record({ type: fc.constant("ask-restart" as const), generation: fc.nat(2) }),
);
type RawMessage = typeof message extends fc.Arbitrary<infer T> ? T : never;

const raw = fc.oneof(
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
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("person" as const), n: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("timer" as const), n: fc.nat(TIMERS.length - 1) }) },
);
type Raw = typeof raw extends fc.Arbitrary<infer T> ? T : never;
type Fed = Exclude<Raw, { kind: "script" }>;

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
const SCRIPTS: Readonly<Record<"caller" | "callee", readonly Fed[]>> = {
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

function orders(length: number): fc.Arbitrary<number[]> {
  const places = Array.from({ length }, (_, i) => i);
  return fc.oneof(fc.constant(places), fc.shuffledSubarray(places, { minLength: length }));
}

function eventOf(state: CallState, item: Fed): CallEvent {
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
    { type: "network-changed" },
    { type: "decline" },
    { type: "hang-up" },
    { type: "glare-lost" },
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
    { type: "restart-ready", leg, generation, ufrag: "abcd", pwd: "0123456789012345678901" },
  ];
  return events[n] as CallEvent;
}

test.each(["caller", "callee"] as const)(
  "a %s fed with anything opens no media before answer and confirmation",
  (role) => {
    let opened = 0;
    const script = SCRIPTS[role];
    const policy = { relay: false, video: true };
    fc.assert(
      fc.property(
        fc.array(raw, { maxLength: 60, size: "max" }),
        orders(script.length),
        fc.boolean(),
        (items, order, earlyCandidates) => {
          const common = { callId: CALL_ID, self: SELF, policy, earlyCandidates };
          const devices = [0, 1].map((i) => ({ device: PEERS[i] as Uint8Array, nonce: testBytes(`own ${i}`, 16) }));
          const caller = { account: testBytes("peer", 32), device: PEERS[0] as Uint8Array };
          let state =
            role === "caller"
              ? createOutgoingCall({ ...common, peer: caller.account, devices, media: MEDIA })
              : createIncomingCall({ ...common, caller, nonce: testBytes("own", 16), busy: false });
          const oracle = createOracle();
          const next = order.map((place) => script[place] as Fed)[Symbol.iterator]();
          for (const chosen of items) {
            const item = chosen.kind === "script" ? next.next().value : chosen;
            if (item === undefined) continue;
            const event = eventOf(state, item);
            const result = step(freeze(state), event);
            oracle(state, event, result.state, result.effects);
            if (result.effects.some((effect) => effect.type === "open-media")) opened++;
            state = result.state;
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(opened).toBeGreaterThan(10);
  },
  60_000,
);
