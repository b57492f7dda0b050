/** A node as people run it: `earshot start` in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const EARSHOT = fileURLToPath(new URL("../../../apps/cli/bin/earshot.mjs", import.meta.url));
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

export interface DaemonOptions {
  /** Data folder; a new temporary one by default, removed by `stop`. */
  readonly home?: string;
  /** 0: any free one. */
  readonly port?: number;
  /** More arguments for `earshot start`. */
  readonly args?: readonly string[];
  /** A command that runs the rest of its arguments, such as one that enters a network namespace first. */
  readonly within?: readonly string[];
}

export interface Daemon {
  /** What it printed: the app's address with the token. */
  readonly url: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly token: string;
  readonly port: number;
  readonly home: string;
  readonly pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** Counters and gauges of /metrics by name with labels: `name{a="b"}`. */
  metrics(): Promise<Map<string, number>>;
  /** kill -9, as a crash or the out-of-memory killer does it. Resolves when it is gone. */
  kill9(): Promise<void>;
  /** Starts it again on the same home and port. */
  restart(): Promise<void>;
  /** Ends it in good order, and removes its temporary home. */
  stop(): Promise<void>;
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

interface Launch {
  readonly home: string;
  readonly port: number;
  readonly args: readonly string[];
  readonly within: readonly string[];
}

interface Running {
  readonly child: ChildProcess;
  readonly url: URL;
  readonly exited: Promise<void>;
}

/** Starts the daemon and resolves once it has printed its address; rejects with its output when it ends before. */
async function launch({ home, port, args, within }: Launch, log: string[]): Promise<Running> {
  const start = [process.execPath, EARSHOT, "start", "--home", home, "--port", String(port), ...args];
  const [command = "", ...rest] = [...within, ...start];
  const child = spawn(command, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOME: home, EARSHOT_ALONE: "1" },
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<URL>((resolve, reject) => {
    const give = (reason: string) => reject(new Error(`earshot start ${reason}:\n${log.join("")}`));
    const timer = setTimeout(() => give("printed no address"), START_LIMIT_MS);
    void exited.then(() => give("ended"));
    const read = (text: string) => {
      log.push(text);
      const printed = /https?:\/\/[^\s"]+#[^\s"]*token=[^\s"&]+/.exec(log.join(""))?.[0];
      if (!printed) return;
      clearTimeout(timer);
      resolve(new URL(printed));
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
  });
  return { child, url, exited };
}

async function terminate({ child, exited }: Running): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}

/** Prometheus' text format, as far as the tests read it: `name{labels} value` lines. */
export function parseMetrics(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** Starts a node of its own. */
export async function startDaemon({ home, port = 0, args = [], within = [] }: DaemonOptions = {}): Promise<Daemon> {
  const folder = home ?? mkdtempSync(join(tmpdir(), "earshot-node-"));
  const chosen = port === 0 ? await freePort() : port;
  let log: string[] = [];
  const how = { home: folder, port: chosen, args, within };
  let running = await launch(how, log);
  const token = () => new URLSearchParams(running.url.hash.slice(1)).get("token") ?? "";
  return {
    get url() {
      return running.url.href;
    },
    get origin() {
      return running.url.origin;
    },
    get token() {
      return token();
    },
    port: chosen,
    home: folder,
    get pid() {
      return running.child.pid ?? 0;
    },
    output: () => log.join(""),
    async metrics() {
      const answer = await fetch(new URL("/metrics", running.url.origin), {
        headers: { authorization: `Bearer ${token()}` },
      });
      if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
      return parseMetrics(await answer.text());
    },
    async kill9() {
      running.child.kill("SIGKILL");
      await running.exited;
    },
    async restart() {
      log = [];
      running = await launch(how, log);
    },
    async stop() {
      await terminate(running);
      if (home === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
