/** A dedicated supernode (a core and its workers) and its load processes, and what the kernel says of them. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";
import type { Target } from "../edge/load-worker.ts";
import { cpuSecondsOf } from "../process-stats.ts";
import type { DedicatedCommand, Held, Returned } from "./load-main.ts";

const SOURCE_OPTIONS = ["--conditions=earshot-source", "--import", "tsx"];
const ROOT = join(import.meta.dirname, "../..");

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly pem: string;
}

/** P-256, as a certificate authority would give today. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const made = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" });
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(keyFile, made.private, { mode: 0o600 });
  writeFileSync(certFile, made.cert);
  return { certFile, keyFile, pem: made.cert };
}

export interface DedicatedOptions {
  readonly home: string;
  readonly certificate: Certificate;
  readonly workers: number;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: object;
}

export interface Dedicated {
  readonly target: Target;
  /** User and system time of the core and the workers so far. */
  cpuSeconds(): { core: number; workers: number };
  /** Proportional set size of all of them together: what they share counts once. */
  residentBytes(): { core: number; workers: number };
  /** Of the core's metrics. */
  metric(name: string): Promise<number>;
  /** The core and all workers, at once and without a word. */
  kill(): Promise<void>;
}

export async function startDedicated(options: DedicatedOptions): Promise<Dedicated> {
  const { home, certificate, workers, port, limits } = options;
  const tls = { certFile: certificate.certFile, keyFile: certificate.keyFile };
  const front = { host: "127.0.0.1", port, workers, tls, extraHosts: ["localhost"] };
  const main = join(ROOT, "packages/node/src/testing/dedicated-main.ts");
  const child = spawn(process.execPath, [...SOURCE_OPTIONS, main, JSON.stringify({ home, front, limits })], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [started] = (await once(child, "message")) as [{ port: number; frontPort: number }];
  child.send("pids");
  const [{ pids }] = (await once(child, "message")) as [{ pids: number[] }];
  const core = child.pid as number;
  const sum = (read: (pid: number) => number) => pids.reduce((total, pid) => total + read(pid), 0);
  return {
    target: { port: started.frontPort, token: "", ca: certificate.pem },
    cpuSeconds: () => ({ core: cpuSecondsOf(core), workers: sum(cpuSecondsOf) }),
    residentBytes: () => ({ core: residentBytesOf(core), workers: sum(residentBytesOf) }),
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${started.port}/metrics`)).text();
      return Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${name} `))
          ?.slice(name.length + 1) ?? Number.NaN,
      );
    },
    async kill() {
      const exited = once(child, "exit");
      for (const pid of pids) process.kill(pid, "SIGSTOP"); // so that none outlives the core and serves on
      child.kill("SIGKILL");
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await exited;
    },
  };
}

function residentBytesOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]) * 1024;
}

export interface DedicatedLoad {
  hold(command: Omit<Extract<DedicatedCommand, { op: "hold" }>, "op">): Promise<Held>;
  /** Once all that were dropped are back. */
  returned(): Promise<Returned>;
  stop(): Promise<void>;
}

export function startDedicatedLoad(): DedicatedLoad {
  const child: ChildProcess = fork(join(import.meta.dirname, "load-main.ts"), {
    execArgv: [...SOURCE_OPTIONS, "--max-old-space-size=4096"],
  });
  const ask = async <T>(command: DedicatedCommand): Promise<T> => {
    child.send(command);
    const [answer] = (await once(child, "message")) as [{ value?: T; error?: string }];
    if (answer.value === undefined) throw new Error(`load: ${answer.error}`);
    return answer.value;
  };
  return {
    hold: (command) => ask({ op: "hold", ...command }),
    returned: () => ask({ op: "return" }),
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
