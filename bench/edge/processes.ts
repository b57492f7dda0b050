/** A daemon and load processes of their own, and what the kernel says the daemon used. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuSecondsOf } from "../process-stats.ts";
import type { Command } from "./load-main.ts";
import type { Target } from "./load-worker.ts";

const SOURCE_OPTIONS = ["--conditions=earshot-source", "--import", "tsx"];

/** What would get in the way of measuring what the machinery can do. */
const UNLIMITED = { perSecond: 1e9, burst: 1e9 };
const BENCH_LIMITS = {
  mailboxWorkBits: 0,
  maxConnections: 18_000,
  handshakes: UNLIMITED,
  framesPerConnection: UNLIMITED,
  deliverBytesPerConnection: UNLIMITED,
  bytesPerMailbox: UNLIMITED,
  bytesPerToken: UNLIMITED,
  maxStoredPerToken: 1_000,
  maxStoredBytesPerToken: 1_000_000,
};

export interface BenchDaemon extends Target {
  /** User and system time so far. */
  cpuSeconds(): number;
  residentBytes(): number;
  stop(): Promise<void>;
}

export async function startBenchDaemon(): Promise<BenchDaemon> {
  const home = mkdtempSync(join(tmpdir(), "earshot-bench-"));
  const main = join(import.meta.dirname, "../../packages/node/src/testing/daemon-main.ts");
  const options = JSON.stringify({ home, limits: BENCH_LIMITS });
  const child = spawn(process.execPath, [...SOURCE_OPTIONS, main, options], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { port, token } = JSON.parse(line.toString()) as Target;
  const proc = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, "utf8");
  return {
    port,
    token,
    cpuSeconds: () => cpuSecondsOf(child.pid as number),
    residentBytes: () => Number(/VmRSS:\s+(\d+)/.exec(proc("status"))?.[1]) * 1024,
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export interface LoadProcess {
  run(command: Command): Promise<number>;
  stop(): Promise<void>;
}

export function startLoad(): LoadProcess {
  const child: ChildProcess = fork(join(import.meta.dirname, "load-main.ts"), { execArgv: SOURCE_OPTIONS });
  return {
    async run(command) {
      child.send(command);
      const [answer] = (await once(child, "message")) as [{ value?: number; error?: string }];
      if (answer.error !== undefined || answer.value === undefined) throw new Error(`load: ${answer.error}`);
      return answer.value;
    },
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
