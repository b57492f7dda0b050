/** A node at the lab's public address: everybody's home, and what tells them how they are seen. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNetworkConfig, type NodeOptions } from "@earshot/node";
import { type NatLab, NODE_ADDRESS, OPEN_NODE_ADDRESSES } from "./lab.ts";
import { inNamespace } from "./namespaces.ts";
import { TYPESCRIPT } from "./person.ts";

const MAIN = fileURLToPath(new URL("node-main.ts", import.meta.url));
/** What the strictest networks let through. */
const PORT = 443;
const DHT_PORT = 444;

export class LabNode {
  readonly #lab: NatLab;
  readonly #home = mkdtempSync(join(tmpdir(), "earshot-nat-node-"));
  readonly #more: Partial<NodeOptions>;
  #child: ChildProcess | undefined;
  #url = "";

  private constructor(lab: NatLab, more: Partial<NodeOptions>) {
    this.#lab = lab;
    this.#more = more;
  }

  static async start(lab: NatLab, more: Partial<NodeOptions> = {}): Promise<LabNode> {
    const node = new LabNode(lab, more);
    await node.restart();
    return node;
  }

  /** Two in a network of their own, that serve everybody: whoever begins at the second finds the first. */
  static async startTwo(lab: NatLab): Promise<[LabNode, LabNode]> {
    // Not private: whoever has no node of their own could not enter.
    const network = { ...createNetworkConfig({ name: "the lab", prefixLimits: false }), private: false };
    const [first, second] = OPEN_NODE_ADDRESSES;
    const bootstrap = [{ host: first, port: DHT_PORT }];
    const start = (host: string) =>
      LabNode.start(lab, {
        ...{ host, operator: host, role: "dedicated", edge: "open" },
        network: { ...network, bootstrap, dhtHost: host, dhtPort: DHT_PORT },
      });
    return [await start(first), await start(second)];
  }

  /** For its clients, with the token. */
  get url(): string {
    return this.#url;
  }

  async kill9(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** Again, on the same home and port. */
  async restart(): Promise<void> {
    const [command, args] = inNamespace(this.#lab.publicNamespace);
    const child = spawn(command, [...args, process.execPath, ...TYPESCRIPT, MAIN], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced", // a network's key is bytes
    });
    this.#child = child;
    const answered = once(child, "message");
    const options: NodeOptions = {
      home: this.#home,
      host: NODE_ADDRESS,
      port: PORT,
      edge: "token",
      ...this.#more,
      // The work protects mailboxes from strangers; here it would only be waited for.
      limits: { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0, ...this.#more.limits },
    };
    child.send(options);
    const [answer] = (await answered) as [{ url?: string; failure?: string }];
    if (answer.url === undefined) throw new Error(`the lab's node did not start: ${answer.failure}`);
    this.#url = answer.url;
  }

  async stop(): Promise<void> {
    await this.kill9();
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 3 });
  }
}
