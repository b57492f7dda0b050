/** Two managers with real peer connections: what the settings let leave. */
import { decodeCallPacket, type OpenedEnvelope, type RelayHost, type RelayLevel, unwrap } from "@earshot/core";
import { afterEach, expect, it, vi } from "vitest";
import type { Contact } from "../api.ts";
import { wrtcPeerConnection } from "../node/wrtc.ts";
import { systemClock, systemRandom } from "../system-ports.ts";
import type { CallHandle } from "./call-handle.ts";
import type { CallPrivacy } from "./call-privacy.ts";
import { CallsManager } from "./calls-manager.ts";
import type { RelayOffer } from "./relay-source.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
/** Nobody is there. */
const OFFER: RelayOffer = {
  ...{ key: key(99), operator: "Ann’s shed", urls: ["turn:127.0.0.1:9"], username: "u", credential: "c" },
  ...{ expiresAtMs: Number.MAX_SAFE_INTEGER, trusted: true },
};

interface Side {
  readonly relay?: RelayLevel;
  readonly hides?: boolean;
  readonly offers?: readonly RelayOffer[];
  readonly homes?: readonly RelayHost[];
}

interface Person {
  readonly manager: CallsManager;
  readonly rings: CallHandle[];
  /** Each missed call: whether a relay would have been needed. */
  readonly missed: boolean[];
  readonly configurations: RTCConfiguration[];
  /** All that left, as one text. */
  readonly sent: unknown[];
}

const people: Person[] = [];
afterEach(async () => {
  for (const { manager } of people.splice(0)) await manager.stop();
});

function makePair(one: Side, two: Side): readonly [Person, Person] {
  const make = (
    self: number,
    peer: number,
    { relay = "any", hides = false, offers = [], homes = [] }: Side,
  ): Person => {
    const contact: Contact = { id: `ear${peer}`, name: "Peer", state: "contact", addedAt: 0 };
    const sender = { accountKey: key(self), deviceKey: key(self + 10) };
    const privacy: CallPrivacy = {
      relays: {
        choose: async (level) => (level === "never" ? [] : [...offers]),
        renew: (level) => (level === "never" ? [] : [...offers]),
      },
      relayConsent: () => relay,
      trustedRelays: () => [],
      ownHomes: () => homes,
      homesOf: () => [],
      hidesFrom: () => hides,
      lowData: () => false,
      met: () => {},
    };
    const person: Person = {
      ...{ rings: [], missed: [], configurations: [], sent: [] },
      manager: new CallsManager(
        {
          clock: systemClock,
          random: systemRandom,
          peerConnection: (configuration) => {
            person.configurations.push(configuration);
            // A platform that finds and uses everything, whatever it is told: nothing of it may leave all the same.
            return wrtcPeerConnection({ ...configuration, iceServers: [], iceTransportPolicy: "all" });
          },
          iceServers: () => [{ urls: "stun:127.0.0.1:9" }],
          clockCorrectionMs: () => 0,
          isNewDevice: () => false,
          self: { account: key(self), device: key(self + 10) },
          maxCalls: 1,
          contactOf: () => contact,
          sendEnvelope: async (_, __, body) => {
            person.sent.push(unwrap(decodeCallPacket(body)).message);
            people[peer - 1]?.manager.handleEnvelope({ sender, body, sentAt: systemClock.now() } as OpenedEnvelope);
            return undefined;
          },
          privacy,
        },
        {
          onIncoming: (call) => person.rings.push(call) > 0,
          onMissed: (_, __, relayNeeded) => person.missed.push(relayNeeded),
          onBrokenAttempt: () => {},
          onRefused: () => {},
          onListenerError: () => {},
          onProblem: () => {},
        },
      ),
    };
    people.push(person);
    return person;
  };
  return [make(1, 2, one), make(2, 1, two)];
}

const dial = ([one]: readonly [Person, Person]) => one.manager.place(key(2), [key(12)], {});
const candidatesOf = ({ sent }: Person) =>
  (sent as { type: string; candidates?: { type: string }[] }[]).flatMap(({ candidates }) => candidates ?? []);
const soon = (expectation: () => void) => vi.waitFor(expectation, { timeout: 10_000 });

it("a hidden address leaves with nothing that is sent, and WebRTC is told to gather none; the other's does", async () => {
  const pair = makePair({ hides: true, offers: [OFFER] }, {});
  const [one, two] = pair;
  dial(pair);
  await soon(() => {
    expect(candidatesOf(two).length).toBeGreaterThan(0);
    expect(one.sent).toContainEqual(expect.objectContaining({ type: "candidates", end: true }));
  });
  expect(candidatesOf(one)).toEqual([]);
  expect(JSON.stringify(one.sent)).not.toMatch(/\d+\.\d+\.\d+\.\d+|\.local|::/);
  expect(one.configurations).toEqual([
    expect.objectContaining({
      iceTransportPolicy: "relay",
      iceServers: [{ urls: OFFER.urls, username: "u", credential: "c" }],
    }),
  ]);
  expect(two.configurations).toEqual([
    expect.objectContaining({ iceTransportPolicy: "all", iceServers: [{ urls: "stun:127.0.0.1:9" }] }),
  ]);
});

it.each<[string, Side]>([
  ["no relay is there", { hides: true }],
  ["the own settings allow none", { hides: true, relay: "never", offers: [OFFER] }],
])("with a hidden address nothing is dialled where %s, and it is said why", async (_, side) => {
  const [one] = makePair(side, {});
  await expect(one.manager.readyFor(key(2), [key(12)])).rejects.toMatchObject({ code: "no-relay" });
  expect(one.sent).toEqual([]);
});

it("a caller with a hidden address is told at once where the other allows no relay, and so is the other", async () => {
  const pair = makePair({ hides: true, offers: [OFFER] }, { relay: "never" });
  const call = dial(pair);
  await soon(() => expect(call.endReason).toBe("relay-needed"));
  await soon(() => expect(pair[1].missed).toEqual([true]));
});

it.each<[string, Side, Side]>([
  ["no relay is there", {}, { hides: true }],
  ["the caller allows none", { relay: "never" }, { hides: true, offers: [OFFER] }],
])("nothing rings where the callee hides and %s; both are told", async (_, caller, callee) => {
  const pair = makePair(caller, callee);
  const call = dial(pair);
  await soon(() => expect(call.endReason).toBe("relay-needed"));
  expect(pair[1].rings).toEqual([]);
  expect(pair[1].missed).toEqual([true]);
  expect(pair[1].configurations).toEqual([]);
});

it("a relay is opened anew at an ICE restart, and another is used and named from then on", async () => {
  const offers: RelayOffer[] = [OFFER];
  const pair = makePair({ offers }, { offers });
  const call = dial(pair);
  await soon(() => expect(pair[1].rings).toHaveLength(1));
  const ring = pair[1].rings[0] as CallHandle;
  await ring.answer();
  await soon(() => expect([call.phase, ring.phase]).toEqual(["active", "active"]));
  offers.splice(0, 1, { ...OFFER, username: "fresh" }, { ...OFFER, key: key(98), username: "another relay" });
  pair[0].manager.handleNetworkChange();
  const names = (of: CallHandle) =>
    of.session.leg?.peer?.getConfiguration().iceServers?.flatMap(({ username }) => username ?? []);
  const named = (of: CallHandle) => of.session.state.legs[0]?.remoteRelays.map((relay) => relay.key[0]);
  const expected = ["fresh", "another relay"];
  await soon(() => expect([names(call), names(ring)]).toEqual([expected, expected]));
  await soon(() =>
    expect([named(call), named(ring)]).toEqual([
      [99, 98],
      [99, 98],
    ]),
  );
  expect(call.phase).toBe("active");
});

it("a relay that is a home of the other is given up by who named it, and the call goes on without", async () => {
  const home = { key: OFFER.key, operator: "" };
  const pair = makePair({ offers: [OFFER] }, { homes: [home] });
  const call = dial(pair);
  await soon(() => expect(pair[1].rings).toHaveLength(1));
  await pair[1].rings[0]?.answer();
  await soon(() => expect(call.phase).toBe("active"));
  await soon(() => expect(call.session.leg?.plan?.relays).toEqual([]));
  expect(pair[1].sent).toContainEqual({ type: "refuse-relays", keys: [OFFER.key] });
  await soon(() => expect(call.path).toMatchObject({ kind: "direct", relay: null }));
});

it("a caller with a hidden address whose only relay is a home of the other is told at once", async () => {
  const pair = makePair({ hides: true, offers: [OFFER] }, { homes: [{ key: key(50), operator: OFFER.operator }] });
  const call = dial(pair);
  await soon(() => expect(call.endReason).toBe("relay-needed"));
  await soon(() => expect(pair[1].missed).toEqual([true]));
});

it("a callee gives WebRTC no relay where the caller allows none", async () => {
  const pair = makePair({ relay: "never" }, { offers: [OFFER] });
  const call = dial(pair);
  await soon(() => expect(pair[1].rings).toHaveLength(1));
  await pair[1].rings[0]?.answer();
  await soon(() => expect(call.phase).toBe("active"));
  expect(pair[1].configurations[0]?.iceServers).toEqual([{ urls: "stun:127.0.0.1:9" }]);
});

it("a caller connects directly and gives its relays up where the callee allows none", async () => {
  const pair = makePair({ offers: [OFFER] }, { relay: "never" });
  const call = dial(pair);
  await soon(() => expect(pair[1].rings).toHaveLength(1));
  await pair[1].rings[0]?.answer();
  await soon(() => expect(call.phase).toBe("active"));
  expect(call.session.leg?.peer?.getConfiguration().iceServers).toEqual([{ urls: "stun:127.0.0.1:9" }]);
  await soon(() => expect(call.path).toMatchObject({ kind: "direct", relay: null }));
});
