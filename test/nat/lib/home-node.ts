/** The test's side of a node in the lab's home, or outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeReport } from "@earshot/core";
import type { NodeOptions } from "@earshot/node";
import type { HomeAnswer, HomeCommand, RelayPassSeen } from "./home-protocol.ts";
import { inNamespace } from "./namespaces.ts";
import { TYPESCRIPT } from "./person.ts";

const MAIN = fileURLToPath(new URL("home-main.ts", import.meta.url));

export class HomeNode {
  readonly #home = mkdtempSync(join(tmpdir(), "earshot-home-"));
  readonly #child: ChildProcess;
  #dhtPort = 0;

  private constructor(namespace: string) {
    const [command, args] = inNamespace(namespace);
    this.#child = spawn(command, [...args, process.execPath, ...TYPESCRIPT, MAIN], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // Keys of networks are bytes.
      serialization: "advanced",
    });
  }

  static async start(namespace: string, options: Omit<NodeOptions, "home">): Promise<HomeNode> {
    const node = new HomeNode(namespace);
    const { dhtPort = 0 } = await node.#ask({ type: "start", options: { ...options, home: node.#home } });
    node.#dhtPort = dhtPort;
    return node;
  }

  get dhtPort(): number {
    return this.#dhtPort;
  }

  async report(): Promise<NodeReport> {
    const { report } = await this.#ask({ type: "report" });
    if (report === undefined) throw new Error("no report");
    return report;
  }
  async lendRelay(): Promise<void> {
    await this.#ask({ type: "lend-relay" });
  }
  /** Undefined while it does not relay. */
  async pass(): Promise<RelayPassSeen | undefined> {
    return (await this.#ask({ type: "pass" })).pass;
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    await this.#ask({ type: "stop" });
    this.kill();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 3 });
  }

  /** One at a time. */
  async #ask(command: HomeCommand): Promise<HomeAnswer> {
    const answered = once(this.#child, "message");
    this.#child.send(command);
    const [answer] = (await answered) as [HomeAnswer];
    if (answer.failure !== undefined) throw new Error(answer.failure);
    return answer;
  }
}
