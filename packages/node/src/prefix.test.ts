import fc from "fast-check";
import { expect, test } from "vitest";
import { addressBytes, isPrivateAddress, prefixOf } from "./prefix.ts";
import { PrefixLimits } from "./prefix-limits.ts";

test("one /24, one prefix; an address in IPv6's clothes is the same", () => {
  expect(prefixOf("192.0.2.1")).toBe(prefixOf("192.0.2.254"));
  expect(prefixOf("192.0.2.1")).not.toBe(prefixOf("192.0.3.1"));
  expect(prefixOf("::ffff:192.0.2.7")).toBe(prefixOf("192.0.2.1"));
});

test("one /48, one prefix, however it is written", () => {
  expect(prefixOf("2001:db8:1:1200::1")).toBe(prefixOf("2001:0db8:0001:ffff:1:2:3:4"));
  expect(prefixOf("2001:db8:1:1200::1")).not.toBe(prefixOf("2001:db8:2:1200::1"));
  expect(prefixOf("fe80::1%eth0")).toBe(prefixOf("fe80::2"));
});

test("every IPv6 address comes back as its bytes", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      if (address.includes(".")) return; // the mixed form is never what a socket reports
      expect(addressBytes(address).length).toBe(16);
      expect(prefixOf(address)).toHaveLength(12);
    }),
  );
  expect([...addressBytes("2001:db8::1")]).toEqual([0x20, 1, 0x0d, 0xb8, ...Array(11).fill(0), 1]);
});

test("loopback and private networks are told from the rest", () => {
  for (const address of [
    "127.0.0.1",
    "::1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "::ffff:10.0.0.1",
    "fe80::1",
    "fd00::1",
  ])
    expect([address, isPrivateAddress(address)]).toEqual([address, true]);
  for (const address of ["172.32.0.1", "192.0.2.1", "2001:db8::1", "not an address"])
    expect([address, isPrivateAddress(address)]).toEqual([address, false]);
});

test("remembered prefixes are bounded, and idle ones make room", () => {
  const limits = new PrefixLimits({ handshakes: { perSecond: 1, burst: 1 }, maxPrefixes: 2, limitPrivate: false });
  const first = limits.of("192.0.2.1", 0);
  if (first === undefined || first === "full") throw new Error("expected a prefix");
  first.counts.connections++;
  limits.of("198.51.100.1", 0);
  expect(limits.of("203.0.113.1", 0)).not.toBe("full");
  expect(limits.size).toBe(2);
  expect(limits.of("192.0.2.200", 0)).toBe(first);
  expect(limits.of("10.0.0.1", 0)).toBeUndefined();
});
