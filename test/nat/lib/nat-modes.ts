/**
 * What stands between a site and the Internet, as nftables' rules for its router. All routers drop what nobody inside asked for:
 * a router that answers it keeps track of it, and has then to give the host's own packet to there another port.
 *
 * One host sends through each router, so that masquerading keeps its ports: the mapping is endpoint-independent (RFC 4787 section
 * 4.1), unless it is told to choose at random. What may come back (section 5) are the sets: who was sent to, from which port.
 */

/** Full-cone: endpoint-independent filtering; then address-dependent, and address- and port-dependent; symmetric: a port of its own for each destination. */
export const NAT_MODES = [
  "open",
  "full-cone",
  "address-restricted",
  "port-restricted",
  "symmetric",
  "udp-blocked",
  "only-443",
] as const;
export type NatMode = (typeof NAT_MODES)[number];

interface Rules {
  /** More in the table. */
  readonly sets?: string;
  /** Packets of new connections from outside. */
  readonly arriving?: string;
  /** All packets that pass. */
  readonly passing?: string;
  /** Default: keeping the port. */
  readonly masquerade?: string;
}

/** As a home router forgets a mapping; calls are far shorter here. */
const SET = "flags dynamic,timeout; timeout 120s; size 65535;";

function rulesOf(mode: Exclude<NatMode, "open">, host: string): Rules {
  switch (mode) {
    case "full-cone":
      return {
        sets: `set mapped { type inet_service; ${SET} }`,
        passing: `iifname "lan" meta l4proto udp update @mapped { udp sport }`,
        arriving: `iifname "wan" udp dport @mapped dnat to ${host}`,
      };
    case "address-restricted":
      return {
        sets: `set seen { type inet_service . ipv4_addr; ${SET} }`,
        passing: `iifname "lan" meta l4proto udp update @seen { udp sport . ip daddr }`,
        arriving: `iifname "wan" udp dport . ip saddr @seen dnat to ${host}`,
      };
    case "port-restricted":
      return {};
    case "symmetric":
      return { masquerade: "masquerade random,fully-random" };
    case "udp-blocked":
      return { passing: "meta l4proto udp drop" };
    case "only-443":
      return { passing: `meta l4proto udp drop\n    iifname "lan" meta l4proto tcp tcp dport != 443 drop` };
  }
}

/** For `nft -f`: everything that the router of a site is told. `host`: the one machine behind it. */
export function rulesetOf(mode: NatMode, host: string): string {
  if (mode === "open") return "flush ruleset\n";
  const { sets = "", arriving = "", passing = "", masquerade = "masquerade" } = rulesOf(mode, host);
  return `flush ruleset
table ip site {
  ${sets}
  chain arriving { type nat hook prerouting priority -100;
    ${arriving}
  }
  chain leaving { type nat hook postrouting priority 100;
    oifname "wan" ${masquerade}
  }
  chain input { type filter hook input priority 0; policy accept;
    iifname "wan" ct state established,related accept
    iifname "wan" drop
  }
  chain passing { type filter hook forward priority 0; policy accept;
    ${passing}
    ct status dnat accept
    iifname "wan" ct state new,invalid drop
  }
}
`;
}

/** Whether a direct path exists between two such sites, over UDP, by RFC 4787's rules alone. */
export function canBeDirect(one: NatMode, other: NatMode): boolean {
  const noUdp = (mode: NatMode) => mode === "udp-blocked" || mode === "only-443";
  if (noUdp(one) || noUdp(other)) return false;
  // Whom a symmetric one sends from is told to nobody: only one that takes any port of that address hears it.
  const strict = (mode: NatMode) => mode === "symmetric" || mode === "port-restricted";
  const isPortUnknown = one === "symmetric" || other === "symmetric";
  return !(isPortUnknown && strict(one) && strict(other));
}
