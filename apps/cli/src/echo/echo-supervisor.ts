/** Keeps the Echo process running beside the daemon. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { backoffDelayMs } from "@earshot/core";
import { readStderr } from "./echo-stderr.ts";
import { type EchoOrders, isEchoReport } from "./echo-messages.ts";

/** From src/echo as from dist/echo. */
const EARSHOT = fileURLToPath(new URL("../../bin/earshot.mjs", import.meta.url));
/** A child that ran this long had started well: the next back-off begins anew. */
const STEADY_AFTER_MS = 60_000;
/** The child hangs its calls up within 2 s; whatever still runs then is killed. */
const STOP_TIMEOUT_MS = 3_000;

export interface EchoSupervisor {
  /** What to add Echo by; undefined until it has been online once. */
  card(): string | undefined;
  /** Hangs up and ends the process. */
  stop(): Promise<void>;
}

export interface EchoEvents {
  readonly online?: () => void;
  /** Ended and started again after `retryInMs`. */
  readonly crashed?: (exit: {
    readonly code: number | null;
    readonly signal: string | null;
    readonly retryInMs: number;
    /** The last it said on stderr. */
    readonly reason: string | undefined;
  }) => void;
  /** A line of what the process says on stderr. */
  readonly stderr?: (line: string) => void;
  readonly problem?: (code: string) => void;
}

/** Starts Echo; it is started again, with back-off, whenever it ends by itself. */
export function superviseEcho(orders: EchoOrders, events: EchoEvents = {}): EchoSupervisor {
  let card: string | undefined;
  let child: ChildProcess | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;
  let attempt = 0;

  const start = (): void => {
    const startedAt = performance.now();
    const echo = fork(EARSHOT, ["echo-host"], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "json",
      execArgv: [], // the script knows what it needs, whatever this process was started with
    });
    const said = echo.stderr === null ? undefined : readStderr(echo.stderr, events.stderr);
    child = echo;
    echo.on("message", (message) => {
      if (!isEchoReport(message)) return;
      if ("problem" in message) return events.problem?.(message.problem);
      if (card === undefined) events.online?.();
      card = message.card;
    });
    echo.on("error", () => undefined); // it did not start, or the channel broke: "exit" or the next send tells
    // After "exit", once all it said has been read.
    echo.on("close", (code, signal) => {
      if (stopped) return;
      if (performance.now() - startedAt > STEADY_AFTER_MS) attempt = 0;
      const retryInMs = backoffDelayMs(attempt++, Math.random());
      events.crashed?.({ code, signal, retryInMs, reason: said?.reason() });
      retry = setTimeout(start, retryInMs);
    });
    echo.send(orders);
  };
  start();
  return {
    card: () => card,
    async stop() {
      stopped = true;
      clearTimeout(retry);
      if (child !== undefined) await endChild(child);
    },
  };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  if (child.connected) child.disconnect();
  await exited;
  clearTimeout(timer);
}
