/** `earshot` as its users run it: a process, its output, its exit code. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const EARSHOT = fileURLToPath(new URL("../../apps/cli/bin/earshot.mjs", import.meta.url));
export type CliEvent = Readonly<Record<string, unknown>>;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout's lines as JSON; empty without `--json`. */
  readonly events: readonly CliEvent[];
}

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** The first event that fits, past or to come; rejects when the process ends without one. */
  event(fits: (event: CliEvent) => boolean): Promise<CliEvent>;
}

/** A folder for homes, recordings and the daemon's note, and everything that was started in it. */
export class Cli {
  readonly folder = mkdtempSync(join(tmpdir(), "earshot-cli-"));
  readonly #running = new Set<ChildProcess>();

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Starts a command without waiting for it. */
  start(...args: string[]): Running {
    return this.#spawn(args);
  }

  #spawn(args: readonly string[], input?: string): Running {
    const env = { ...process.env, HOME: this.folder, XDG_RUNTIME_DIR: this.folder, NO_COLOR: "1", EARSHOT_ALONE: "1" };
    const child = spawn(process.execPath, [EARSHOT, ...args], { env, stdio: "pipe" });
    child.stdin.on("error", () => undefined); // it may end without reading
    child.stdin.end(input);
    this.#running.add(child);
    const output = { stdout: "", stderr: "" };
    const waiting = new Set<() => void>();
    const events = (): CliEvent[] => jsonLines(output.stdout);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
      for (const look of waiting) look();
    });
    const finished = new Promise<Finished>((resolve) => {
      child.on("close", (code) => {
        this.#running.delete(child);
        resolve({ code, ...output, events: events() });
      });
    });
    const event = (fits: (event: CliEvent) => boolean): Promise<CliEvent> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events().find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void finished.then(({ code, stdout, stderr }) => {
          reject(new Error(`earshot ${args.join(" ")} ended with ${code} before it said so\n${stdout}\n${stderr}`));
        });
      });
    return { process: child, finished, event };
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Finished> {
    return this.start(...args).finished;
  }

  /** The same, with this on its stdin. */
  runWith(input: string, ...args: string[]): Promise<Finished> {
    return this.#spawn(args, input).finished;
  }

  /** Runs a command with `--json` that must succeed, and gives what it printed last. */
  async json(...args: string[]): Promise<CliEvent> {
    const { code, events, stdout, stderr } = await this.run(...args, "--json");
    const last = events.at(-1);
    if (code !== 0 || last === undefined) throw new Error(`earshot ${args.join(" ")}: ${code}\n${stdout}\n${stderr}`);
    return last;
  }

  /** Ends what still runs and removes the folder. */
  async cleanUp(): Promise<void> {
    const ended = [...this.#running].map((child) => new Promise((resolve) => child.once("close", resolve)));
    for (const child of this.#running) child.kill("SIGKILL");
    await Promise.all(ended);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function jsonLines(text: string): CliEvent[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as CliEvent);
}
