/** Which addresses a stranger may make this node dial: those that the whole Internet can reach, and no others. */
import { BlockList, isIPv4, isIPv6 } from "node:net";

/** IANA's special-purpose IPv4 blocks that are not globally reachable, and multicast (RFC 6890, RFC 5771). */
const notPublic = new BlockList();
for (const [address, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  notPublic.addSubnet(address, bits, "ipv4");
/** Within 2000::/3: Teredo, benchmarking, ORCHID, documentation and 6to4, of which some hold IPv4 addresses. */
for (const [address, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  notPublic.addSubnet(address, bits, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/** False, too, for what is no address, and for IPv6 forms of IPv4 addresses. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address, "ipv4");
  return isIPv6(address) && globalUnicast.check(address, "ipv6") && !notPublic.check(address, "ipv6");
}
