/**
 * A small Internet in network namespaces. In its middle a bridge with public addresses (203.0.113.0/24); at it, one router for each
 * site; behind each router one host, where a person's program runs.
 *
 *     host 10.k.0.2 ─ lan ┤router k├ wan 203.0.113.(100 + k) ─ bridge ─ 203.0.113.10 the node, .20 a relay, .30 another host; .21
 *                                                                       a second relay
 *
 * An open site's host has a public address, 198.51.100.(4 k + 2), and its router only routes.
 */
import { Namespaces, whyNoLab } from "./namespaces.ts";
import { type NatMode, rulesetOf } from "./nat-modes.ts";

export const NODE_ADDRESS = "203.0.113.10";
export const RELAY_ADDRESS = "203.0.113.20";
/** Of two nodes in a network that is open to all: such a network takes none for public that are set aside for documents, as the others are. */
export const OPEN_NODE_ADDRESSES = ["44.0.0.10", "44.0.0.11"] as const;
const OPEN_NODES = "44.0.0.0/24";
export const SECOND_RELAY_ADDRESS = "203.0.113.21";
/** Another public host, for whoever wants to know whether two are told apart. */
export const OTHER_ADDRESS = "203.0.113.30";
const PUBLIC = "pub";
/** Beyond is the rest of the Internet, which takes everything and answers nothing: without it a host is told at once that an address is unknown. */
const BEYOND = "203.0.113.254";
/** Of the open sites' hosts. The bridge's machine routes to them. */
const OPEN_NETWORK = "198.51.100.0/24";
const SITES_MAX = 60;
/** In a site's own network, of the addresses that its router gives out later. */
const FIRST_NEW_ADDRESS = 77;

/** One router with one host behind it. */
export interface Site {
  readonly number: number;
  readonly mode: NatMode;
  /** Namespace of the host, for `inNamespace`. */
  readonly namespace: string;
  /** The host's own address, … */
  readonly address: string;
  /** … and what others see it as. */
  readonly publicAddress: string;
}

export class NatLab {
  readonly #spaces: Namespaces;
  readonly #sites: Site[] = [];
  #readdressed = 0;

  private constructor(spaces: Namespaces) {
    this.#spaces = spaces;
  }

  /** Throws where {@link whyNoLab} says why there can be none. */
  static async make(): Promise<NatLab> {
    const why = whyNoLab();
    if (why !== undefined) throw new Error(`no NAT lab: ${why}`);
    const lab = new NatLab(new Namespaces());
    await lab.#spaces.add(PUBLIC);
    const addresses = [NODE_ADDRESS, RELAY_ADDRESS, OTHER_ADDRESS, SECOND_RELAY_ADDRESS, ...OPEN_NODE_ADDRESSES];
    await lab.inPublic(`
      ip link add br0 type bridge
      ip link set br0 up
      ${addresses.map((address) => `ip addr add ${address}/24 dev br0`).join("\n")}
      ${beyond("br0")}
      echo 1 > /proc/sys/net/ipv4/ip_forward
      for each in all default br0; do echo 0 > /proc/sys/net/ipv4/conf/$each/send_redirects; done`);
    return lab;
  }

  get publicNamespace(): string {
    return this.#spaces.nameOf(PUBLIC);
  }

  /** Runs a shell script where the public hosts are. */
  inPublic(script: string): Promise<string> {
    return this.#spaces.run(PUBLIC, script);
  }

  /** Runs a shell script on a site's host, … */
  onHost({ number }: Site, script: string): Promise<string> {
    return this.#spaces.run(`h${number}`, script);
  }

  /** … or on its router. */
  onRouter({ number }: Site, script: string): Promise<string> {
    return this.#spaces.run(`r${number}`, script);
  }

  /** One more site. */
  async addSite(mode: NatMode): Promise<Site> {
    const number = this.#sites.length + 1;
    if (number > SITES_MAX) throw new Error(`a lab has ${SITES_MAX} sites at most`);
    const { address, wan } = plan(number, mode);
    const namespace = this.#spaces.nameOf(`h${number}`);
    const site: Site = { number, mode, namespace, address, publicAddress: mode === "open" ? address : wan };
    this.#sites.push(site);
    await Promise.all([this.#spaces.add(`r${number}`), this.#spaces.add(`h${number}`)]);
    await this.#makeRouter(site);
    await this.#plug(site, site);
    return site;
  }

  /** The router's line fails, or works again: the host is not told. */
  async setLine({ number }: Site, works: boolean): Promise<void> {
    await this.inPublic(`ip link set w${number} ${works ? "up" : "down"}`);
  }

  /** The host's own link goes, or comes back with the address that it had, as when it sleeps and wakes. */
  async setLink(site: Site, works: boolean): Promise<void> {
    const { router } = plan(site.number, site.mode);
    await this.onHost(
      site,
      works ? `ip link set eth0 up; ip route add default via ${router}` : "ip link set eth0 down",
    );
  }

  /** The host leaves its network for another site's: a new link, address and router, as from Wi-Fi to a phone's network. */
  async move(site: Site, to: Site): Promise<void> {
    await this.onHost(site, "ip link del eth0");
    await this.#plug(site, to);
  }

  /** Another address from the same router; nothing that was open goes on. */
  async readdress(site: Site): Promise<string> {
    const { prefix, router } = plan(site.number, site.mode);
    const address = site.address.replace(/\d+$/, String(FIRST_NEW_ADDRESS + this.#readdressed++));
    await this.onHost(
      site,
      `ip addr flush dev eth0; ip addr add ${address}/${prefix} dev eth0; ip route add default via ${router}`,
    );
    return address;
  }

  /** Ends everything in it, and removes it. */
  stop(): void {
    this.#spaces.removeAll();
  }

  async #makeRouter(site: Site): Promise<void> {
    const { wan, network } = plan(site.number, site.mode);
    await this.onRouter(
      site,
      `ip link add wan type veth peer name w${site.number} netns ${this.publicNamespace}
      ip addr add ${wan}/24 dev wan
      ip link set wan up
      ${beyond("wan")}
      for each in ${OPEN_NETWORK} ${OPEN_NODES}; do ip route add $each via ${NODE_ADDRESS}; done
      echo 1 > /proc/sys/net/ipv4/ip_forward
      nft -f - <<'RULES'
${rulesetOf(site.mode, site.address)}
RULES`,
    );
    await this.inPublic(`ip link set w${site.number} master br0; ip link set w${site.number} up`);
    if (site.mode === "open") await this.inPublic(`ip route add ${network} via ${wan}`);
  }

  /** Connects the host of `site` to the router of `at`. */
  async #plug({ namespace, number }: Site, at: Site): Promise<void> {
    const { address, prefix, router } = plan(at.number, at.mode);
    await this.onRouter(
      at,
      `ip link del lan 2>/dev/null || true
      ip link add lan type veth peer name eth0 netns ${namespace}
      ip addr add ${router}/${prefix} dev lan
      ip link set lan up`,
    );
    await this.#spaces.run(
      `h${number}`,
      `ip addr add ${address}/${prefix} dev eth0; ip link set eth0 up; ip route add default via ${router}`,
    );
  }
}

function beyond(device: string): string {
  return `ip neigh replace ${BEYOND} lladdr 02:00:00:00:00:fe dev ${device} nud permanent
    ip route replace default via ${BEYOND} dev ${device}`;
}

interface Plan {
  readonly wan: string;
  /** The site's own network, … */
  readonly network: string;
  readonly prefix: number;
  /** … and in it the router and the host. */
  readonly router: string;
  readonly address: string;
}

function plan(number: number, mode: NatMode): Plan {
  const wan = `203.0.113.${100 + number}`;
  if (mode !== "open")
    return {
      wan,
      network: `10.${number}.0.0/24`,
      prefix: 24,
      router: `10.${number}.0.1`,
      address: `10.${number}.0.2`,
    };
  const base = 4 * number;
  const at = (offset: number) => `198.51.100.${base + offset}`;
  return { wan, network: `${at(0)}/30`, prefix: 30, router: at(1), address: at(2) };
}
