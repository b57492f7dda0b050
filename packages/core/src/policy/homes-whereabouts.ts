/** Where a supernode is, as far as choosing apart from one another needs it. */
import { toHex } from "../bytes.ts";
import { parseDhtAddress } from "../overlay/addresses.ts";
import { parseIp } from "../overlay/ip-address.ts";
import type { Whereabouts } from "./homes.ts";

const IPV4_PREFIX_BYTES = 3;
const IPV6_PREFIX_BYTES = 6;

/** Of what its descriptor says: its HyperDHT node's address, or else its URL's host. */
export function whereaboutsOf(node: {
  readonly url: string;
  readonly dht: string;
  readonly operator: string;
}): Whereabouts {
  const address = hostOf(node);
  return { address, prefix: addressPrefix(address), operator: node.operator };
}

function hostOf({ url, dht }: { readonly url: string; readonly dht: string }): string {
  const parsed = parseDhtAddress(dht);
  if (parsed.ok) return parsed.value.host.toLowerCase();
  const host = /^wss?:\/\/(?:\[([^\]]+)\]|([^/:?]+))/i.exec(url);
  return (host?.[1] ?? host?.[2] ?? "").toLowerCase();
}

/** As people read it: of an IPv4 address its /24, of an IPv6 one its /48; a name is itself. */
export function addressPrefix(host: string): string {
  const ip = parseIp(host);
  if (!ip) return host;
  return ip.length === 4
    ? `${ip.subarray(0, IPV4_PREFIX_BYTES).join(".")}.0/24`
    : `${(toHex(ip.subarray(0, IPV6_PREFIX_BYTES)).match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, "")).join(":")}::/48`;
}
