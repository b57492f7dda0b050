/**
 * To whom a relay may send. Never to this machine or its private network, however the address is written: a relay that does is a hole
 * in a firewall (CVE-2020-26262 was `::` and `::ffff:` in coturn).
 */
import { BlockList } from "node:net";

const denied = new BlockList();
for (const [address, bits] of [
  ["0.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  denied.addSubnet(address, bits, "ipv4");
const privateNetworks = new BlockList();
for (const [address, bits] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  privateNetworks.addSubnet(address, bits, "ipv4");
for (const [address, bits] of [
  ["::", 127],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 32],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const)
  denied.addSubnet(address, bits, "ipv6");
privateNetworks.addSubnet("fc00::", 7, "ipv6");

const IPV4_BYTES = 4;

/** For tests and private networks: lets private addresses pass, and with `loopback` this machine. */
export interface PeerPolicy {
  readonly privateNetworks: boolean;
  readonly loopback: boolean;
}

/** `address`: 4 or 16 bytes, in network order. */
export function mayRelayTo(address: Uint8Array, policy: PeerPolicy): boolean {
  const inner = innerIpv4(address);
  if (inner !== undefined) return mayRelayTo(inner, policy);
  const text = addressText(address);
  const family = address.length === IPV4_BYTES ? "ipv4" : "ipv6";
  if (policy.loopback && isLoopback(address)) return true;
  return !denied.check(text, family) && (policy.privateNetworks || !privateNetworks.check(text, family));
}

/** As node:net and the relay's sockets write it. */
export function addressText(address: Uint8Array): string {
  if (address.length === IPV4_BYTES) return address.join(".");
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  return Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16)).join(":");
}

function isLoopback(address: Uint8Array): boolean {
  if (address.length === IPV4_BYTES) return address[0] === 127;
  return address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/** The IPv4 address that packets to this IPv6 one end at: mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056). */
function innerIpv4(address: Uint8Array): Uint8Array | undefined {
  if (address.length === IPV4_BYTES) return undefined;
  const startsWith = (...bytes: number[]) => bytes.every((byte, i) => address[i] === byte);
  const zeros = (from: number, to: number) => address.subarray(from, to).every((byte) => byte === 0);
  if (startsWith(0x20, 0x02)) return address.subarray(2, 6);
  if (startsWith(0x00, 0x64, 0xff, 0x9b) && zeros(4, 12)) return address.subarray(12);
  const isMapped = zeros(0, 10) && address[10] === 0xff && address[11] === 0xff;
  const isCompatible = zeros(0, 12) && !zeros(12, 15);
  return isMapped || isCompatible ? address.subarray(12) : undefined;
}
