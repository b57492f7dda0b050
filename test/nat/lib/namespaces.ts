/** Network namespaces of Linux, by iproute2: made, entered and removed. Needs root. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const execute = promisify(execFile);
const PREFIX = "earshot-lab";
/** Of one command; each takes some milliseconds. */
const LIMIT_MS = 20_000;

/** What keeps this machine from making a lab, in words for a person; undefined where nothing does. */
export function whyNoLab(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "making network namespaces takes root";
  for (const command of [
    ["ip", "-V"],
    ["nft", "-v"],
  ] as const)
    if (spawnSync(command[0], [command[1]]).status !== 0)
      return `there is no ${command[0]}: install iproute2 and nftables`;
  const name = `${PREFIX}-${process.pid}-try`;
  const made = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (made.status !== 0) return `no network namespace can be made: ${made.stderr.trim()}`;
  const tried = spawnSync("ip", ["netns", "exec", name, "nft", "add", "table", "ip", "try"], { encoding: "utf8" });
  spawnSync("ip", ["netns", "del", name]);
  return tried.status === 0 ? undefined : `nft does not work in a namespace: ${tried.stderr.trim()}`;
}

/** Whether tests in a lab are to be left out here, which it then says: no program that could be installed makes up for what a machine does not allow. */
export function leaveOut(what: string): boolean {
  const why = whyNoLab();
  if (why !== undefined) console.log(`skipped: ${what}, because ${why}`);
  return why !== undefined;
}

/** The namespaces of one lab. Those that a process left behind that is gone are removed when the next lab is made. */
export class Namespaces {
  static #count = 0;
  readonly #prefix = `${PREFIX}-${process.pid}-${++Namespaces.#count}`;
  readonly #names = new Set<string>();
  readonly #atExit = () => this.removeAll();

  constructor() {
    for (const name of listed()) if (isLeftOver(name)) remove(name);
    process.on("exit", this.#atExit);
  }

  /** The full name of one of them. */
  nameOf(short: string): string {
    return `${this.#prefix}-${short}`;
  }

  /** Makes one, with loopback up and IPv4 alone. */
  async add(short: string): Promise<void> {
    const name = this.nameOf(short);
    this.#names.add(name);
    await execute("ip", ["netns", "add", name], { timeout: LIMIT_MS });
    await this.run(short, "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up");
  }

  /** Runs a shell script in one of them. Rejects with what it wrote to stderr where a command fails. */
  async run(short: string, script: string): Promise<string> {
    const args = ["netns", "exec", this.nameOf(short), "sh", "-ec", script];
    return (await execute("ip", args, { timeout: LIMIT_MS })).stdout;
  }

  /** Ends what still runs in them, and removes them. */
  removeAll(): void {
    process.off("exit", this.#atExit);
    for (const name of this.#names) remove(name);
    this.#names.clear();
  }
}

/** The command that runs in a namespace what follows. */
export function inNamespace(name: string): [string, string[]] {
  return ["ip", ["netns", "exec", name]];
}

function listed(): string[] {
  const text = execFileSync("ip", ["netns", "list"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return text.split("\n").map((line) => line.split(" ")[0] ?? "");
}

function isLeftOver(name: string): boolean {
  const [, pid] = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name) ?? [];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

function remove(name: string): void {
  const inside = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" }).stdout.split("\n");
  for (const pid of inside.map(Number).filter((each) => each > 0))
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
  spawnSync("ip", ["netns", "del", name]);
}
