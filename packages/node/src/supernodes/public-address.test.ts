import { expect, test } from "vitest";
import { isPublicAddress } from "./public-address.ts";

const inside = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.2.1",
  "192.168.1.1",
  "198.19.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:192.0.2.1",
  "::ffff:8.8.8.8",
  "64:ff9b::a00:1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "fc00::1",
  "fd12::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "127.1",
  "0x7f.0.0.1",
  "2130706433",
  "localhost",
  "",
];

test.each(inside)("%s is not dialled for a stranger", (address) => expect(isPublicAddress(address)).toBe(false));

test.each(["1.1.1.1", "100.63.0.1", "172.32.0.1", "198.17.255.255", "223.255.255.255", "2a00::1", "2606:4700::1111"])(
  "%s is",
  (address) => expect(isPublicAddress(address)).toBe(true),
);
