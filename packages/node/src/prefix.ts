/**
 * Address prefixes, counted as one party each: IPv4 /24, IPv6 /48. One customer may be given a /48 (RFC 6177); where they get
 * a /56 each, 256 share one, as many as addresses in a /24.
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

const IPV6_PREFIX_BITS = 48;

const privateRanges = new BlockList();
for (const [address, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
] as const)
  privateRanges.addSubnet(address, bits, "ipv4");
for (const [address, bits] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
] as const)
  privateRanges.addSubnet(address, bits, "ipv6");

/** `::ffff:192.0.2.1`, as dual-stack sockets give it, is the IPv4 address it holds. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

/** Loopback, private and link-local addresses. */
export function isPrivateAddress(address: string): boolean {
  const plain = plainAddress(address);
  return isIPv4(plain) ? privateRanges.check(plain, "ipv4") : isIPv6(plain) && privateRanges.check(plain, "ipv6");
}

/** A key for the prefix that `address` is in; anything that is no address shares one key. */
export function prefixOf(address: string): string {
  const plain = plainAddress(address);
  if (isIPv4(plain)) return plain.slice(0, plain.lastIndexOf("."));
  const bare = plain.split("%")[0] as string;
  if (!isIPv6(bare)) return "?";
  const groups = expandIPv6(bare);
  return groups.slice(0, IPV6_PREFIX_BITS / 8).join("");
}

/** 4 or 16 bytes; an IPv4-mapped address gives the 4 it holds. */
export function addressBytes(address: string): Uint8Array {
  const plain = plainAddress(address);
  if (isIPv4(plain)) return Uint8Array.from(plain.split("."), Number);
  return new Uint8Array(Buffer.from(expandIPv6(plain.split("%")[0] as string).join(""), "hex"));
}

/** A key for the host that has these 4 or 16 bytes: an IPv4 address, or the IPv6 /64 whose addresses are one host's to choose from. */
export function hostOf(address: Uint8Array): string {
  return Buffer.from(address.subarray(0, 8)).toString("latin1");
}

/** 16 two-digit hex bytes. */
function expandIPv6(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = Math.max(0, 8 - left.length - right.length);
  const groups = tail === undefined ? left : [...left, ...Array<string>(missing).fill("0"), ...right];
  return groups.flatMap((group) => {
    const padded = group.padStart(4, "0");
    return [padded.slice(0, 2), padded.slice(2)];
  });
}
