/** Relays carry a call only where both people's settings let them, and hidden addresses never leave. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../cbor.ts";
import { unwrap } from "../errors.ts";
import { wordsOf } from "./call-machine.ts";
import type { CallEffect } from "./call-states.ts";
import type { CallPolicy, CallRole, Candidate, NamedRelay, RelayHost, RelayLevel } from "./call-types.ts";
import { CONNECT_TIMEOUT_MS } from "./limits.ts";
import { mayBeTried, refusedRelays, relayUse } from "./relay-consent.ts";
import { decodeSetup, encodeSetup } from "./setup.ts";
import { arbitrarySetup } from "./testing/message-cases.ts";
import { testCandidate, testRelay, testRelayed, testSetup } from "./testing/fixture-cases.ts";
import { answered, AUDIO, createWorld, type Phone, reason, ringing, sentMessages } from "./testing/world-cases.ts";

const LEVELS: readonly RelayLevel[] = ["never", "trusted", "any"];
const ANNS = testRelay("Ann");
const BENS = testRelay("Ben");

function policy(relay: RelayLevel, ...relays: NamedRelay[]): CallPolicy {
  return { relay, video: true, relays: relay === "never" ? [] : relays };
}

/** Candidates that went onto the wire, whoever carried them. */
function sentBy(phone: Phone): readonly Candidate[] {
  return sentMessages(phone).flatMap((message) => (message.type === "candidates" ? message.candidates : []));
}

function triedBy(phone: Phone): readonly Candidate[] {
  return phone.did("add-remote-candidates").flatMap((effect) => effect.candidates);
}

const isRelayed = ({ type }: Candidate) => type === "relay";
const findsBoth = (role: CallRole) => [
  testCandidate(role === "caller" ? 1 : 2),
  testRelayed(role === "caller" ? 3 : 4),
];

describe("what the two levels come to", () => {
  const rules = (relay: RelayLevel, trusted: readonly NamedRelay[] = [], homes: readonly RelayHost[] = []) => ({
    consent: { relay, video: true },
    trusted: trusted.map(({ key }) => key),
    homes,
  });

  test.each<[RelayLevel, CallPolicy, readonly NamedRelay[], boolean, readonly boolean[]]>([
    ["any", policy("any", BENS), [], true, [true]],
    ["any", policy("trusted", BENS), [], true, [true]],
    ["any", policy("any"), [], true, []],
    ["any", policy("never"), [], false, []],
    ["trusted", policy("any", BENS), [], true, [false]],
    ["trusted", policy("any", BENS), [BENS], true, [true]],
    ["trusted", policy("any", BENS, ANNS), [BENS], true, [true, false]],
    ["trusted", policy("any", BENS, ANNS), [BENS, ANNS], true, [true, true]],
    ["trusted", policy("never"), [BENS], false, []],
    ["never", policy("any", BENS), [BENS], false, [false]],
  ])("%s, with one at %o who trusts %o", (relay, theirs, trusted, mine, theirsUsed) => {
    const use = relayUse(rules(relay, trusted), { level: theirs.relay, relays: theirs.relays });
    expect(use).toEqual({ mine, theirs: theirsUsed });
  });

  test("nothing of theirs is used before their set-up is known", () => {
    expect(relayUse(rules("any"), undefined)).toEqual({ mine: true, theirs: [] });
    expect(relayUse(rules("never"), undefined)).toEqual({ mine: false, theirs: [] });
  });

  test.each<[string, RelayHost, readonly boolean[]]>([
    ["by its key", { key: BENS.key, operator: "" }, [false, true]],
    ["by its operator", { key: testRelay("another").key, operator: "Ben" }, [false, true]],
    ["but not by an operator that is not said", { key: testRelay("another").key, operator: "" }, [true, true]],
  ])("a relay of one's own home is known %s, and used only where it is trusted", (_, home, expected) => {
    const theirs = { level: "any", relays: [BENS, ANNS] } as const;
    expect(relayUse(rules("any", [], [home]), theirs).theirs).toEqual(expected);
    expect(relayUse(rules("any", [BENS], [home]), theirs).theirs).toEqual([true, true]);
    const refused = (level: RelayLevel, trusted: readonly NamedRelay[] = []) =>
      refusedRelays(rules(level, trusted, [home]), theirs.relays);
    expect(refused("any")).toEqual(expected[0] ? [] : [BENS]);
    expect(refused("any", [BENS])).toEqual([]);
    // Whoever is told which ones are refused for want of trust knows which ones are trusted.
    expect(refused("trusted")).toEqual([]);
  });

  test("a candidate whose relay is not known is tried only where all may be", () => {
    const use = (...theirs: boolean[]) => ({ mine: true, theirs });
    expect([null, 0, 1, 2].map((place) => mayBeTried(use(true, false), place))).toEqual([false, true, false, false]);
    expect([null, 0, 1].map((place) => mayBeTried(use(true, true), place))).toEqual([true, true, true]);
    expect(mayBeTried(use(), null)).toBe(false);
  });
});

test("a relay is tried only where both allow it, by the other's word and one's own trust, and stays in the chain", () => {
  const level = fc.constantFrom(...LEVELS);
  fc.assert(
    fc.property(level, level, fc.boolean(), fc.boolean(), (callers, callees, callerTrusts, calleeTrusts) => {
      const world = answered({
        callerPolicy: policy(callers, ANNS),
        calleePolicy: policy(callees, BENS),
        callerTrusts: callerTrusts ? [BENS.key] : [],
        calleeTrusts: calleeTrusts ? [ANNS.key] : [],
        found: findsBoth,
      });
      const both = callers !== "never" && callees !== "never";
      const [callerTries, calleeTries] = [world.caller, world.callee].map((phone) => triedBy(phone).some(isRelayed));
      expect(callerTries).toBe(both && (callers === "any" || callerTrusts));
      expect(calleeTries).toBe(both && (callees === "any" || calleeTrusts));
      // The callee knows the caller's level before it says anything; the caller learns the callee's later.
      expect(sentBy(world.callee).some(isRelayed)).toBe(both);
      if (callers === "never") expect(sentBy(world.caller).some(isRelayed)).toBe(false);
      for (const [phone, other] of [
        [world.caller, world.callee],
        [world.callee, world.caller],
      ] as const) {
        expect(phone.state.phase).toBe("active");
        expect(triedBy(phone).some((candidate) => !isRelayed(candidate))).toBe(true);
        expect(phone.state.legs[0]?.remote.candidates).toEqual(sentBy(other));
        const forbidden = sentBy(other).filter(
          (candidate) => isRelayed(candidate) && !triedBy(phone).includes(candidate),
        );
        const codes = phone.did("refused").map(({ code }) => code);
        expect(codes).toEqual(forbidden.length > 0 && !triedBy(phone).some(isRelayed) ? ["policy-refused"] : []);
      }
    }),
    { numRuns: 30 },
  );
});

test("who names no relay uses none, whatever its stack finds, and none of the other is taken that it does not name", () => {
  const world = answered({ found: findsBoth });
  for (const phone of [world.caller, world.callee]) {
    expect(sentBy(phone).filter(isRelayed)).toEqual([]);
    expect(phone.did("apply-remote-setup").flatMap(({ relays }) => relays.theirs)).not.toContain(true);
  }
});

describe("the set-up", () => {
  const encoded = (changed: Partial<CallPolicy>) =>
    encodeSetup(testSetup("caller", "a", { policy: { ...policy("any", ANNS, BENS), ...changed } }));

  test("holds the level and the relays in bytes that the confirmation and the words are over", () => {
    const all = [
      encoded({}),
      encoded({ relay: "trusted" }),
      encoded({ relays: [ANNS] }),
      encoded({ relays: [BENS, ANNS] }),
      encoded({ relays: [{ ...ANNS, operator: "Anne" }, BENS] }),
    ];
    expect(new Set(all.map(({ bytes }) => bytes.join())).size).toBe(all.length);
    for (const { bytes, setup } of all) expect(unwrap(decodeSetup(bytes)).setup).toEqual(setup);
  });

  test.each<[string, Partial<CallPolicy>]>([
    ["relays of one who allows none", { relay: "never" }],
    ["three relays", { relays: ["a", "b", "c"].map(testRelay) }],
    ["one relay twice", { relays: [ANNS, { ...ANNS, operator: "another" }] }],
    ["a short key", { relays: [{ ...ANNS, key: ANNS.key.slice(1) }] }],
    ["an operator of 65 bytes", { relays: [{ ...ANNS, operator: "x".repeat(65) }] }],
    ["an operator that turns the text around", { relays: [{ ...ANNS, operator: "\u202eevil" }] }],
    ["a round trip beyond the last step", { relays: [testRelay("Ann", 26)] }],
    ["a level that there is not", { relay: "always" as RelayLevel }],
  ])("is not made with %s", (_, change) => {
    expect(() => encoded(change)).toThrow();
  });

  test("is refused with any other policy than it may hold", () => {
    const good = unwrap(decodeSetup(encoded({}).bytes)).setup;
    const withPolicy = (places: Parameters<typeof encodeCbor>[0]) =>
      encodeCbor([...[1, 0, good.fingerprint, good.ufrag, good.pwd, [[1, 111]], [[1, 96, 97]], [[1, 4]]], places]);
    const key = ANNS.key;
    expect(decodeSetup(withPolicy([2, true, [[key, "Ann", 25]]])).ok).toBe(true);
    const bad = [
      [true, true],
      [3, true, []],
      [2, 1, []],
      [2, true],
      [2, true, [], 0],
      [0, true, [[key, "Ann", 1]]],
      [2, true, [[key]]],
      [2, true, [[key, "Ann"]]],
      [2, true, [[key, "Ann", 26]]],
      [2, true, [[key, "Ann", 1, 1]]],
      [2, true, [[key.slice(1), "Ann", 1]]],
      [2, true, Array(2).fill([key, "Ann", 1])],
      [2, true, [key, BENS.key, testRelay("c").key].map((each) => [each, "", 1])],
      [2, true, [[key, "x".repeat(65), 1]]],
    ];
    for (const places of bad) expect(decodeSetup(withPolicy(places))).toMatchObject({ ok: false });
  });

  test("with everything in it fits what a message takes", () => {
    const samples = fc.sample(arbitrarySetup("caller"), { numRuns: 40, seed: 1 });
    const relays = [ANNS, BENS].map((relay) => ({ ...relay, operator: "x".repeat(64) }));
    const longest = samples.map((setup) =>
      encodeSetup({ ...setup, policy: { ...setup.policy, relay: "any", relays } }),
    );
    expect(Math.max(...longest.map(({ bytes }) => bytes.length))).toBeLessThan(768);
  });
});

test("a policy that was changed on the way is found out before any sound", () => {
  const world = createWorld({
    callerPolicy: policy("never"),
    pass: (passing) => {
      const { message } = passing.packet;
      if (message.type !== "invite") return true;
      const setup = encodeSetup({ ...message.setup.setup, policy: policy("any", ANNS) });
      return { ...passing, packet: { ...passing.packet, message: { ...message, setup } } };
    },
  });
  world.dial();
  world.run(200);
  world.callee.dispatch({ type: "answer", media: AUDIO });
  world.run(300);
  for (const phone of [world.caller, world.callee]) {
    expect(reason(phone)).toBe("not-confirmed");
    expect(phone.did("open-media")).toEqual([]);
  }
});

test("the words differ where the relays do", () => {
  const words = [ANNS, BENS].map((relay) => wordsOf(answered({ callerPolicy: policy("any", relay) }).caller.state));
  expect(words[0]).toHaveLength(4);
  expect(words[0]).not.toEqual(words[1]);
});

describe("a hidden address", () => {
  const OWN_ADDRESSES = /192\.0\.2\.7|203\.0\.113\.5/;
  const hiding = { callerHides: true, callerPolicy: policy("any", ANNS), found: findsBoth } as const;
  /** All that left a phone, and all that its machine kept of its own addresses. */
  const traces = (phone: Phone) => JSON.stringify([sentMessages(phone), phone.state.legs[0]?.local.candidates]);

  test("leaves with nothing: relayed candidates go, without the address behind them", () => {
    const world = answered(hiding);
    world.caller.dispatch({ type: "network-changed" });
    world.run(500);
    expect([world.caller.state.phase, world.callee.state.phase]).toEqual(["active", "active"]);
    // Once, and after the restart by both carriers.
    expect(sentBy(world.caller).map(({ type }) => type)).toEqual(["relay", "relay", "relay"]);
    expect(traces(world.caller)).not.toMatch(OWN_ADDRESSES);
    expect(traces(world.callee)).toMatch(OWN_ADDRESSES); // so that the pattern finds what it should
  });

  test("leaves with nothing in whatever order things come, on either side", () => {
    const kinds = fc.array(fc.constantFrom("host" as const, "srflx" as const, "prflx" as const, "relay" as const), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(kinds, fc.boolean(), fc.boolean(), fc.boolean(), (types, caller, callerEarly, calleeEarly) => {
        const found = () =>
          types.map((type, i) =>
            type === "relay"
              ? testRelayed(i + 1)
              : testCandidate(i + 1, type === "host" ? {} : { type, relatedAddress: "203.0.113.5", relatedPort: 9 }),
          );
        const world = answered({
          found,
          callerEarly,
          calleeEarly,
          callerPolicy: policy("any", ANNS),
          calleePolicy: policy("any", BENS),
          callerHides: caller,
          calleeHides: !caller,
        });
        const hidden = caller ? world.caller : world.callee;
        expect(sentBy(hidden)).toHaveLength(types.filter((type) => type === "relay").length);
        expect(traces(hidden)).not.toMatch(OWN_ADDRESSES);
      }),
      { numRuns: 30 },
    );
  });

  test("is not shown on the link by looking a name up there", () => {
    const name = "0b4c3b1e-6d1f-4d0a-9c1e-2f9f0e3c8a11.local";
    const found = (role: CallRole) => [testCandidate(1, role === "callee" ? { address: name } : {}), testRelayed(2)];
    expect(triedBy(answered({ ...hiding, found }).caller)).toEqual([]);
    expect(triedBy(answered({ found }).caller).map(({ address }) => address)).toContain(name);
  });

  const ends = (phone: Phone) => phone.did("ended").map((effect) => effect.reason);

  test("of a caller without a relay sends no invite", () => {
    const world = ringing({ callerHides: true });
    expect(ends(world.caller)).toEqual(["relay-needed"]);
    expect(world.caller.did("send")).toEqual([]);
    expect(world.callee.state.phase).toBe("expecting");
  });

  test("of a caller, called with somebody who allows no relay: both are told at once, before any path is tried", () => {
    const world = ringing({ ...hiding, calleePolicy: policy("never") });
    expect([ends(world.caller), ends(world.callee)]).toEqual([["relay-needed"], ["relay-needed"]]);
    expect(world.callee.did("missed")).toHaveLength(1);
    expect(world.caller.did("apply-remote-setup")).toEqual([]);
  });

  test("of a caller: one device that allows no relay does not end it for the others", () => {
    const world = createWorld({ ...hiding, devices: 2, calleePolicy: policy("any") });
    world.dial();
    world.run(200);
    const [first, second] = world.callees as [Phone, Phone];
    const number = world.caller.state.legs[0]?.envelopes.nextReceive as number;
    const packet = { callId: world.callId, number, message: { type: "hang-up", reason: "relay-needed" } } as const;
    world.deliver({ from: first, to: world.caller, carrier: "envelope", packet });
    expect(world.caller.state.phase).toBe("ringing");
    second.dispatch({ type: "answer", media: AUDIO });
    world.run(200);
    expect(world.caller.state.phase).toBe("active");
  });

  const rang = (phone: Phone): CallEffect[] => phone.did("ring");

  test("of a callee does not ring for a caller who allows no relay, and both are told", () => {
    const world = ringing({ calleeHides: true, calleePolicy: policy("any", BENS), callerPolicy: policy("never") });
    expect([ends(world.caller), ends(world.callee)]).toEqual([["relay-needed"], ["relay-needed"]]);
    expect([rang(world.callee).length, world.callee.did("missed").length]).toEqual([0, 1]);
    expect(sentBy(world.callee)).toEqual([]);
  });

  test("of a callee for whom no relay is found ends before it is shown, and the caller is told why", () => {
    const world = createWorld({ calleeHides: true, calleePolicy: policy("any", BENS) });
    world.network.ringShown = false;
    world.dial();
    world.run(100);
    world.callee.dispatch({ type: "relay-missing" });
    world.run(100);
    expect([ends(world.caller), ends(world.callee)]).toEqual([["relay-needed"], ["relay-needed"]]);
    expect(sentMessages(world.callee).map(({ type }) => type)).toEqual(["hang-up"]);
  });

  test("means nothing where it is not hidden, or rings already", () => {
    const world = ringing();
    world.callee.dispatch({ type: "relay-missing" });
    expect(world.callee.state.phase).toBe("alerting");
    const hidden = ringing({ calleeHides: true, calleePolicy: policy("any", BENS), found: findsBoth });
    hidden.callee.dispatch({ type: "relay-missing" });
    expect(hidden.callee.state.phase).toBe("alerting");
  });
});

describe("a call that finds no path", () => {
  const failing = (options: Parameters<typeof createWorld>[0]) => {
    const world = createWorld(options);
    world.network.up = false;
    world.dial();
    world.run(200);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(CONNECT_TIMEOUT_MS + 200);
    return [reason(world.caller), reason(world.callee)];
  };

  test("says that a relay was needed where the settings let none be used", () => {
    const needed = ["relay-needed", "relay-needed"];
    expect(failing({ calleePolicy: policy("never") })).toEqual(needed);
    expect(failing({ callerPolicy: policy("never") })).toEqual(needed);
    const untrusted = { callerPolicy: policy("trusted"), calleePolicy: policy("any", BENS), found: findsBoth };
    expect(failing(untrusted)).toContain("relay-needed");
  });

  test("says only that it failed where a relay would have been allowed", () => {
    expect(failing({})).toEqual(["connection-failed", "connection-failed"]);
    expect(failing({ callerPolicy: policy("any", ANNS), calleePolicy: policy("any", BENS), found: findsBoth })).toEqual(
      ["connection-failed", "connection-failed"],
    );
  });
});
