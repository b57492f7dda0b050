/** Which relays a call may go over: none of a home of either side, the nearest first, and new ones after a restart. */
import { describe, expect, test } from "vitest";
import type { CallPolicy, CallRole, Candidate, NamedRelay } from "./call-types.ts";
import { CONNECT_TIMEOUT_MS, RELAY_STEPS_MAX } from "./limits.ts";
import { placedRelay, relaySteps } from "./relay-order.ts";
import { testCandidate, testRelay, testRelayed } from "./testing/fixture-cases.ts";
import {
  answered,
  AUDIO,
  createWorld,
  type Phone,
  reason,
  ringing,
  sentMessages,
  type WorldOptions,
} from "./testing/world-cases.ts";

const ANNS = testRelay("Ann");
const BENS = testRelay("Ben");
const THIRD = testRelay("a third");
const ROLES: readonly CallRole[] = ["caller", "callee"];

function policy(...relays: NamedRelay[]): CallPolicy {
  return { relay: "any", video: true, relays };
}

/** A direct candidate, and one on each of `count` relays. */
function findsAll(count: number) {
  return (role: CallRole) => {
    const port = role === "caller" ? 10 : 20;
    return [testCandidate(port), ...Array.from({ length: count }, (_, i) => testRelayed(port + 1 + i, i))];
  };
}

function relayedBy(phone: Phone, generation = 0): (number | null)[] {
  const messages = sentMessages(phone).flatMap((each) => (each.type === "candidates" ? [each] : []));
  const places = messages
    .filter((each) => each.generation === generation)
    .flatMap(({ candidates }) => candidates.flatMap(({ type, relay }) => (type === "relay" ? [relay] : [])));
  return [...new Set(places)];
}

function triedOf(phone: Phone): readonly Candidate[] {
  return phone.did("add-remote-candidates").flatMap(({ candidates }) => candidates.filter((c) => c.type === "relay"));
}

/** `namer` has two relays, the first of which is a home of the other. */
function named(namer: CallRole, more: WorldOptions = {}): WorldOptions {
  return namer === "caller"
    ? { callerPolicy: policy(ANNS, THIRD), calleeHomes: [ANNS], found: findsAll(2), ...more }
    : { calleePolicy: policy(ANNS, THIRD), callerHomes: [ANNS], found: findsAll(2), ...more };
}

function sides(namer: CallRole, world: ReturnType<typeof createWorld>): [Phone, Phone] {
  return namer === "caller" ? [world.caller, world.callee] : [world.callee, world.caller];
}

describe.each(ROLES)("a relay that the %s names and that is a home of the other", (namer) => {
  test("is not tried there, and given up here, while the other one goes on", () => {
    const world = answered(named(namer));
    const [names, refuses] = sides(namer, world);
    expect([names.state.phase, refuses.state.phase]).toEqual(["active", "active"]);
    expect(triedOf(refuses).map(({ relay }) => relay)).toEqual([1]);
    expect(
      refuses.did("add-remote-candidates").flatMap(({ forbidden }) => forbidden.map(({ relay }) => relay)),
    ).toEqual([0]);
    expect(names.did("give-up-relays").map(({ keys }) => keys)).toEqual([[ANNS.key]]);
    world.caller.dispatch({ type: "network-changed" });
    world.run(300);
    expect(relayedBy(names, 1)).toEqual([1]);
  });

  test("is used where the other trusts it, and nothing is said", () => {
    const trusts = namer === "caller" ? { calleeTrusts: [ANNS.key] } : { callerTrusts: [ANNS.key] };
    const world = answered(named(namer, trusts));
    const [names, refuses] = sides(namer, world);
    expect(triedOf(refuses).map(({ relay }) => relay)).toEqual([0, 1]);
    expect(names.did("give-up-relays")).toEqual([]);
    expect(sentMessages(refuses).map(({ type }) => type)).not.toContain("refuse-relays");
  });

  test("ends the call as one that needed a relay where there is no other way", () => {
    const only = policy(ANNS);
    const world = createWorld(named(namer, namer === "caller" ? { callerPolicy: only } : { calleePolicy: only }));
    world.network.up = false;
    world.dial();
    world.run(200);
    world.callee.dispatch({ type: "answer", media: AUDIO });
    world.run(CONNECT_TIMEOUT_MS + 200);
    expect([reason(world.caller), reason(world.callee)]).toEqual(["relay-needed", "relay-needed"]);
  });

  test("ends it at once where the addresses of who names it are hidden and it is the only one", () => {
    const hides = namer === "caller" ? { callerHides: true } : { calleeHides: true };
    const only = namer === "caller" ? { callerPolicy: policy(ANNS) } : { calleePolicy: policy(ANNS) };
    const world = ringing(named(namer, { ...hides, ...only }));
    expect([reason(world.caller), reason(world.callee)]).toEqual(["relay-needed", "relay-needed"]);
    expect(world.callee.did("missed")).toHaveLength(1);
    expect(triedOf(sides(namer, world)[1])).toEqual([]);
    expect(ringing(named(namer, hides)).callee.state.phase).toBe("alerting");
  });

  test("is refused though the candidates do not say on which relay they are", () => {
    const found = (role: CallRole) => [
      testCandidate(role === "caller" ? 1 : 2),
      testRelayed(role === "caller" ? 3 : 4),
    ];
    const world = answered(named(namer, { found }));
    expect(triedOf(sides(namer, world)[1])).toEqual([]);
  });
});

test("a refusal of relays that were never named, or again, is nothing", () => {
  const world = answered(named("caller"));
  const [caller, callee] = [world.caller, world.callee];
  const sent = (keys: readonly Uint8Array[]) => {
    const number = caller.state.legs[0]?.messages.nextReceive as number;
    const packet = { callId: world.callId, number, message: { type: "refuse-relays", keys } } as const;
    world.deliver({ from: callee, to: caller, carrier: "channel", packet });
  };
  sent([ANNS.key]);
  sent([BENS.key]);
  expect(caller.did("give-up-relays")).toHaveLength(1);
  sent([THIRD.key]);
  expect(caller.state.legs[0]?.refusedRelays).toEqual([ANNS.key, THIRD.key]);
  expect(caller.state.phase).toBe("active");
});

describe("after a restart", () => {
  const restarted = (namer: CallRole, options: WorldOptions, relays: readonly NamedRelay[] | null = [BENS]) => {
    const world = answered({ found: findsAll(1), renewed: (role) => (role === namer ? relays : null), ...options });
    world.caller.dispatch({ type: "network-changed" });
    world.run(300);
    return { world, names: sides(namer, world)[0], other: sides(namer, world)[1] };
  };

  test.each(ROLES)("a relay that the %s names anew is used, though none was named before", (namer) => {
    const { names, other } = restarted(namer, {});
    expect(relayedBy(names, 0)).toEqual([]);
    expect(relayedBy(names, 1)).toEqual([0]);
    expect(triedOf(other)).not.toEqual([]);
    expect(other.state.legs[0]?.remoteRelays).toEqual([BENS]);
    expect([names.state.phase, other.state.phase]).toEqual(["active", "active"]);
  });

  test.each(ROLES)("one that is a home of the other than the %s is refused as at the start", (namer) => {
    const homes = namer === "caller" ? { calleeHomes: [BENS] } : { callerHomes: [BENS] };
    const { names, other } = restarted(namer, homes);
    expect(triedOf(other)).toEqual([]);
    expect(names.did("give-up-relays").map(({ keys }) => keys)).toEqual([[BENS.key]]);
  });

  test.each(ROLES)("none is named by the %s where the signed levels allow none", (namer) => {
    for (const side of ["callerPolicy", "calleePolicy"]) {
      const never: CallPolicy = { relay: "never", video: true, relays: [] };
      const { names, other } = restarted(namer, { [side]: never });
      expect(relayedBy(names, 1)).toEqual([]);
      expect(other.state.legs[0]?.remoteRelays).toEqual([]);
    }
  });

  test("one of a side whose signed level is never is refused, whatever it says", () => {
    const never: CallPolicy = { relay: "never", video: true, relays: [] };
    const world = answered({ callerPolicy: never, found: findsAll(1) });
    const number = world.callee.state.legs[0]?.messages.nextReceive as number;
    const credentials = { ufrag: "abcd", pwd: "0".repeat(22) };
    const message = { type: "restart", generation: 1, ...credentials, isAnswer: false, relays: [BENS] } as const;
    const packet = { callId: world.callId, number, message };
    world.deliver({ from: world.caller, to: world.callee, carrier: "channel", packet });
    expect(world.callee.state.legs[0]?.remoteRelays).toEqual([]);
    expect(world.callee.did("refused").map(({ code }) => code)).toContain("policy-refused");
  });

  test("those named before hold where nothing new is named", () => {
    const { names, other } = restarted("caller", { callerPolicy: policy(ANNS) }, null);
    expect(relayedBy(names, 1)).toEqual([0]);
    expect(other.state.legs[0]?.remoteRelays).toEqual([ANNS]);
  });
});

describe("which relay is tried first", () => {
  const near = testRelay("near", 1);
  const middle = testRelay("middle", 5);
  const far = testRelay("far", 20);
  const OWN = 0x02_7f_3e_ff;
  const placed = (place: number, own: NamedRelay[], theirs: NamedRelay[], trusted: Uint8Array[] = []) =>
    placedRelay({ ...testRelayed(1, place), priority: OWN }, own, theirs, trusted).priority;

  test("steps are coarse, and what is not known is far", () => {
    expect([0, 19.9, 20, 119, 499, 500, 9_000, undefined, Number.NaN].map(relaySteps)).toEqual([
      0, 0, 1, 5, 24, 25, 25, 25, 25,
    ]);
    expect(relaySteps(-1)).toBe(RELAY_STEPS_MAX);
  });

  test("the caller puts the other's before its own where it is nearer to them than any of the own to it", () => {
    expect(placed(0, [middle, far], [near])).toBeGreaterThan(OWN);
    expect(placed(0, [near, far], [middle])).toBeLessThan(OWN);
    expect(placed(0, [near], [testRelay("as near", 1)])).toBeLessThan(OWN);
    const both = [0, 1].map((place) => placed(place, [far], [middle, near]));
    expect(both[1]).toBeGreaterThan(both[0] as number);
    expect(both[0]).toBeGreaterThan(OWN);
  });

  test("one that the caller trusts comes before a nearer one that it does not", () => {
    expect(placed(0, [near], [far], [far.key])).toBeGreaterThan(OWN);
    expect(placed(0, [far], [near], [far.key])).toBeLessThan(OWN);
  });

  test("nothing that is said of a relay brings it before a direct path, and transports keep their order", () => {
    const claims = (type: number) => ({ ...testRelayed(1, 0), priority: ((type << 24) | 0x7f_3e_ff) >>> 0 });
    const types = [0, 1, 2, 126, 255].map((type) => placedRelay(claims(type), [far], [near], []).priority >>> 24);
    expect(types).toEqual([0, 1, 2, 5, 5]);
  });

  test("what is not known is left as it came", () => {
    const unknown = testRelayed(1);
    expect(placedRelay(unknown, [far], [near], [])).toBe(unknown);
    expect(placedRelay(testRelayed(1, 0), [], [near], [])).toEqual(testRelayed(1, 0));
    const direct = testCandidate(1);
    expect(placedRelay(direct, [far], [near], [])).toBe(direct);
  });

  test("the caller's stack is told so, and the chain is over what was sent", () => {
    const world = answered({ callerPolicy: policy(far), calleePolicy: policy(near), found: findsAll(1) });
    const [tried] = triedOf(world.caller);
    const [sent] = world.caller.state.legs[0]?.remote.candidates.filter(({ type }) => type === "relay") ?? [];
    expect(tried?.priority).not.toBe(sent?.priority);
    expect(triedOf(world.callee)[0]?.priority).toBe(testRelayed(1).priority);
    expect(reason(world.caller)).toBe("active");
  });
});
