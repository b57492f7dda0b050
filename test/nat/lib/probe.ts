/** Small datagrams that show what a site's network lets through. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type NatLab, NODE_ADDRESS, OTHER_ADDRESS, type Site } from "./lab.ts";
import { inNamespace } from "./namespaces.ts";

const MAIN = fileURLToPath(new URL("probe-main.mjs", import.meta.url));
const LIMIT_MS = 20_000;

/** What a host behind some network finds out about it. */
export interface NetworkSeen {
  /** Datagrams come back at all. */
  readonly udp: boolean;
  /** Everybody sees one socket at the same address and port: endpoint-independent mapping. */
  readonly oneMapping: boolean;
  readonly keepsPort: boolean;
  /** What comes from another port of a host that was sent to, … */
  readonly fromOtherPort: boolean;
  /** … from a host that was not, … */
  readonly fromOtherHost: boolean;
  /** … and to a socket that has sent nothing. */
  readonly unasked: boolean;
  readonly tcp443: boolean;
  readonly tcpOther: boolean;
  /** The address that others see. */
  readonly seenAs?: string;
}

/** Starts what answers, at the public hosts. Ends with the lab. */
export async function serveProbes(lab: NatLab): Promise<void> {
  const [command, args] = inNamespace(lab.publicNamespace);
  const child = spawn(command, [...args, process.execPath, MAIN, "serve", NODE_ADDRESS, OTHER_ADDRESS], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "message");
  child.disconnect();
  child.unref();
}

export async function lookFrom(site: Site): Promise<NetworkSeen> {
  const [command, args] = inNamespace(site.namespace);
  const all = [...args, process.execPath, MAIN, "look", NODE_ADDRESS, OTHER_ADDRESS];
  const { stdout } = await promisify(execFile)(command, all, { timeout: LIMIT_MS });
  return JSON.parse(stdout) as NetworkSeen;
}
