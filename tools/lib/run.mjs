/** Child processes for the tools in this folder: output passed through, signals forwarded, never left behind. */
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** @type {NodeJS.Signals[]} */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];
const TIMED_OUT = 124;
/** On Ctrl-C a script under npm gets the signal twice, from the terminal and from npm: the second is not a second Ctrl-C. */
const SAME_SIGNAL_MS = 300;

/**
 * Runs a command in the repository's root and resolves with its exit code (128 + signal when killed, 124 past `limitMs`).
 * The command leads its own process group, so that its children go with it; signals to this process are passed on to it.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, limitMs?: number, stdin?: "ignore" | "inherit", tied?: boolean }} [options]
 * `tied`: over an IPC channel the command can tell that this process was killed ("disconnect").
 * @returns {Promise<number>}
 */
export function run(command, args, { env = {}, cwd = root, limitMs = 0, stdin = "ignore", tied = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [stdin, "inherit", "inherit", ...(tied ? [/** @type {const} */ ("ipc")] : [])],
      detached: process.platform !== "win32",
    });
    let timedOut = false;
    let forwardedAt = Number.NEGATIVE_INFINITY;
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      if (performance.now() - forwardedAt < SAME_SIGNAL_MS) return;
      forwardedAt = performance.now();
      killGroup(child, signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const timer =
      limitMs > 0 &&
      setTimeout(() => {
        timedOut = true;
        console.error(`\n${command} ${args.join(" ")}: stopped after ${Math.round(limitMs / 1000)} s`);
        killGroup(child, "SIGKILL");
      }, limitMs);
    const done = () => {
      if (timer) clearTimeout(timer);
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("close", (code, signal) => {
      done();
      resolve(timedOut ? TIMED_OUT : (code ?? 128 + (constants.signals[signal ?? "SIGKILL"] ?? 0)));
    });
  });
}

/**
 * Sends `signal` to the child's whole process group (to the child alone where there are no groups).
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function killGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, signal);
  } catch {
    // it has ended by itself
  }
}

/**
 * Runs a script with this Node.
 * @param {string} script
 * @param {string[]} [args]
 * @param {Parameters<typeof run>[2]} [options]
 */
export function runNode(script, args = [], options = {}) {
  return run(process.execPath, [script, ...args], options);
}

/** True if `command` can be started. */
export function hasCommand(command) {
  const looked = spawnSync(process.platform === "win32" ? "where" : "which", [command], { stdio: "ignore" });
  return looked.status === 0;
}

/** Prints why the tool cannot go on and ends it. */
export function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
