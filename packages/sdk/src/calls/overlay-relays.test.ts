import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseRelays, RELAYS_ASKED_MAX, type RelayPlace } from "./overlay-relays.ts";

const place = (key: string, more: Partial<RelayPlace> = {}): RelayPlace => ({
  key,
  home: { url: "", dht: "192.0.2.1:9", supernodeKey: new Uint8Array(32), hopKey: new Uint8Array(32) },
  operator: "",
  own: false,
  trusted: false,
  ...more,
});
const half = () => 0.5;
const keys = (places: readonly RelayPlace[]) => places.map(({ key }) => key);

test("one's own before a trusted one, that before the nearest", () => {
  const far = place("far", { roundTripMs: 90 });
  const near = place("near", { roundTripMs: 9 });
  const unknown = place("unknown");
  const trusted = place("trusted", { trusted: true, roundTripMs: 200 });
  const own = place("own", { own: true });
  const order = ["own", "trusted", "near", "far"];
  expect(keys(chooseRelays([far, near, unknown, trusted, own], [], half))).toEqual(order);
  expect(keys(chooseRelays([unknown, far, near], [], half))).toEqual(["near", "far", "unknown"]);
});

test("a stranger's is never a home, nor of a home's operator; one that is trusted may be", () => {
  const homes = [
    { key: "h1", operator: "Acme" },
    { key: "h2", operator: "" },
  ];
  const acme = place("relay", { operator: "Acme" });
  const nameless = place("nameless");
  expect(keys(chooseRelays([acme, place("h2"), nameless], homes, half))).toEqual(["nameless"]);
  expect(keys(chooseRelays([{ ...acme, trusted: true }], homes, half))).toEqual(["relay"]);
});

test("no operator is asked twice", () => {
  const places = [
    place("a", { operator: "Acme" }),
    place("b", { operator: "Acme" }),
    place("c", { operator: "Zenith" }),
  ];
  expect(chooseRelays(places, [], half).map(({ operator }) => operator)).toEqual(["Acme", "Zenith"]);
});

test("whatever there is, at most four come out, each of them once and none that is forbidden", () => {
  const any = fc.record({
    key: fc.constantFrom("a", "b", "c", "d", "e"),
    operator: fc.constantFrom("", "Acme", "Zenith"),
    own: fc.boolean(),
    trusted: fc.boolean(),
  });
  const home = fc.record({ key: fc.constantFrom("a", "b", "x"), operator: fc.constantFrom("", "Acme") });
  fc.assert(
    fc.property(fc.uniqueArray(any, { selector: ({ key }) => key }), fc.array(home), (found, homes) => {
      const chosen = chooseRelays(
        found.map((each) => place(each.key, each)),
        homes,
        Math.random,
      );
      expect(chosen.length).toBeLessThanOrEqual(RELAYS_ASKED_MAX);
      expect(new Set(keys(chosen)).size).toBe(chosen.length);
      for (const { key, operator, own, trusted } of chosen)
        if (!own && !trusted)
          expect(homes.some((each) => each.key === key || (operator !== "" && each.operator === operator))).toBe(false);
    }),
  );
});
