/**
 * Every order of events: machines wired together over a network that reorders, repeats and loses, and single machines fed
 * with whatever an adversary and a confused shell may come up with. What must hold is stated by an oracle that looks at
 * events and effects alone.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createIncomingCall, createOutgoingCall, step } from "./call-machine.ts";
import type { CallEvent } from "./call-states.ts";
import { testBytes } from "./testing/fixture-cases.ts";
import { createOracle } from "./testing/oracle-cases.ts";
import { CALL_ID, eventOf, type Fed, MEDIA, orders, PEERS, raw, SCRIPTS, SELF } from "./testing/raw-event-cases.ts";
import { createWorld, type Passing, type Phone } from "./testing/world-cases.ts";

const deed = fc.oneof(
  { weight: 50, arbitrary: fc.record({ do: fc.constant("run" as const), pick: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("timer" as const), pick: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("repeat" as const), pick: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("path" as const), pick: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("answer" as const, "set-media"), pick: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "decline" as const,
        "hang-up",
        "glare-lost",
        "shutdown",
        "network-changed",
        "path-quiet",
        "path-heard",
      ),
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

test.each(["caller", "callee"] as const)(
  "a %s fed with anything opens no media before answer and confirmation",
  (role) => {
    let opened = 0;
    const script = SCRIPTS[role];
    const policy = { relay: "never" as const, relays: [], video: true };
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
