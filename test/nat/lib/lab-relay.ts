/** Starts the lab's relay. What it gives is the one place where a lab's calls get their relay from. Ends with the lab. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { NatLab } from "./lab.ts";
import { inNamespace } from "./namespaces.ts";
import { TYPESCRIPT } from "./person.ts";
import type { RelayAccess } from "./person-protocol.ts";

const MAIN = fileURLToPath(new URL("relay-main.ts", import.meta.url));

export async function startLabRelay(lab: NatLab): Promise<RelayAccess> {
  const [command, args] = inNamespace(lab.publicNamespace);
  const child = spawn(command, [...args, process.execPath, ...TYPESCRIPT, MAIN], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [access] = (await once(child, "message")) as [RelayAccess];
  child.unref();
  return access;
}
