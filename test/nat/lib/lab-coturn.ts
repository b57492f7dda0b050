/** coturn as the lab's relay, in the place of the node's own. Ends with the lab. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type NatLab, RELAY_ADDRESS } from "./lab.ts";
import { LabRelay, RELAY_PORT } from "./lab-relay.ts";
import { inNamespace } from "./namespaces.ts";

const SECRET = "north";
const START_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 50;
const LISTENER = ` ${RELAY_ADDRESS}:${RELAY_PORT} `;

/** Says why where it is not installed. */
export function leaveOutCoturn(what: string): boolean {
  const isMissing = spawnSync("turnserver", ["-h"], { timeout: START_LIMIT_MS }).error !== undefined;
  if (isMissing) console.log(`skipped: ${what}, because coturn is not installed (Debian: apt-get install coturn)`);
  return isMissing;
}

/** Its credentials are as an operator's node issues them from the secret that both know. */
export async function startCoturn(lab: NatLab): Promise<LabRelay> {
  const folder = mkdtempSync(join(tmpdir(), "earshot-coturn-"));
  const [command, args] = inNamespace(lab.publicNamespace);
  const child = spawn(
    command,
    [
      ...[...args, "turnserver", "-n", "--use-auth-secret", `--static-auth-secret=${SECRET}`, "--realm=earshot"],
      ...[`--listening-ip=${RELAY_ADDRESS}`, `--relay-ip=${RELAY_ADDRESS}`, `--listening-port=${RELAY_PORT}`],
      ...["--no-cli", "--no-tls", "--no-dtls", "--relay-threads=1", "--log-file=stdout"],
      ...[`--pidfile=${join(folder, "pid")}`, `--userdb=${join(folder, "db")}`],
    ],
    { stdio: "ignore" },
  );
  child.unref();
  await isListening(lab);
  return new LabRelay(RELAY_ADDRESS, "coturn", SECRET, child);
}

/** Takes datagrams and connections. */
async function isListening(lab: NatLab): Promise<void> {
  for (const until = performance.now() + START_LIMIT_MS; performance.now() < until; ) {
    const sockets = (await lab.inPublic("ss -lntuH")).split("\n").filter((line) => line.includes(LISTENER));
    if (sockets.some((line) => line.startsWith("udp")) && sockets.some((line) => line.startsWith("tcp"))) return;
    await delay(LOOK_EVERY_MS);
  }
  throw new Error("coturn does not listen");
}
