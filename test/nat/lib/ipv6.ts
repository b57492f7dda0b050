/** IPv6 for sites that have had IPv4 alone: global addresses behind a firewall that lets in only what was asked for, as home routers do. */
import type { NatLab, Site } from "./lab.ts";

const ON = "for each in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 > $each; done";
const FORWARD = "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
const backbone = (host: number) => `2001:db8::${host.toString(16)}`;
/** Of the bridge's machine, which routes between the sites. */
const MIDDLE = backbone(1);

/** A site's own network (RFC 3849's prefix), a /64 of which one address is its host's. */
const network = ({ number }: Site) => `2001:db8:${number.toString(16)}::/64`;
export const ipv6AddressOf = (site: Site): string => network(site).replace("/64", "2");
const routerOf = (site: Site) => network(site).replace("/64", "1");

export async function giveIpv6(lab: NatLab, sites: readonly Site[]): Promise<void> {
  await lab.inPublic(`${ON}; ${FORWARD}; ip -6 addr add ${MIDDLE}/64 dev br0 nodad`);
  for (const site of sites) {
    const wan = backbone(0x100 + site.number);
    await lab.onRouter(
      site,
      `${ON}; ${FORWARD}
      ip -6 addr add ${wan}/64 dev wan nodad
      ip -6 addr add ${routerOf(site)}/64 dev lan nodad
      ip -6 route add default via ${MIDDLE}
      nft -f - <<'RULES'
table ip6 site {
  chain passing { type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
  }
}
RULES`,
    );
    await lab.inPublic(`ip -6 route add ${network(site)} via ${wan}`);
    await lab.onHost(
      site,
      `${ON}; ip -6 addr add ${ipv6AddressOf(site)}/64 dev eth0 nodad; ip -6 route add default via ${routerOf(site)}`,
    );
  }
}
