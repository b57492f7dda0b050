/** The lab's relays. What they give is the one place where a lab's calls get their relay from. End with the lab. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { issueCredential } from "@earshot/node";
import { type NatLab, RELAY_ADDRESS } from "./lab.ts";
import { inNamespace } from "./namespaces.ts";
import { TYPESCRIPT } from "./person.ts";
import type { RelayAccess } from "./person-protocol.ts";

const MAIN = fileURLToPath(new URL("relay-main.ts", import.meta.url));
/** What every network lets through. */
export const RELAY_PORT = 443;
const LIFE_MS = 3_600_000;
const KEY_BYTES = 32;
const NAME_BYTES = 8;

/** Something that relays at a public address, and takes whoever has what the secret makes. */
export class LabRelay {
  readonly address: string;
  readonly #operator: string;
  readonly #secret: string;
  readonly #key = randomBytes(KEY_BYTES).toString("hex");
  readonly #child: ChildProcess;

  constructor(address: string, operator: string, secret: string, child: ChildProcess) {
    this.address = address;
    this.#operator = operator;
    this.#secret = secret;
    this.#child = child;
  }

  /** The node's own TURN server in a process of its own. `address`: one of the lab's public ones. */
  static async start(lab: NatLab, address = RELAY_ADDRESS): Promise<LabRelay> {
    const secret = randomBytes(KEY_BYTES).toString("hex");
    const [command, args] = inNamespace(lab.publicNamespace);
    const child = spawn(command, [...args, process.execPath, ...TYPESCRIPT, MAIN], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const started = once(child, "message");
    child.send({ address, port: RELAY_PORT, secret });
    await started;
    child.unref();
    return new LabRelay(address, `the lab's at ${address}`, secret, child);
  }

  /** For one person: what each may have there at once is counted by credential. */
  access(): RelayAccess {
    const expiresAtMs = Date.now() + LIFE_MS;
    const { username, password } = issueCredential(this.#secret, expiresAtMs, randomBytes(NAME_BYTES));
    const urls = ["udp", "tcp"].map((transport) => `turn:${this.address}:${RELAY_PORT}?transport=${transport}`);
    return { key: this.#key, operator: this.#operator, urls, username, credential: password, expiresAtMs };
  }

  async kill9(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.ref();
    this.#child.kill("SIGKILL");
    await exited;
  }
}
