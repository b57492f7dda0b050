import { describe, expect, test } from "vitest";
import type { CallMessage } from "./call-types.ts";
import { testBytes, testCandidate, testSetup } from "./testing/fixture-cases.ts";
import { AUDIO, createWorld, reason, sentMessages } from "./testing/world-cases.ts";

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
