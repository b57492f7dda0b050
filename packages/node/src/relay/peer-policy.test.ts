import { expect, test } from "vitest";
import { addressBytes } from "../prefix.ts";
import { addressText, mayRelayTo } from "./peer-policy.ts";

const STRICT = { privateNetworks: false, loopback: false };
/** Not by `addressBytes`, which unmaps. */
const ipv6 = (text: string): Uint8Array => {
  const [head = "", tail = ""] = text.split("::");
  const groups = (part: string) => part.split(":").filter((group) => group !== "");
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(text.includes("::") ? missing : 0).fill("0"), ...groups(tail)];
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
};

test.each([
  "0.0.0.0",
  "0.1.2.3",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.168.1.1",
  "198.19.0.1",
  "224.0.0.251",
  "239.255.255.250",
  "255.255.255.255",
])("never relays to %s, however it is written", (text) => {
  const address = addressBytes(text);
  expect(mayRelayTo(address, STRICT)).toBe(false);
  const [a = 0, b = 0, c = 0, d = 0] = address;
  const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
  for (const disguise of [
    `::ffff:${hex(a, b)}:${hex(c, d)}`,
    `64:ff9b::${hex(a, b)}:${hex(c, d)}`,
    `2002:${hex(a, b)}:${hex(c, d)}::1`,
    `::${hex(a, b)}:${hex(c, d)}`,
  ])
    expect([disguise, mayRelayTo(ipv6(disguise), STRICT)]).toEqual([disguise, false]);
});

test.each(["::", "::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1", "64:ff9b:1::1", "2001::1", "100::1"])(
  "never relays to %s",
  (text) => expect(mayRelayTo(ipv6(text), STRICT)).toBe(false),
);

test.each(["1.1.1.1", "172.32.0.1", "192.169.0.1", "203.0.113.9", "223.255.255.254", "100.128.0.1"])(
  "relays to %s",
  (text) => expect(mayRelayTo(addressBytes(text), STRICT)).toBe(true),
);

test.each(["2606:4700::1111", "2a00::1", "64:ff9b::101:101", "::ffff:101:101", "2002:101:101::1"])(
  "relays to %s",
  (text) => expect(mayRelayTo(ipv6(text), STRICT)).toBe(true),
);

test("private networks and this machine only where it is told so", () => {
  const home = { privateNetworks: true, loopback: false };
  expect(mayRelayTo(addressBytes("10.1.2.3"), home)).toBe(true);
  expect(mayRelayTo(ipv6("fd00::1"), home)).toBe(true);
  expect(mayRelayTo(addressBytes("169.254.169.254"), home)).toBe(false);
  expect(mayRelayTo(addressBytes("127.0.0.1"), home)).toBe(false);
  expect(mayRelayTo(addressBytes("127.0.0.1"), { privateNetworks: true, loopback: true })).toBe(true);
  expect(mayRelayTo(ipv6("::1"), { privateNetworks: true, loopback: true })).toBe(true);
});

test("writes addresses as node:dgram takes them", () => {
  expect(addressText(Uint8Array.of(192, 0, 2, 1))).toBe("192.0.2.1");
  expect(addressBytes(addressText(ipv6("2001:db8::7")))).toEqual(ipv6("2001:db8::7"));
});
