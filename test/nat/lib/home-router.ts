/**
 * A home behind a router that speaks UPnP, in network namespaces: miniupnpd, which is in most home routers, does it for real.
 *
 *     home 10.5.0.2 ─ lan ┤router├ wan 11.22.33.44 ─ 11.22.33.1 outside, also .2 to .4
 *
 * The addresses outside are of a kind that the Internet could reach: routers and nodes make a difference. They are nobody's here.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inNamespace, Namespaces } from "./namespaces.ts";

export const ROUTER_ADDRESS = "11.22.33.44";
const OUTSIDE = ["11.22.33.1", "11.22.33.2", "11.22.33.3", "11.22.33.4"] as const;
export const HOME_ADDRESS = "10.5.0.2";
const MAX_SAID_CHARS = 4_096;

export interface RouterSpeaks {
  readonly upnp?: 1 | 2;
  /** NAT-PMP and PCP, which miniupnpd has only together. */
  readonly pcp?: boolean;
}

/** What keeps miniupnpd from being here; undefined where nothing does. */
export function whyNoRouter(): string | undefined {
  return spawnSync("miniupnpd", ["--version"], { timeout: 2_000 }).error === undefined
    ? undefined
    : "there is no miniupnpd: install miniupnpd-nftables";
}

/** As nftables has it: miniupnpd fills in the chains whose names it is told. The router drops what nobody asked for. */
const RULES = `flush ruleset
table inet home {
  chain forward { type filter hook forward priority 0; policy accept;
    iifname "wan" ct state new jump opened
    iifname "wan" ct state new,invalid drop
  }
  chain input { type filter hook input priority 0; policy accept;
    iifname "wan" ct state new,invalid drop
  }
  chain opened { }
  chain prerouting { type nat hook prerouting priority -100;
    iifname "wan" jump mapped
  }
  chain postrouting { type nat hook postrouting priority 100;
    oifname "wan" jump leaving
    oifname "wan" masquerade
  }
  chain mapped { }
  chain leaving { }
}
`;

export class HomeRouter {
  readonly #spaces = new Namespaces();
  readonly #folder = mkdtempSync(join(tmpdir(), "earshot-router-"));
  #daemon: ChildProcess | undefined;

  static async make(): Promise<HomeRouter> {
    const router = new HomeRouter();
    await router.#wire();
    return router;
  }

  get home(): string {
    return this.#spaces.nameOf("home");
  }
  get outside(): string {
    return this.#spaces.nameOf("out");
  }

  /** Ports that the router lets others in to, as its rules have it now: `udp 4000` and so on. */
  async opened(): Promise<string[]> {
    const rules = await this.#spaces.run("router", "nft list chain inet home mapped");
    // Of the packet's header it reads the byte that says which protocol follows.
    const found = [...rules.matchAll(/ 0x(11|0?6) th dport (\d+) dnat/g)];
    return found.map(([, protocol, port]) => `${protocol === "11" ? "udp" : "tcp"} ${port}`).sort();
  }

  /** Starts its daemon, or starts it anew: it has then forgotten everything. */
  async speak({ upnp, pcp = false }: RouterSpeaks): Promise<void> {
    await this.silence();
    const config = join(this.#folder, "miniupnpd.conf");
    const yes = (is: boolean) => (is ? "yes" : "no");
    const lines = [
      ...["ext_ifname=wan", `ext_ip=${ROUTER_ADDRESS}`, "listening_ip=lan", "port=5000", "ipv6_disable=yes"],
      ...[`enable_upnp=${yes(upnp !== undefined)}`, `enable_natpmp=${yes(pcp)}`],
      ...[`force_igd_desc_v1=${yes(upnp === 1)}`, "secure_mode=yes", "system_uptime=no", "friendly_name=home"],
      ...["upnp_table_name=home", "upnp_nat_table_name=home", "upnp_forward_chain=opened"],
      ...["upnp_nat_chain=mapped", "upnp_nat_postrouting_chain=leaving"],
      ...["uuid=00000000-0000-0000-0000-000000000001", "allow 1024-65535 10.5.0.0/24 1024-65535"],
      ...["deny 0-65535 0.0.0.0/0 0-65535"],
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const [command, args] = inNamespace(this.#spaces.nameOf("router"));
    const pidFile = join(this.#folder, "pid");
    const daemon = spawn(command, [...args, "miniupnpd", "-d", "-f", config, "-P", pidFile], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#daemon = daemon;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      daemon.stderr.on("data", (chunk: Buffer) => {
        said = (said + String(chunk)).slice(-MAX_SAID_CHARS);
        if (/listening on port|listening for/i.test(said)) resolve();
      });
      daemon.once("exit", () => reject(new Error(`miniupnpd ended: ${said}`)));
    });
  }

  /** It ends without a word to anybody, and its rules with it. */
  async silence(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon && daemon.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise((resolve) => daemon.once("exit", resolve));
      daemon.kill("SIGKILL");
      await ended;
    }
    await this.#spaces.run("router", `nft -f - <<'RULES'\n${RULES}RULES`);
  }

  stop(): void {
    this.#spaces.removeAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #wire(): Promise<void> {
    await Promise.all(["out", "router", "home"].map((name) => this.#spaces.add(name)));
    await this.#spaces.run(
      "router",
      `ip link add wan type veth peer name eth0 netns ${this.outside}
      ip addr add ${ROUTER_ADDRESS}/24 dev wan
      ip link set wan up
      ip link add lan type veth peer name eth0 netns ${this.home}
      ip addr add 10.5.0.1/24 dev lan
      ip link set lan up
      ip route add default via ${OUTSIDE[0]}
      echo 1 > /proc/sys/net/ipv4/ip_forward`,
    );
    await this.#spaces.run(
      "home",
      `ip addr add ${HOME_ADDRESS}/24 dev eth0; ip link set eth0 up; ip route add default via 10.5.0.1`,
    );
    await this.#spaces.run(
      "out",
      `${OUTSIDE.map((address) => `ip addr add ${address}/24 dev eth0`).join("\n")}
      ip link set eth0 up
      ip route add default via ${ROUTER_ADDRESS}`,
    );
  }
}
