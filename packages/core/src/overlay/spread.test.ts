import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIp } from "./ip-address.ts";
import { addressGroup, NO_SPREAD_LIMITS, pickSpread, type SpreadCandidate, SpreadGroups } from "./spread.ts";

let counter = 0;
const keyOf = (n: number) => Uint8Array.from({ length: 32 }, (_, i) => (n >> (8 * (i % 4))) & 0xff);
function at(dht: string, operator = "", url = ""): SpreadCandidate {
  return { supernodeKey: keyOf(++counter), dht, url, operator };
}
/** Repeats itself, and differs by seed. */
function seeded(seed: number) {
  let state = seed + 1;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) & 0xff;
  return { bytes: (length: number) => Uint8Array.from({ length }, next) };
}

test.each([
  ["192.0.2.7", "ipv4 c0000207", "ipv4 c00002"],
  ["::ffff:192.0.2.7", "ipv4 c0000207", "ipv4 c00002"],
  ["::FFFF:C000:0207", "ipv4 c0000207", "ipv4 c00002"],
  ["2001:db8:1:2:3:4:5:6", "ipv6 20010db800010002", "ipv6 20010db80001"],
  ["[2001:db8:1:2::9]", "ipv6 20010db800010002", "ipv6 20010db80001"],
  ["::1", "ipv6 0000000000000000", "ipv6 000000000000"],
  ["Node.Example.", "name node.example", "name node.example"],
])("%s is counted as one address and near its neighbours", (host, address, near) => {
  expect(addressGroup(host)).toEqual({ address, near });
});

test("addresses are read as they are written, and nothing else is one", () => {
  expect(parseIp("1:2:3:4:5:6:1.2.3.4")).toEqual(Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1, 2, 3, 4));
  expect(parseIp("1::8")).toEqual(Uint8Array.of(0, 1, ...new Uint8Array(13), 8));
  expect(parseIp("1:2:3:4:5:6:7::")).toEqual(Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0));
  for (const text of ["", "1.2.3", "256.1.1.1", "1:2", ":::", "fe80::1%eth0", "a.example"])
    expect(parseIp(text)).toBeUndefined();
  fc.assert(fc.property(fc.ipV4(), (ip) => void expect([...(parseIp(ip) ?? [])].join(".")).toBe(ip)));
  fc.assert(
    fc.property(fc.ipV6(), (ip) => {
      const host = new URL(`http://[${ip}]/`).hostname.slice(1, -1);
      expect(parseIp(host)).toEqual(parseIp(ip));
    }),
  );
});

test("takes one of an address and two of a neighbourhood, and no more though there is room", () => {
  const twins = [at("192.0.2.7:1"), at("192.0.2.7:2")];
  expect(pickSpread(twins, 5)).toEqual([twins[0]]);
  const near = [at("192.0.2.1:1"), at("192.0.2.2:1"), at("192.0.2.3:1")];
  expect(pickSpread(near, 5)).toEqual(near.slice(0, 2));
  expect(pickSpread([...twins, ...near], 5, { limits: NO_SPREAD_LIMITS })).toHaveLength(5);
});

test("prefers another neighbourhood and another operator, in the order given", () => {
  const [a, b, c, d] = [
    at("192.0.2.1:1", "Ann"),
    at("192.0.2.2:1", "Ben"),
    at("198.51.100.1:1", "Ann"),
    at("203.0.113.1:1", "Cy"),
  ] as const;
  expect(pickSpread([a, b, c, d], 2)).toEqual([a, d]);
  expect(pickSpread([a, b, c, d], 4)).toEqual([a, d, b, c]);
  const nameless = [at("192.0.2.1:1"), at("198.51.100.1:1"), at("203.0.113.1:1")];
  expect(pickSpread(nameless, 3)).toEqual(nameless);
});

test("neither picks nor crowds those that are in use, and picks nobody twice", () => {
  const used = at("192.0.2.1:1", "Ann");
  const sameAddress = at("192.0.2.1:9");
  const [near, far] = [at("192.0.2.2:1"), at("198.51.100.1:1", "Ann")];
  expect(pickSpread([used, sameAddress, near, far, near], 9, { avoid: [used] })).toEqual([near, far]);
});

test("both addresses that a supernode names count, unless it was seen at another", () => {
  const first = at("192.0.2.1:1", "", "wss://node.example/edge");
  expect(pickSpread([first, at("203.0.113.1:1", "", "wss://NODE.example:8443/edge")], 2)).toEqual([first]);
  const seen = { ...at("203.0.113.1:1", "", "wss://other.example/edge"), observedHost: "192.0.2.1" };
  expect(pickSpread([first, seen], 2)).toEqual([first]);
  const lying = { ...at("192.0.2.1:1"), observedHost: "203.0.113.9" };
  expect(pickSpread([first, lying], 2)).toEqual([first, lying]);
});

test("what was added can be taken back", () => {
  const groups = new SpreadGroups();
  const one = at("192.0.2.1:1", "Ann");
  groups.add(one);
  expect(groups.fits(at("192.0.2.1:2"))).toBe(false);
  expect(groups.crowding(at("192.0.2.2:2", "Ann"))).toBe(2);
  groups.remove(one);
  expect(groups.fits(at("192.0.2.1:2"))).toBe(true);
  expect(groups.crowding(at("192.0.2.2:2", "Ann"))).toBe(0);
});

test("whatever the candidates, the limits hold and as many are picked as fit", () => {
  const candidate = fc
    .tuple(fc.nat(3), fc.nat(4), fc.constantFrom("", "Ann", "Ben"), fc.nat(40))
    .map(([net, host, operator, key]) => ({
      supernodeKey: keyOf(key),
      dht: `198.51.${net}.${host}:9`,
      url: "",
      operator,
    }));
  fc.assert(
    fc.property(
      fc.uniqueArray(candidate, { maxLength: 40, selector: ({ supernodeKey }) => supernodeKey.join() }),
      fc.nat(20),
      fc.nat(999),
      (candidates, count, seed) => {
        const picked = pickSpread(candidates, count, { random: seeded(seed) });
        const groups = new SpreadGroups();
        for (const each of picked) {
          expect(groups.fits(each)).toBe(true);
          groups.add(each);
        }
        expect(new Set(picked.map(({ supernodeKey }) => supernodeKey.join())).size).toBe(picked.length);
        const keys = new Set(picked.map(({ supernodeKey }) => supernodeKey.join()));
        const more = candidates.filter((each) => !keys.has(each.supernodeKey.join()) && groups.fits(each));
        if (picked.length < count) expect(more).toEqual([]);
        else expect(picked).toHaveLength(count);
      },
    ),
  );
});

test("chance decides among equals", () => {
  const equals = Array.from({ length: 8 }, (_, i) => at(`198.51.${i}.1:1`));
  const firsts = new Set(Array.from({ length: 60 }, (_, seed) => pickSpread(equals, 1, { random: seeded(seed) })[0]));
  expect(firsts.size).toBeGreaterThan(4);
});
