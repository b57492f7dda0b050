/** Which addresses may be dialled on a stranger's word: public IPv4 ones only (the DHT has no others). */
import { BlockList, isIPv4 } from "node:net";
import type { HostPort } from "./network-config.ts";

/** IANA's special-purpose registry (RFC 6890), multicast and what is reserved. */
const SPECIAL = [
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
] as const;

const special = new BlockList();
for (const [address, bits] of SPECIAL) special.addSubnet(address, bits, "ipv4");

/** Names are never public: looking one up would tell its owner, and it may lead anywhere. */
export function isPublicIPv4(host: string): boolean {
  return isIPv4(host) && !special.check(host, "ipv4");
}

/** `a.b.c.d:port` as cards, records and descriptors give it; undefined where it is anything else. */
export function parseDhtAddress(text: string): HostPort | undefined {
  const [, host = "", digits] = /^([0-9.]{7,15}):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return isIPv4(host) && port > 0 && port < 65_536 ? { host, port } : undefined;
}
