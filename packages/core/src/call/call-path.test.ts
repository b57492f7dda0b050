import { describe, expect, test } from "vitest";
import type { CallMessage } from "./call-types.ts";
import { CONNECT_TIMEOUT_MS, QUIET_ANSWER_MS, RESTART_ANSWERED_MS, VANISH_TIMEOUT_MS } from "./limits.ts";
import { testBytes } from "./testing/fixture-cases.ts";
import { answered, AUDIO, createWorld, reason, ringing, type World, type WorldOptions } from "./testing/world-cases.ts";

const isDropped = (type: CallMessage["type"]): WorldOptions => ({
  pass: ({ packet }) => packet.message.type !== type,
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

  test("that went while it rang, with the caller, opens no media to whoever answers, and ends 20 s later", () => {
    let callerIsThere = true;
    const world = ringing({ pass: () => callerIsThere });
    callerIsThere = false;
    world.setPath(false);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(CONNECT_TIMEOUT_MS - 100);
    expect(world.callee.state.phase).toBe("connecting");
    world.run(200);
    expect(reason(world.callee)).toBe("connection-failed");
    expect(world.callee.did("open-media")).toEqual([]);
  });

  test("that went while it rang and comes back after the answer opens the media then", () => {
    const world = ringing();
    world.setPath(false);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(1_000);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["connecting", "connecting"]);
    world.setPath(true);
    world.run(100);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
  });

  test("that comes back by itself leaves the media as they were", () => {
    const world = answered();
    world.setPath(false);
    expect(world.caller.state.phase).toBe("reconnecting");
    world.run(300);
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

  test("is restarted with its new candidates where the channel is dead, though nothing has said so yet", () => {
    let dead = false;
    const world = answered({ pass: ({ carrier }) => !(dead && carrier === "channel") });
    dead = true;
    world.callee.dispatch({ type: "network-changed" });
    world.run(300);
    for (const phone of [world.caller, world.callee]) {
      const added = phone.did("add-remote-candidates");
      expect(added.at(-1)?.ufrag).toBe(phone.state.legs[0]?.remoteUfrag);
      expect(phone.state.legs[0]?.remote).toMatchObject({ generation: 1, ended: true });
    }
  });

  test("is restarted again, and shown as away, where the restart after a change of addresses brings none", () => {
    let lost = false;
    const world = answered({ pass: ({ packet }) => !(lost && packet.message.type !== "candidates") });
    lost = true;
    world.caller.dispatch({ type: "network-changed" });
    world.run(1_400);
    expect(world.caller.did("restart-ice")).toHaveLength(1);
    world.run(200);
    expect(world.caller.did("restart-ice")).toHaveLength(2);
    expect(world.caller.state.phase).toBe("reconnecting");
    lost = false;
    world.run(2_000);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
    expect(world.caller.did("restart-ice")).toHaveLength(3);
    world.run(20_000);
    expect(world.caller.did("restart-ice")).toHaveLength(3);
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
    world.run(15_300);
    expect(world.caller.state.phase).toBe("reconnecting");
    swallow = false;
    world.run(10_000);
    expect(world.caller.state.phase).toBe("active");
  });

  test("is given its time once its restart was answered, and restarted again after that", () => {
    const world = answered();
    world.network.up = false;
    world.caller.dispatch({ type: "network-changed" });
    world.run(RESTART_ANSWERED_MS);
    expect(world.caller.did("restart-ice")).toHaveLength(1);
    world.run(200);
    expect(world.caller.did("restart-ice")).toHaveLength(2);
    expect(world.callee.state.phase).toBe("reconnecting");
    world.network.up = true;
    world.run(2 * RESTART_ANSWERED_MS);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
  });

  test("on which nothing comes any more is restarted once, whichever side notices, long before ICE does", () => {
    for (const sides of [["caller"], ["callee"], ["caller", "callee"]] as const) {
      let dead = false;
      const world = answered({ pass: ({ carrier }) => !(dead && carrier === "channel") });
      dead = true;
      for (const side of sides) world[side].dispatch({ type: "path-quiet" });
      world.run(QUIET_ANSWER_MS);
      for (const side of sides) expect(world[side].state.phase).toBe("reconnecting");
      world.run(200);
      dead = false;
      world.run(5_000);
      expect(world.caller.did("restart-ice")).toHaveLength(1);
      expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
    }
  });

  test("on which the voice comes again counts as there, though the answer to the ping is late", () => {
    let dead = false;
    const world = answered({ pass: ({ carrier }) => !(dead && carrier === "channel") });
    dead = true;
    world.callee.dispatch({ type: "path-quiet" });
    world.run(QUIET_ANSWER_MS);
    expect(world.callee.state.phase).toBe("reconnecting");
    world.callee.dispatch({ type: "path-heard" });
    expect(world.callee.state.phase).toBe("active");
    world.callee.dispatch({ type: "transport", leg: 0, state: "disconnected" });
    world.callee.dispatch({ type: "path-heard" });
    expect(world.callee.state.phase).toBe("reconnecting");
  });

  test("on which only the voice has ceased is left alone", () => {
    const world = answered();
    for (let i = 0; i < 5; i++) {
      world.callee.dispatch({ type: "path-quiet" });
      world.run(QUIET_ANSWER_MS + 10);
      expect(world.callee.state.phase).toBe("active");
    }
    expect(world.caller.did("restart-ice")).toEqual([]);
  });

  test("that the other side has given up for lost ends the call as lost, not as one that never came about", () => {
    const world = answered();
    world.network.up = false;
    world.caller.dispatch({ type: "transport", leg: 0, state: "disconnected" });
    world.run(VANISH_TIMEOUT_MS + 100);
    expect(reason(world.caller)).toBe("peer-vanished");
    expect(reason(world.callee)).toBe("peer-vanished");
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
