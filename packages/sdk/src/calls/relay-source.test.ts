import fc from "fast-check";
import { expect, it } from "vitest";
import { loadWrtc, wrtcPeerConnection } from "../node/wrtc.ts";
import { configurationOf } from "./leg-plan.ts";
import { RELAY_URLS_MAX, type RelayOffer, soundOffers } from "./relay-source.ts";

const GOOD: RelayOffer = {
  key: new Uint8Array(32).fill(7),
  operator: "Ann’s shed",
  urls: ["turn:relay.example.org:3478"],
  username: "1800000000:mailbox",
  credential: "secret",
  expiresAtMs: 1_800_000_000_000,
  trusted: false,
};
const urlsOf = (...urls: string[]) => soundOffers([{ ...GOOD, urls }]).flatMap((offer) => offer.urls);

it("keeps TURN over udp, tcp and TLS, and nothing that is none", () => {
  const good = [
    "turn:192.0.2.1",
    "turn:relay.example.org:3478?transport=udp",
    "turns:[2001:db8::1]:443?transport=tcp",
    "turn:a:1?transport=tcp",
  ];
  const bad = [
    ...[
      "stun:a",
      "turn:",
      "turn:a:0",
      "turn:a:65536",
      "turn:a?transport=sctp",
      "turn:user@a",
      "turn:a b",
      "turn://a",
      "",
    ],
    ...["turn:a?transport=udp&x=1", "turn:a\r\n", "http://a"],
  ];
  expect(urlsOf(...bad, ...good)).toEqual(good);
  expect(urlsOf(...bad)).toEqual([]);
  expect(urlsOf(...Array<string>(20).fill("turn:a"))).toHaveLength(RELAY_URLS_MAX);
});

it.each<[string, Partial<RelayOffer>]>([
  ["a short key", { key: new Uint8Array(31) }],
  ["an operator too long for the set-up", { operator: "x".repeat(65) }],
  ["an operator that turns text around", { operator: "\u202eevil" }],
  ["no user name", { username: "" }],
  ["no credential", { credential: "" }],
  ["a credential with a line end", { credential: "a\nb" }],
  ["a credential beyond all measure", { credential: "x".repeat(1_000) }],
  ["an end that is no time", { expiresAtMs: Number.NaN }],
])("leaves an offer out that has %s", (_, change) => {
  expect(soundOffers([{ ...GOOD, ...change }, GOOD])).toEqual([GOOD]);
});

it("looks at a bounded number of offers", () => {
  expect(soundOffers(Array<RelayOffer>(100).fill(GOOD))).toHaveLength(16);
});

it("whatever a source says, a peer connection can be made", () => {
  loadWrtc();
  const url = fc.oneof(
    fc.string(),
    fc.string().map((text) => `turn:${text}`),
    fc.webAuthority({ withPort: true }).map((host) => `turns:${host}?transport=tcp`),
    fc.constantFrom("turn:a", "turn:[::1]:9", "turn:[zz]", "turn:-:1", "turns:a:443", "turn:a?transport=tcp"),
  );
  const change = fc.record({
    urls: fc.array(url, { maxLength: 6 }),
    username: fc.string({ maxLength: 520 }),
    credential: fc.string({ maxLength: 520 }),
  });
  const offer = change.map((changed): RelayOffer => ({ ...GOOD, ...changed }));
  fc.assert(
    fc.property(fc.array(offer, { maxLength: 2 }), fc.boolean(), (offers, relayOnly) => {
      const consent = { relay: "any", video: true } as const;
      const plan = { stunServers: [{ urls: "stun:a" }], relays: soundOffers(offers), consent, relayOnly };
      wrtcPeerConnection(configurationOf(plan)).close();
    }),
    { numRuns: 30 },
  );
});
