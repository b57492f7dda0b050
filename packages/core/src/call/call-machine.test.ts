import { describe, expect, test } from "vitest";
import { createIncomingCall, createOutgoingCall, ownCallWins, step, wordsOf } from "./call-machine.ts";
import type { CallMessage } from "./call-types.ts";
import { CONNECT_TIMEOUT_MS, INVITE_LIFETIME_MS, RING_TIMEOUT_MS, VANISH_TIMEOUT_MS } from "./limits.ts";
import {
  createWorld,
  type Phone,
  sentMessages,
  testBytes,
  testCandidate,
  testSetup,
  type World,
  type WorldOptions,
} from "./testing/phones.ts";

const AUDIO = { audio: true, video: false };

function ringing(options: WorldOptions = {}): World {
  const world = createWorld(options);
  world.dial();
  world.run(200);
  return world;
}

function answered(options: WorldOptions = {}): World {
  const world = ringing(options);
  world.callee.dispatch({ type: "answer", media: AUDIO });
  world.run(200);
  return world;
}

const reason = (phone: Phone) => (phone.state.phase === "ended" ? phone.state.reason : phone.state.phase);
const isDropped = (type: CallMessage["type"]): WorldOptions => ({
  pass: ({ packet }) => packet.message.type !== type,
});

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

  test("sends no picture to a side whose set-up takes none", () => {
    const world = answered({ calleePolicy: { relay: false, video: false } });
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

describe("the path", () => {
  test("that never comes ends the call 20 s after the answer, shown as an attempt broken off", () => {
    const world = createWorld();
    world.network.up = false;
    world.dial();
    world.run(200);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(CONNECT_TIMEOUT_MS);
    world.run(100);
    for (const phone of [world.caller, world.callee]) {
      expect(reason(phone)).toBe("connection-failed");
      expect(phone.did("broken-attempt")).toHaveLength(1);
      expect(phone.did("open-media")).toEqual([]);
    }
  });

  test("that comes back by itself leaves the media as they were", () => {
    const world = answered();
    world.setPath(false);
    expect(world.caller.state.phase).toBe("reconnecting");
    world.run(500);
    world.setPath(true);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
    expect(world.caller.did("restart-ice")).toEqual([]);
    expect(world.caller.did("close-media")).toEqual([]);
  });

  test("that stays away is restarted by the caller with new credentials, until it is back", () => {
    const world = answered();
    world.setPath(false);
    world.run(3_000);
    expect(world.caller.did("restart-ice").map((effect) => effect.generation)).toEqual([1]);
    expect(world.callee.did("restart-ice")).toEqual([]);
    world.network.up = true;
    world.run(20_000);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
    const applied = world.caller.did("apply-restart").at(-1);
    const first = world.caller.state.legs[0]?.remoteSetup?.setup;
    expect(applied?.setup.fingerprint).toEqual(first?.fingerprint);
    expect(applied?.setup.ufrag).not.toBe(first?.ufrag);
    expect(world.caller.did("add-remote-candidates").at(-1)?.ufrag).toBe(applied?.setup.ufrag);
  });

  test("is restarted at once when the addresses change, whichever side's they are", () => {
    const world = answered();
    world.callee.dispatch({ type: "network-changed" });
    world.run(200);
    expect(world.caller.did("restart-ice")).toHaveLength(1);
    world.caller.dispatch({ type: "network-changed" });
    world.run(200);
    expect(world.caller.did("restart-ice").map((effect) => effect.generation)).toEqual([1, 2]);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
    expect(world.callee.state.legs[0]?.remote.generation).toBe(2);
  });

  test("that is gone for a minute ends the call as vanished", () => {
    const world = answered({ pass: () => true });
    world.setPath(false);
    world.run(VANISH_TIMEOUT_MS);
    expect(reason(world.caller)).toBe("peer-vanished");
  });

  test("that swallows pings counts as gone though ICE says otherwise", () => {
    let swallow = false;
    const world = answered({ pass: ({ carrier }) => !(swallow && carrier === "channel") });
    swallow = true;
    world.run(16_000);
    expect(world.caller.state.phase).toBe("reconnecting");
    swallow = false;
    world.run(10_000);
    expect(world.caller.state.phase).toBe("active");
  });

  test("whose channel the other side closed ends soon after, unless a hang-up says why", () => {
    const world = answered();
    world.caller.dispatch({ type: "channel-closed", leg: 0 });
    world.run(3_000);
    expect(reason(world.caller)).toBe("peer-vanished");
  });
});

describe("the way the set-up travels", () => {
  test("may lose every candidate: the call still stands, the gap is shown on both sides and repaired on the channel", () => {
    const world = answered({
      pass: ({ carrier, packet }) => carrier === "channel" || packet.message.type !== "candidates",
    });
    world.run(10_000);
    for (const phone of [world.caller, world.callee]) {
      expect(phone.did("candidates-missing").at(-1)).toEqual({ type: "candidates-missing", leg: 0, count: 3 });
      expect(phone.did("add-remote-candidates").flatMap((effect) => effect.candidates)).toHaveLength(3);
      expect(phone.state.legs[0]?.expected).toBeNull();
    }
  });

  test("shows no gap where nothing was lost", () => {
    const world = answered();
    world.run(10_000);
    expect([...world.caller.did("candidates-missing"), ...world.callee.did("candidates-missing")]).toEqual([]);
    expect([...world.caller.did("refused"), ...world.callee.did("refused")]).toEqual([]);
  });

  test("may reorder: what is ahead is held, and the call rings all the same", () => {
    const held: (() => void)[] = [];
    const world: World = createWorld({
      pass: (passing) => {
        if (passing.packet.message.type !== "invite" || held.length > 0) return true;
        held.push(() => world.deliver(passing));
        return false;
      },
    });
    world.dial();
    world.run(100);
    expect(world.callee.state.phase).toBe("expecting");
    held[0]?.();
    world.run(200);
    expect(world.callee.state.phase).toBe("alerting");
    expect(world.callee.did("add-remote-candidates").flatMap((effect) => effect.candidates)).toHaveLength(3);
  });

  test("may lose the invite: no ring, and nothing is kept", () => {
    const world = createWorld(isDropped("invite"));
    world.dial();
    world.run(5_000);
    expect(reason(world.callee)).toBe("refused");
    expect(world.callee.did("ring")).toEqual([]);
    expect(world.callee.did("send")).toEqual([]);
  });

  test("may lose `ringing`: the answer brings the set-up", () => {
    const world = ringing(isDropped("ringing"));
    expect(world.caller.state.phase).toBe("dialling");
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(5_000);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
  });

  test("may replay: refused and counted, nothing happens twice", () => {
    const world = createWorld({ pass: (passing) => (world.deliver(passing), true) });
    world.dial();
    world.run(200);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(200);
    expect(world.callee.did("ring")).toHaveLength(1);
    expect(world.caller.did("open-media")).toHaveLength(1);
    expect(world.callee.did("refused").every(({ code }) => code === "replayed" || code === "bad-state")).toBe(true);
  });

  test("holds no more than 32 messages behind a missing one", () => {
    const world = ringing();
    const first = (world.callee.state.legs[0]?.envelopes.nextReceive as number) + 1;
    const message = { type: "hang-up", reason: "hung-up" } as const;
    for (let i = 0; i < 40; i++) {
      const packet = { callId: world.callId, number: first + i, message };
      world.deliver({ from: world.caller, to: world.callee, carrier: "envelope", packet });
    }
    expect(world.callee.state.legs[0]?.envelopes.held).toHaveLength(32);
    expect(world.callee.did("refused")).toHaveLength(8);
    expect(world.callee.did("refused")[0]?.code).toBe("too-many");
  });

  test("carries nobody else's packets, and none of another call", () => {
    const world = ringing();
    const packet = { callId: world.callId, number: 9, message: { type: "hang-up", reason: "hung-up" } } as const;
    const from = testBytes("stranger", 32);
    const now = 0;
    world.callee.dispatch({ type: "message", from, carrier: "envelope", packet, sentAt: now, now });
    const other = { ...packet, callId: testBytes("other call", 16) };
    world.callee.dispatch({
      type: "message",
      from: world.caller.device,
      carrier: "envelope",
      packet: other,
      sentAt: now,
      now,
    });
    expect(world.callee.did("refused")).toEqual([
      { type: "refused", code: "wrong-call" },
      { type: "refused", code: "wrong-call" },
    ]);
    expect(world.callee.state.phase).toBe("alerting");
  });
});

describe("confirm before sound", () => {
  test("a contact who hands on your set-up as theirs gets no call (RFC 8844)", () => {
    // The callee's signed set-up reached the caller as M's own: the callee's confirmation is bound to other people.
    const forged = (message: CallMessage) => ({ ...message, hash: testBytes("bound to M", 32) }) as CallMessage;
    const world = createWorld({
      pass: (passing) => {
        if (passing.packet.message.type !== "confirm" || passing.from.role !== "callee") return true;
        world.deliver({ ...passing, packet: { ...passing.packet, message: forged(passing.packet.message) } });
        return false;
      },
    });
    world.dial();
    world.run(200);
    expect(reason(world.caller)).toBe("not-confirmed");
    expect(world.caller.did("refused")).toEqual([{ type: "refused", code: "confirm-mismatch" }]);
    expect([...world.caller.did("open-media"), ...world.callee.did("open-media")]).toEqual([]);
    expect(reason(world.callee)).toBe("not-confirmed");
  });

  test("that fails on one of the callee's devices stops the ringing on the others too", () => {
    const world = createWorld({
      devices: 2,
      pass: (passing) => {
        if (passing.packet.message.type !== "confirm" || passing.to !== world.callee) return true;
        const message = { ...passing.packet.message, hash: testBytes("bound to M", 32) };
        return { ...passing, packet: { ...passing.packet, message } };
      },
    });
    world.dial();
    world.run(300);
    expect([world.caller, ...world.callees].map(reason)).toEqual(["not-confirmed", "not-confirmed", "cancelled"]);
  });

  test("its own confirmation sent back to it is refused", () => {
    const world = createWorld({
      pass: (passing) => {
        if (passing.packet.message.type !== "confirm" || passing.from.role !== "callee") return true;
        const own = sentMessages(world.caller).find(({ type }) => type === "confirm");
        if (own !== undefined) world.deliver({ ...passing, packet: { ...passing.packet, message: own } });
        return false;
      },
    });
    world.dial();
    world.run(200);
    expect(reason(world.caller)).toBe("not-confirmed");
  });

  test("nothing but the confirmation is taken from an unconfirmed channel", () => {
    const world = createWorld({ pass: ({ carrier }) => carrier === "envelope" });
    world.dial();
    world.run(200);
    const nonce = testBytes("guessed", 16);
    const messages = [
      { type: "answer", nonce, setup: null, video: false },
      { type: "hang-up", reason: "hung-up" },
      { type: "decline" },
    ] as const;
    for (const [i, message] of messages.entries()) {
      const packet = { callId: world.callId, number: i + 1, message };
      world.deliver({ from: world.callee, to: world.caller, carrier: "channel", packet });
    }
    expect(world.caller.did("refused").map(({ code }) => code)).toEqual(["bad-state", "bad-state", "bad-state"]);
    expect(world.caller.state.phase).toBe("ringing");
  });

  test("a revealed nonce that was not committed to ends the call", () => {
    const world = createWorld({
      pass: (passing) => {
        if (passing.packet.message.type !== "reveal") return true;
        const message = { type: "reveal", nonce: testBytes("another nA", 16) } as const;
        world.deliver({ ...passing, packet: { ...passing.packet, message } });
        return false;
      },
    });
    world.dial();
    world.run(200);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(100);
    expect(reason(world.callee)).toBe("not-confirmed");
    expect(world.callee.did("refused")).toContainEqual({ type: "refused", code: "nonce-mismatch" });
    expect(world.callee.did("broken-attempt")).toHaveLength(1);
  });

  test("a confirmation whose chain differs ends the call", () => {
    const world = createWorld({
      pass: (passing) => {
        const { message } = passing.packet;
        if (message.type !== "candidates" || passing.from.role !== "callee") return true;
        const candidates = message.candidates.map(() => testCandidate(6666));
        world.deliver({ ...passing, packet: { ...passing.packet, message: { ...message, candidates } } });
        return false;
      },
    });
    world.dial();
    world.run(300);
    expect(reason(world.caller)).toBe("not-confirmed");
  });

  test("a relayed candidate is never tried where one side wants no relay", () => {
    const world = ringing({ callerPolicy: { relay: true, video: true } });
    const message: CallMessage = {
      type: "candidates",
      generation: 0,
      firstIndex: 4,
      candidates: [testCandidate(7, { type: "relay", relatedAddress: "192.0.2.1", relatedPort: 9 })],
      end: true,
    };
    const number = world.callee.state.legs[0]?.envelopes.nextReceive as number;
    world.callee.dispatch({
      type: "local-candidates",
      leg: 0,
      generation: 0,
      candidates: message.candidates,
      end: true,
    });
    expect(
      sentMessages(world.callee).flatMap((sent) => (sent.type === "candidates" ? sent.candidates : [])),
    ).toHaveLength(3);
    const open = createIncomingCall({
      callId: world.callId,
      self: world.callee.state.self,
      caller: world.caller.state.self,
      nonce: testBytes("n", 16),
      policy: { relay: false, video: true },
      earlyCandidates: true,
      busy: false,
    });
    expect(number).toBeGreaterThan(1);
    const invite = { type: "invite", commitment: testBytes("c", 32), wantsVideo: false } as const;
    const setup = world.caller.state.legs[0]?.localSetup;
    const deliver = (state: typeof open, packetNumber: number, packetMessage: CallMessage) =>
      step(state, {
        type: "message",
        from: world.caller.device,
        carrier: "envelope",
        packet: { callId: world.callId, number: packetNumber, message: packetMessage },
        sentAt: 0,
        now: 0,
      });
    const rung = deliver(open, 1, { ...invite, setup: setup as NonNullable<typeof setup> }).state;
    const shown = step(rung, { type: "ring-shown" }).state;
    const relayed = deliver(shown, 2, { ...message, firstIndex: 1 }).effects;
    expect(relayed).toContainEqual({ type: "refused", code: "policy-refused" });
    expect(relayed.flatMap((effect) => (effect.type === "add-remote-candidates" ? effect.candidates : []))).toEqual([]);
  });
});

test("a set-up that answers what was not offered is refused, and nothing is applied", () => {
  const world = createWorld({ pass: () => false });
  world.dial();
  world.run(50);
  const setup = testSetup("callee", "x", { audio: [{ name: "opus", payloadType: 109 }] });
  world.callee.dispatch({ type: "ring-shown" });
  world.deliver({
    from: world.callee,
    to: world.caller,
    carrier: "envelope",
    packet: {
      callId: world.callId,
      number: 1,
      message: { type: "ringing", setup: { bytes: new Uint8Array(1), setup } },
    },
  });
  expect(world.caller.did("refused")).toEqual([{ type: "refused", code: "bad-setup" }]);
  expect(world.caller.did("apply-remote-setup")).toEqual([]);
});

test("a call to nobody, to five devices or with a short nonce is the caller's mistake", () => {
  const self = { account: testBytes("s", 32), device: testBytes("d", 32) };
  const device = { device: testBytes("t", 32), nonce: testBytes("n", 16) };
  const options = {
    callId: testBytes("c", 16),
    self,
    peer: testBytes("p", 32),
    policy: { relay: false, video: true },
    earlyCandidates: true,
    media: AUDIO,
  };
  expect(() => createOutgoingCall({ ...options, devices: [] })).toThrow("1 to 4");
  expect(() => createOutgoingCall({ ...options, devices: [device, device] })).toThrow("twice");
  expect(() => createOutgoingCall({ ...options, devices: [{ ...device, nonce: testBytes("n", 15) }] })).toThrow(
    "16 bytes",
  );
});
