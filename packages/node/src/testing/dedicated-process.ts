/** For tests: a dedicated supernode, its core and workers in processes of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { NodeLimits } from "../limits.ts";
import type { FrontOptions } from "../workers/public-front.ts";
import type { Reachable } from "./test-client.ts";
import { testProgram } from "./test-program.ts";

export interface DedicatedProcess extends Reachable {
  readonly process: ChildProcess;
  /** Of the public listener. */
  readonly frontPort: number;
  /** Of its person's own listener on loopback. */
  readonly port: number;
  readonly token: string;
  readonly supernodeKey: string;
  /** Process ids of the workers that run. */
  workerPids(): Promise<number[]>;
  /** One sample of `/metrics`, by its name with labels. */
  metric(name: string): Promise<number>;
  kill9(): Promise<void>;
}

export interface DedicatedOptions {
  readonly home: string;
  readonly front?: Partial<FrontOptions>;
  readonly limits?: Partial<NodeLimits>;
  readonly operator?: string;
}

/** Starts one with two workers, on free loopback ports. */
export async function spawnDedicated(options: DedicatedOptions): Promise<DedicatedProcess> {
  const front = { host: "127.0.0.1", port: 0, workers: 2, ...options.front };
  const child = spawn(process.execPath, [...testProgram("dedicated-main"), JSON.stringify({ ...options, front })], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const started = (await next(child)) as { token: string; port: number; frontPort: number; supernodeKey: string };
  return {
    ...started,
    edgeUrl: `${front.tls ? "wss" : "ws"}://127.0.0.1:${started.frontPort}/edge`,
    process: child,
    async workerPids() {
      child.send("pids");
      return ((await next(child)) as { pids: number[] }).pids;
    },
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${started.port}/metrics`)).text();
      const line = text.split("\n").find((each) => each.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1) ?? Number.NaN);
    },
    async kill9() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function next(child: ChildProcess): Promise<unknown> {
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the dedicated supernode ended")));
  const [message] = (await Promise.race([once(child, "message"), ended])) as [unknown];
  return message;
}
