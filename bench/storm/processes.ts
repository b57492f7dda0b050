/** The load processes of the storm benchmark, and what the kernel says of the supernodes meanwhile. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { cpuSecondsOf, residentBytesOf } from "../process-stats.ts";
import type { CrowdCommand, CrowdState } from "./crowd-main.ts";
import type { SteadyCommand, SteadyReport } from "./steady-main.ts";

const SOURCE_OPTIONS = ["--conditions=earshot-source", "--import", "tsx"];
const WATCH_EVERY_MS = 1_000;

/** A child that answers each command with a value, or with an error. */
class LoadProcess<Command extends object, Value> {
  readonly #child: ChildProcess;
  /** One command after another. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(main: string) {
    this.#child = fork(join(import.meta.dirname, main), { execArgv: SOURCE_OPTIONS });
  }

  ask(command: Command): Promise<Value> {
    const answer = this.#asking.then(async () => {
      this.#child.send(command);
      const [{ value, error }] = (await once(this.#child, "message")) as [{ value?: Value; error?: string }];
      if (value === undefined) throw new Error(`load: ${error}`);
      return value;
    });
    this.#asking = answer.catch(() => {});
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#child.signalCode !== null || this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

export type Steady = LoadProcess<SteadyCommand, SteadyReport>;

export function startSteady(): Steady {
  return new LoadProcess("steady-main.ts");
}

/** All of its processes as one. */
export class Crowd {
  readonly #parts: readonly LoadProcess<CrowdCommand, CrowdState>[];

  constructor(processes: number) {
    this.#parts = Array.from({ length: processes }, () => new LoadProcess("crowd-main.ts"));
  }

  async join(
    count: number,
    atOnce: number,
    where: Pick<Extract<CrowdCommand, { op: "join" }>, "networkFile" | "node">,
  ): Promise<CrowdState> {
    const share = Math.ceil(count / this.#parts.length);
    const shareAtOnce = Math.ceil(atOnce / this.#parts.length);
    return this.#all((i) => ({
      op: "join",
      ...where,
      host: `127.96.${i}.1`,
      count: Math.min(share, count - i * share),
      atOnce: shareAtOnce,
    }));
  }

  state(): Promise<CrowdState> {
    return this.#all(() => ({ op: "state" }));
  }

  /** Counts anew from here. */
  reset(): Promise<CrowdState> {
    return this.#all(() => ({ op: "reset" }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.stop()));
  }

  async #all(command: (part: number) => CrowdCommand): Promise<CrowdState> {
    return merged(await Promise.all(this.#parts.map((part, i) => part.ask(command(i)))));
  }
}

function merged(states: readonly CrowdState[]): CrowdState {
  const sum = (read: (state: CrowdState) => number) => states.reduce((total, state) => total + read(state), 0);
  const counts = (read: (state: CrowdState) => Readonly<Record<string, number>>) => {
    const all: Record<string, number> = {};
    for (const [key, count] of states.flatMap((state) => Object.entries(read(state))))
      all[key] = (all[key] ?? 0) + count;
    return all;
  };
  return {
    members: sum(({ members }) => members),
    homed: sum(({ homed }) => homed),
    reachable: sum(({ reachable }) => reachable),
    at: counts(({ at }) => at),
    drops: counts(({ drops }) => drops),
    problems: counts(({ problems }) => problems),
    twoAgainMs: states.flatMap(({ twoAgainMs }) => twoAgainMs),
    oneAgainMs: states.flatMap(({ oneAgainMs }) => oneAgainMs),
    lostMailboxes: sum(({ lostMailboxes }) => lostMailboxes),
    shed: sum(({ shed }) => shed),
    failed: sum(({ failed }) => failed),
  };
}

export interface Peaks {
  /** Of the one that took most. */
  readonly residentBytes: number;
  /** Of a core, within a second, of the one that took most. */
  readonly cores: number;
}

/** Not killed just now: of those the kernel says nothing, or that they take no memory. */
function isThere(pid: number): boolean {
  try {
    return residentBytesOf(pid) > 0;
  } catch {
    return false;
  }
}

/** Looks once a second; the result ends it. */
export function watchPeaks(pids: () => readonly number[]): () => Peaks {
  let peaks = { residentBytes: 0, cores: 0 };
  let before = new Map<number, number>();
  let at = performance.now();
  const look = () => {
    const now = performance.now();
    const used = new Map<number, number>();
    for (const pid of pids().filter(isThere)) {
      used.set(pid, cpuSecondsOf(pid));
      const cores = ((used.get(pid) ?? 0) - (before.get(pid) ?? used.get(pid) ?? 0)) / ((now - at) / 1_000);
      peaks = {
        residentBytes: Math.max(peaks.residentBytes, residentBytesOf(pid)),
        cores: Math.max(peaks.cores, cores),
      };
    }
    [before, at] = [used, now];
  };
  look();
  const timer = setInterval(look, WATCH_EVERY_MS);
  return () => {
    clearInterval(timer);
    return peaks;
  };
}
