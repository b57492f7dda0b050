import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";
import { createOutgoingCall, ownCallWins, wordsOf } from "./call-machine.ts";
import type { CallMessage } from "./call-types.ts";
import { INVITE_LIFETIME_MS, RING_TIMEOUT_MS } from "./limits.ts";
import { testBytes } from "./testing/fixture-cases.ts";
import {
  answered,
  AUDIO,
  createWorld,
  type Phone,
  reason,
  ringing,
  sentMessages,
  type World,
} from "./testing/world-cases.ts";

describe("a call that is answered", () => {
  test("rings with the transport confirmed and no media, and opens media on both sides one channel message after the answer", () => {
    const world = ringing();
    expect(world.caller.state.phase).toBe("ringing");
    expect(world.callee.state.phase).toBe("alerting");
    expect(world.caller.state.legs[0]?.confirmed && world.callee.state.legs[0]?.confirmed).toBe(true);
    expect([...world.caller.did("open-media"), ...world.callee.did("open-media")]).toEqual([]);

    world.callee.dispatch({ type: "answer", media: AUDIO });
    expect(world.callee.did("open-media")).toEqual([{ type: "open-media", leg: 0, media: AUDIO }]);
    world.run(5);
    expect(world.caller.did("open-media")).toEqual([{ type: "open-media", leg: 0, media: AUDIO }]);
    expect(world.caller.state.phase).toBe("active");
  });

  test("shows the same four words on both sides", () => {
    const world = answered();
    expect(wordsOf(world.caller.state)).toHaveLength(4);
    expect(wordsOf(world.caller.state)).toEqual(wordsOf(world.callee.state));
  });

  test("keeps nB until the answer, and nA until an answer came", () => {
    const world = ringing();
    const revealed = (phone: Phone) => sentMessages(phone).filter(({ type }) => type === "reveal" || type === "answer");
    expect([...revealed(world.caller), ...revealed(world.callee)]).toEqual([]);
    expect(wordsOf(world.caller.state) ?? wordsOf(world.callee.state)).toBeUndefined();
  });

  test("has its hang-up heard on the other side, and takes the sound away on both", () => {
    const world = answered();
    world.caller.dispatch({ type: "hang-up" });
    world.run(50);
    expect([reason(world.caller), reason(world.callee)]).toEqual(["hung-up", "hung-up"]);
    for (const phone of [world.caller, world.callee]) {
      expect(phone.did("close-media")).toHaveLength(1);
      expect(phone.did("close-transport")).toHaveLength(1);
      expect(phone.effects.at(-1)).toEqual({ type: "ended", reason: "hung-up" });
    }
  });

  test("is upgraded to video and back without negotiating", () => {
    const world = answered();
    world.callee.dispatch({ type: "set-media", media: { audio: true, video: true } });
    world.run(10);
    expect(world.caller.state.remoteMedia).toEqual({ audio: true, video: true });
    world.callee.dispatch({ type: "set-media", media: AUDIO });
    world.run(10);
    expect(world.caller.state.remoteMedia).toEqual(AUDIO);
    expect(world.callee.did("open-media").map((effect) => effect.media.video)).toEqual([false, true, false]);
  });

  test("lets a side ask the other for less, once there is something to be sent", () => {
    const world = ringing();
    const wish = { leanVoice: true, picture: "none" } as const;
    world.caller.dispatch({ type: "set-wish", wish });
    expect(sentMessages(world.caller).map(({ type }) => type)).not.toContain("wish");
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(100);
    world.caller.dispatch({ type: "set-wish", wish });
    world.run(10);
    expect(world.callee.state.remoteWish).toEqual(wish);
    expect(world.caller.state.remoteWish).toEqual({ leanVoice: false, picture: "full" });
    world.caller.dispatch({ type: "set-wish", wish: { leanVoice: false, picture: "small" } });
    world.run(10);
    expect(world.callee.state.remoteWish).toEqual({ leanVoice: false, picture: "small" });
  });

  test("has what a callee says on the channel count, though its answer takes longer by an envelope", () => {
    const world = ringing();
    const { callee, caller } = world;
    // For a moment, as where the person answers before the path is up.
    callee.dispatch({ type: "transport", leg: 0, state: "disconnected" });
    callee.dispatch({ type: "answer", media: AUDIO });
    callee.dispatch({ type: "transport", leg: 0, state: "connected" });
    callee.dispatch({ type: "set-media", media: { audio: false, video: true } });
    const wish = { leanVoice: true, picture: "none" } as const;
    callee.dispatch({ type: "set-wish", wish });
    world.run(5);
    expect([callee.state.phase, caller.state.phase]).toEqual(["active", "ringing"]);
    world.run(100);
    expect(caller.state).toMatchObject({
      phase: "active",
      remoteWish: wish,
      remoteMedia: { audio: false, video: true },
    });
    expect(caller.did("refused")).toEqual([]);
  });

  test("sends no picture to a side whose set-up takes none", () => {
    const world = answered({ calleePolicy: { relay: "never", relays: [], video: false } });
    world.caller.dispatch({ type: "set-media", media: { audio: true, video: true } });
    expect(world.caller.did("open-media").at(-1)?.media).toEqual(AUDIO);
  });

  test("works where the callee's addresses are kept until the answer", () => {
    const world = ringing({ calleeEarly: false });
    expect(world.callee.did("create-transport")).toEqual([]);
    expect(sentMessages(world.callee)).toEqual([{ type: "ringing", setup: null }]);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(300);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
    expect(wordsOf(world.caller.state)).toEqual(wordsOf(world.callee.state));
  });

  test("keeps the caller's addresses until the answer where the caller wants that", () => {
    const world = ringing({ callerEarly: false });
    expect(sentMessages(world.caller).map(({ type }) => type)).not.toContain("candidates");
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(300);
    expect(sentMessages(world.caller).map(({ type }) => type)).toContain("candidates");
    expect(world.caller.state.phase).toBe("active");
  });

  test("answers by channel where it is up, by envelope with the set-up where it is not", () => {
    const quick = answered();
    const sent = (world: World) => world.callee.did("send");
    const carrierOfAnswer = (world: World) =>
      sent(world).find((_, i) => sentMessages(world.callee)[i]?.type === "answer")?.carrier;
    expect(carrierOfAnswer(quick)).toBe("channel");
    const slow = createWorld();
    slow.network.up = false;
    slow.dial();
    slow.run(200);
    slow.callee.dispatch({ type: "answer", media: AUDIO });
    slow.run(100);
    expect(carrierOfAnswer(slow)).toBe("envelope");
    expect(slow.caller.did("open-media")).toEqual([]);
    slow.setPath(true);
    slow.network.up = true;
    slow.caller.dispatch({ type: "transport", leg: 0, state: "connected" });
    slow.callee.dispatch({ type: "transport", leg: 0, state: "connected" });
    slow.caller.dispatch({ type: "channel-open", leg: 0 });
    slow.callee.dispatch({ type: "channel-open", leg: 0 });
    slow.run(100);
    expect(slow.caller.state.phase).toBe("active");
  });
});

describe("a call that is not answered", () => {
  test("ends as declined, on every device of the callee", () => {
    const world = ringing({ devices: 2 });
    world.callee.dispatch({ type: "decline" });
    world.run(100);
    expect([world.caller, ...world.callees].map(reason)).toEqual(["declined", "declined", "declined-elsewhere"]);
  });

  test("ends as busy, and is shown as missed to the busy one", () => {
    const world = ringing({ busy: true });
    expect([reason(world.caller), reason(world.callee)]).toEqual(["busy", "busy"]);
    expect(world.callee.did("missed")).toHaveLength(1);
    expect(world.callee.did("ring")).toEqual([]);
  });

  test("ends as cancelled, and missed, when the caller gives up", () => {
    const world = ringing();
    world.caller.dispatch({ type: "hang-up" });
    world.run(100);
    expect([reason(world.caller), reason(world.callee)]).toEqual(["hung-up", "cancelled"]);
    expect(world.callee.did("missed")).toHaveLength(1);
  });

  test("rings for a minute", () => {
    const world = ringing();
    world.run(RING_TIMEOUT_MS);
    expect([reason(world.caller), reason(world.callee)]).toEqual(["no-answer", "no-answer"]);
    expect(world.callee.did("missed")).toHaveLength(1);
  });

  test("is unreachable where nothing rings, or where no device can be reached", () => {
    const silent = createWorld({ pass: () => false });
    silent.dial();
    silent.run(RING_TIMEOUT_MS);
    expect(reason(silent.caller)).toBe("unreachable");
    const failing = createWorld({ devices: 2 });
    failing.dial();
    failing.caller.dispatch({ type: "leg-failed", leg: 0 });
    failing.caller.dispatch({ type: "leg-failed", leg: 1 });
    expect(reason(failing.caller)).toBe("unreachable");
  });

  test("stops on the other devices once one answered", () => {
    const world = ringing({ devices: 3 });
    world.callees[1]?.dispatch({ type: "answer", media: AUDIO });
    world.run(100);
    expect(world.callees.map(reason)).toEqual(["answered-elsewhere", "active", "answered-elsewhere"]);
    expect(world.caller.did("open-media")).toEqual([{ type: "open-media", leg: 1, media: AUDIO }]);
    expect(world.caller.did("close-transport").map((effect) => effect.leg)).toEqual([0, 2]);
  });

  test("goes to one device where two answer at once: nA is revealed to that one alone", () => {
    const world = ringing({ devices: 2 });
    world.callees[1]?.dispatch({ type: "answer", media: AUDIO });
    world.callees[0]?.dispatch({ type: "answer", media: AUDIO });
    world.run(100);
    expect(world.callees.map(reason)).toEqual(["answered-elsewhere", "active"]);
    expect(sentMessages(world.caller).filter(({ type }) => type === "reveal")).toHaveLength(1);
    expect(world.callees[0]?.did("broken-attempt")).toHaveLength(1);
  });

  test("never rings for an invite that comes too late", () => {
    const world = createWorld({ pass: () => false });
    world.dial();
    world.run(50);
    const [invite] = sentMessages(world.caller);
    const packet = { callId: world.callId, number: 1, message: invite as CallMessage };
    const now = 10_000_000;
    const sentAt = now - INVITE_LIFETIME_MS - 1;
    world.callee.dispatch({ type: "message", from: world.caller.device, carrier: "envelope", packet, sentAt, now });
    expect(reason(world.callee)).toBe("stale");
    expect(world.callee.effects.map(({ type }) => type)).toEqual(["missed", "ended"]);
  });

  describe("by wrong clocks", () => {
    /** What an invite does that arrives this long after it was sent. `…Ahead`: of the true time. */
    function ringAfter(
      delayMs: number,
      clocks: Record<"callerAhead" | "calleeAhead" | "callerTold" | "calleeTold", number>,
    ) {
      const { callerAhead, calleeAhead, callerTold, calleeTold } = clocks;
      const world = createWorld({ pass: () => false, callerCorrectionMs: callerTold, calleeCorrectionMs: calleeTold });
      world.dial();
      world.run(50);
      const packet = { callId: world.callId, number: 1, message: sentMessages(world.caller)[0] as CallMessage };
      const start = 10_000_000;
      const [sentAt, now] = [start + callerAhead, start + delayMs + calleeAhead];
      world.callee.dispatch({ type: "message", from: world.caller.device, carrier: "envelope", packet, sentAt, now });
      return world.callee.did("ring").length === 1;
    }
    const truth = (callerAhead: number, calleeAhead: number) => ({
      callerAhead,
      calleeAhead,
      callerTold: -callerAhead,
      calleeTold: -calleeAhead,
    });

    test("rings for a minute and no longer, as long as they differ by no more than is allowed", () => {
      for (const off of [-CLOCK_SKEW_MS, -61_000, 61_000, CLOCK_SKEW_MS])
        for (const clocks of [truth(off, 0), truth(0, off), truth(off, off)]) {
          expect(ringAfter(0, clocks), JSON.stringify(clocks)).toBe(true);
          expect(ringAfter(INVITE_LIFETIME_MS, clocks), JSON.stringify(clocks)).toBe(true);
          expect(ringAfter(INVITE_LIFETIME_MS + 1, clocks), JSON.stringify(clocks)).toBe(false);
        }
    });

    test("whatever supernodes make of it, never rings for what both clocks say is older than the allowance", () => {
      const told = fc.integer({ min: -100 * CLOCK_SKEW_MS, max: 100 * CLOCK_SKEW_MS });
      const tooLate = INVITE_LIFETIME_MS + CLOCK_SKEW_MS + 1;
      fc.assert(
        fc.property(told, told, fc.nat(10 * CLOCK_SKEW_MS), (callerTold, calleeTold, later) => {
          expect(ringAfter(tooLate + later, { callerAhead: 0, calleeAhead: 0, callerTold, calleeTold })).toBe(false);
        }),
      );
    });
  });

  test("tells the caller that it is busy where another call was taken before this one rang, and not afterwards", () => {
    const held = createWorld();
    held.network.ringShown = false;
    held.dial();
    held.run(100);
    held.callee.dispatch({ type: "busy" });
    held.run(100);
    expect([held.callee, held.caller].map(reason)).toEqual(["busy", "busy"]);
    expect(held.callee.did("missed")).toHaveLength(1);
    const world = ringing();
    world.callee.dispatch({ type: "busy" });
    expect(reason(world.callee)).toBe("alerting");
  });

  test("tells the caller nothing before the ring is on the screen", () => {
    const world = createWorld();
    world.network.ringShown = false;
    world.dial();
    world.run(1000);
    expect(world.callee.did("ring")).toHaveLength(1);
    expect(world.callee.did("send")).toEqual([]);
    expect(world.callee.did("create-transport")).toEqual([]);
  });
});

describe("both call at once", () => {
  test("the lower account's call is kept, and both sides decide alike", () => {
    const [a, b] = [testBytes("a", 32), testBytes("b", 32)];
    expect(ownCallWins(a, b)).toBe(!ownCallWins(b, a));
  });

  test("the losing call ends quietly on all devices, and the winning one is answered before it rings", () => {
    const world = ringing({ devices: 2 });
    world.caller.dispatch({ type: "glare-lost" });
    world.run(100);
    expect([world.caller, ...world.callees].map(reason)).toEqual(["glare", "answered-elsewhere", "answered-elsewhere"]);
    expect(world.callees.flatMap((callee) => callee.did("missed"))).toEqual([]);
    const winner = createWorld();
    winner.network.ringShown = false;
    winner.dial();
    winner.run(50);
    winner.callee.dispatch({ type: "answer", media: AUDIO });
    winner.run(200);
    expect([winner.caller.state.phase, winner.callee.state.phase]).toEqual(["active", "active"]);
  });
});

test("a call to nobody, to five devices or with a short nonce is the caller's mistake", () => {
  const self = { account: testBytes("s", 32), device: testBytes("d", 32) };
  const device = { device: testBytes("t", 32), nonce: testBytes("n", 16) };
  const options = {
    callId: testBytes("c", 16),
    self,
    peer: testBytes("p", 32),
    policy: { relay: "never", video: true } as const,
    earlyCandidates: true,
    media: AUDIO,
  };
  expect(() => createOutgoingCall({ ...options, devices: [] })).toThrow("1 to 4");
  expect(() => createOutgoingCall({ ...options, devices: [device, device] })).toThrow("twice");
  expect(() => createOutgoingCall({ ...options, devices: [{ ...device, nonce: testBytes("n", 15) }] })).toThrow(
    "16 bytes",
  );
});
